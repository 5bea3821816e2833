"""A table's cell: its safe HTML together with what it says exactly, and hints that carry a reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from html import unescape
from itertools import chain
from typing import Any, Final, Self

from django.template.loader import render_to_string
from django.utils.html import escape, format_html, format_html_join, strip_tags
from django.utils.safestring import SafeString, mark_safe

from core.money import Money, rounded

# How with_hint writes what others read back.
HINT: Final = mark_safe('<span class="hint">')
FOCUSABLE_HINT: Final = mark_safe('<span class="hint" tabindex="0">')
_SIGN: Final = re.compile(r'<span data-sign="([^"]*)">([^<]*)</span>')
_READ_ONLY: Final = re.compile(
    r'<span class="hint__text"> (?:(?:\. )?<span data-sign="[^"]*">[^<]*</span>)*</span>'
    r'|<span class="hint__mark".*?</span>'
)


class Cell(SafeString):
    """A cell's HTML with what it says exactly, for the table's CSV.

    ``value`` is a text, a number, money per currency, or None where it is unknown; ``note`` is the reason for that or
    for a mark. A figure that adds up with those of other rows has ``digits``: as many are shown after the point.
    """

    value: str | Decimal | int | tuple[Money, ...] | None
    note: str
    digits: int | None

    def __new__(
        cls,
        html: str,
        value: str | Decimal | int | tuple[Money, ...] | None,
        note: str = "",
        *,
        digits: int | None = None,
    ) -> Self:
        cell = super().__new__(cls, html)
        cell.value = value
        cell.note = note
        cell.digits = digits
        return cell

    @property
    def shown(self) -> dict[str, Decimal]:
        """What is shown of a figure that adds up: by currency, or of something that has none under ""."""
        if self.digits is None or self.value is None or isinstance(self.value, str):
            return {}
        amounts = self.value if isinstance(self.value, tuple) else (Money("", Decimal(self.value)),)
        return {money.currency: rounded(money.amount, self.digits) for money in amounts}


@dataclass(frozen=True)
class Hint:
    """A reason that a cell carries: ``sign`` is what stands for it there, "" where it is of this value alone."""

    sign: str
    reason: str


def with_hint(text: str, reason: str = "", *, label: str = "", lacks: str = "", says: str = "") -> SafeString:
    """``text`` with what must be known of it, which is shown on hover and is always there for screen readers.

    ``reason`` says why it is unknown or – then with a label before it – no plain fact; ``lacks`` what it leaves out,
    for which a "*" stands; ``says`` is of this value alone. By itself a hint takes the focus; a table, which may hold
    hundreds, explains its signs once below instead (core.tables).
    """
    parts = [(sign, what) for sign, what in (("", says), (label or text, reason), ("*", lacks)) if what]
    filled = (FOCUSABLE_HINT, *((label,) if label else ()), text, *chain.from_iterable(parts))
    return format_html(_hint_form(bool(label), bool(lacks), len(parts)), *filled)


@cache
def _hint_form(has_label: bool, is_marked: bool, parts: int) -> str:  # noqa: FBT001 - what tells its kinds apart
    """What with_hint fills in: of hundreds of cells, as one piece each."""
    label = '<span class="hint__label">{}</span> ' if has_label else ""
    mark = '<span class="hint__mark" aria-hidden="true">*</span>' if is_marked else ""
    signs = ". ".join(['<span data-sign="{}">{}</span>'] * parts)
    return f'{{}}{label}{{}}{mark}<span class="hint__text"> {signs}</span></span>'


def hints_of(cell: str) -> Iterator[Hint]:
    """The reasons in a cell, however it was put together; of text that is no HTML there are none."""
    if isinstance(cell, SafeString) and "hint__text" in cell:
        for sign, reason in _SIGN.findall(cell):
            yield Hint(unescape(sign), unescape(reason))


def without_hints(cell: str) -> str:
    """What stands in a cell, as text: of a name from outside the name."""
    if isinstance(cell, Cell) and isinstance(cell.value, str) and "hint__text" not in cell:
        return cell.value
    return " ".join(text_of(SafeString(_READ_ONLY.sub("", cell)) if isinstance(cell, SafeString) else cell).split())


def lines(amounts: Iterable[Money]) -> SafeString:
    """An amount per line."""
    amounts = tuple(amounts)
    if len(amounts) == 1:
        return escape(str(amounts[0]))
    return format_html_join(mark_safe("<br>"), "{}", ((str(amount),) for amount in amounts))


def from_template(template: str, context: Mapping[str, Any], value: str) -> Cell:
    """A cell that a template draws – a form, a list, what has an icon – and that says ``value``."""
    return Cell(mark_safe(render_to_string(template, dict(context)).strip()), value)  # noqa: S308 - a template escapes


def status(slug: str, label: str) -> Cell:
    """An icon and a word; ``slug`` names the icon and its colour."""
    return from_template("_status.html", {"status": {"value": slug, "label": label}}, label)


def text_of(cell: str) -> str:
    """What a cell says that is no Cell: text as it is, HTML without its tags."""
    return unescape(strip_tags(cell)) if isinstance(cell, SafeString) else cell


def number(value: int) -> Cell:
    """A count of something other than usage; one that is split counts for each, so that counts need not add up."""
    return Cell(f"{value:,}", value)
