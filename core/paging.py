"""Long tables in pieces: ``?page=N``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from core.querystate import link

PAGE_SIZE = 50


_Stored = TypeVar("_Stored", bound=Model)


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
    place: slice  # of the items in the whole table
    label: str  # what there are pages of: "Pages of months"
    previous_url: str
    next_url: str

    @property
    def is_whole(self) -> bool:
        """Whether there are no other pages."""
        return not self.previous_url and not self.next_url


def paginate(request: HttpRequest, items: Sequence[Any], *, of: str, size: int = PAGE_SIZE, anchor: str = "") -> Page:
    """The piece of ``?page=N``; a number outside the table is its nearest page.

    ``of`` names the items to those who can't see them; ``anchor`` is where the links to other pages lead ("#keys").
    """
    asked = request.GET.get("page", "1")
    last = max(1, -(-len(items) // size))
    number = min(max(int(asked), 1), last) if asked.isdecimal() and len(asked) < 10 else 1
    start = (number - 1) * size
    end = min(start + size, len(items))
    return Page(
        items=items[start:end],
        shown=f"{start + 1:,}–{end:,} of {len(items):,}" if items else "",
        place=slice(start, end),
        label=f"Pages of {of}",
        previous_url=link(request, page=number - 1 if number > 2 else None) + anchor if number > 1 else "",
        next_url=link(request, page=number + 1) + anchor if number < last else "",
    )
