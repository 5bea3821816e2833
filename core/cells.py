"""A table's cell: its safe HTML together with what it says exactly, and hints that carry a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from html import unescape
from typing import Any, Self

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join, strip_tags
from django.utils.safestring import SafeString, mark_safe

from core.money import Money, rounded


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


def with_hint(text: str, reason: str, *, mark: str = "", label: str = "") -> SafeString:
    """``text`` with the reason why it is unknown, not the whole, or – then with a label before it – no plain fact."""
    return format_html(
        '<span class="hint" tabindex="0">{}{}{}<span class="hint__text"> {}</span></span>',
        format_html('<span class="hint__label">{}</span> ', label) if label else "",
        text,
        format_html('<span class="hint__mark" aria-hidden="true">{}</span>', mark) if mark else "",
        reason,
    )


def lines(amounts: Iterable[Money]) -> SafeString:
    """An amount per line."""
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
