"""What a view shows, read from its URL and written back into links: range, grouping, sort, page.

Nothing of it is remembered anywhere else, so the URL opened by somebody else is the same view. A range that can't be
used is said in a sentence (and the page answers 422); any other unknown value falls back to the default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar, overload
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from costs import ranges
from costs.ranges import DateRange, RangeError

PAGE_SIZE = 50

_Stored = TypeVar("_Stored", bound=Model)


def link(request: HttpRequest, **changes: str | int | None) -> str:
    """This view's URL with some of its parameters changed; None leaves one out."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path


@dataclass(frozen=True)
class Choice:
    """One of several ways to look at a view."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True)
class RangeChoice:
    """The range that a view shows, and the links to others."""

    range: DateRange
    error: str
    asked_from: str  # what the fields of a custom range hold: the range, or what was asked for and can't be used
    asked_to: str
    presets: tuple[Choice, ...]
    is_custom: bool
    name: str  # how a figure of this range is called: "this month", "1–22 Nov 2026"
    query: str  # what a link to another page adds to keep the range: "" or "?from=…&to=…"
    kept: tuple[tuple[str, str], ...]  # the other parameters, for the form of a custom range

    @property
    def status(self) -> int:
        return 422 if self.error else 200

    def with_query(self, **more: str | None) -> str:
        """``query`` with more parameters; those that are None are left out."""
        added = urlencode({name: value for name, value in more.items() if value is not None})
        if not added:
            return self.query
        return f"{self.query}&{added}" if self.query else f"?{added}"


def read_range(request: HttpRequest, *, today: date) -> RangeChoice:
    """The range of the URL; where it can't be used, the default one and the reason."""
    error = ""
    try:
        chosen = ranges.from_query(request.GET, today=today)
    except RangeError as refusal:
        error = str(refusal)
        chosen = ranges.from_query({}, today=today)
    named = ranges.presets(today)
    default = named[0].range
    current = next((preset for preset in named if preset.range == chosen), None)
    links = tuple(
        Choice(
            preset.label,
            link(request, page=None, **_dates(preset.range, default)),
            preset == current,
        )
        for preset in named
    )
    if current is None:
        name = chosen.days
    elif current.label.endswith("month"):
        name = current.label.lower()
    else:
        name = f"last {current.label}"
    return RangeChoice(
        range=chosen,
        error=error,
        asked_from=request.GET.get("from", "") if error else chosen.first.isoformat(),
        asked_to=request.GET.get("to", "") if error else chosen.last.isoformat(),
        presets=links,
        is_custom=current is None,
        name=name,
        query="" if chosen == default else f"?{chosen.query}",
        kept=tuple((key, str(value)) for key, value in request.GET.items() if key not in {"from", "to", "page"}),
    )


def _dates(wanted: DateRange, default: DateRange) -> dict[str, str | None]:
    """The default range needs no parameters, and then stays the default tomorrow."""
    return (
        {"from": None, "to": None}
        if wanted == default
        else {"from": wanted.first.isoformat(), "to": wanted.last.isoformat()}
    )


def choices(
    request: HttpRequest, parameter: str, options: Mapping[str, str], **changes: str | int | None
) -> tuple[str, tuple[Choice, ...]]:
    """The chosen one of ``options`` (label by value, the default first) and the links to each of them."""
    default = next(iter(options))
    chosen = request.GET.get(parameter, default)
    if chosen not in options:
        chosen = default
    return chosen, tuple(
        Choice(
            label,
            link(request, **changes | {parameter: None if value == default else value}),
            value == chosen,
        )
        for value, label in options.items()
    )


@dataclass(frozen=True)
class Sorting:
    """By which column a table is sorted; its links turn the direction of the current column round."""

    request: HttpRequest
    column: str
    is_descending: bool
    text_columns: frozenset[str]

    def direction(self, column: str) -> str:
        """The value of aria-sort."""
        if column != self.column:
            return "none"
        return "descending" if self.is_descending else "ascending"

    def url(self, column: str) -> str:
        """Numbers begin with the largest, words with A; a second press turns that round."""
        descending = not self.is_descending if column == self.column else column not in self.text_columns
        return link(self.request, sort=f"-{column}" if descending else column, page=None)


def read_sorting(
    request: HttpRequest, columns: Mapping[str, Callable[[Any], Any]], *, default: str, text: Sequence[str] = ("name",)
) -> Sorting:
    """The sorting of ``?sort=column`` or ``?sort=-column``."""
    asked = request.GET.get("sort", default)
    if asked.removeprefix("-") not in columns:
        asked = default
    return Sorting(request, asked.removeprefix("-"), asked.startswith("-"), frozenset(text))


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """For sorting names as people do: "key 9" before "key 10", whatever the capitals."""
    parts = re.split(r"([0-9]{1,15})", text.casefold())
    return tuple((0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in parts if part)


class CountedRows(Sequence[_Stored], Generic[_Stored]):
    """Rows that the database counts and cuts into pieces, for paginate()."""

    def __init__(self, rows: QuerySet[_Stored]) -> None:
        self._rows = rows
        self._number = rows.count()

    def __len__(self) -> int:
        return self._number

    @overload
    def __getitem__(self, place: int) -> _Stored: ...
    @overload
    def __getitem__(self, place: slice) -> list[_Stored]: ...
    def __getitem__(self, place: int | slice) -> _Stored | list[_Stored]:
        return list(self._rows[place]) if isinstance(place, slice) else self._rows[place]


@dataclass(frozen=True)
class Page:
    """A piece of a long table."""

    items: Sequence[Any]
    shown: str  # "1–50 of 132"
    previous_url: str
    next_url: str


def paginate(request: HttpRequest, items: Sequence[Any], *, size: int = PAGE_SIZE) -> Page:
    """The piece of ``?page=N``; a number outside the table is its nearest page."""
    asked = request.GET.get("page", "1")
    last = max(1, -(-len(items) // size))
    number = min(max(int(asked), 1), last) if asked.isdecimal() and len(asked) < 10 else 1
    start = (number - 1) * size
    end = min(start + size, len(items))
    return Page(
        items=items[start:end],
        shown=f"{start + 1:,}–{end:,} of {len(items):,}" if items else "",
        previous_url=link(request, page=number - 1 if number > 2 else None) if number > 1 else "",
        next_url=link(request, page=number + 1) if number < last else "",
    )
