"""What a view shows, read from its URL and written back into links: range, grouping, sort, page.

It is stored nowhere else, so the URL shows another person the same view. A range that can't be
used is said in a sentence (and the page answers 422); any other unknown value falls back to the default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest


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
