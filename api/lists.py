"""Lists of stored rows: in the order of their ids, so that what is added meanwhile comes at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from ninja import Schema

from api.answers import JSON, Line, chosen_format, json_answer, refuse_paging, stream
from api.cursors import LIMIT, make_cursor, read_cursor
from api.problems import unprocessable
from api.types import Cursor, Limit

_Row = TypeVar("_Row", bound=Model)
_Item = TypeVar("_Item")

_CHUNK = 1000


class PageQuery(Schema):
    limit: Limit = None
    cursor: Cursor = None


class Listed(Schema, Generic[_Item]):
    """A page, and where the next one begins; null at the end."""

    data: list[_Item]
    next: str | None


def list_rows(
    request: HttpRequest,
    asked: PageQuery,
    rows: QuerySet[_Row],
    *,
    described: Callable[[Sequence[_Row]], Iterable[Line]],
    columns: Sequence[str],
) -> HttpResponseBase:
    """A page of ``rows`` as JSON, or all of them in another format; ``described`` makes objects of a batch."""
    format_ = chosen_format(request)
    rows = rows.order_by("pk")
    if format_ != JSON:
        refuse_paging(limit=asked.limit, cursor=asked.cursor)
        return stream(format_, _described(rows, described), columns)
    if asked.cursor is not None:
        (after,) = read_cursor(request, asked.cursor, length=1)
        if not (after.isascii() and after.isdecimal() and len(after) < 19):
            raise unprocessable(("cursor", "This is no cursor: give what “next” held, unchanged."))
        rows = rows.filter(pk__gt=int(after))
    limit = asked.limit or LIMIT
    found = list(rows[: limit + 1])
    page = found[:limit]
    return json_answer(
        {
            "data": list(described(page)),
            "next": make_cursor(request, [str(page[-1].pk)]) if len(found) > limit else None,
        }
    )


def _described(rows: QuerySet[_Row], described: Callable[[Sequence[_Row]], Iterable[Line]]) -> Iterator[Any]:
    batches = rows.iterator(chunk_size=_CHUNK)
    while batch := list(islice(batches, _CHUNK)):
        yield from described(batch)
