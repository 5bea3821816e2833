"""A list as an answer: a page of JSON with a cursor, or – by Accept – all of it as NDJSON or CSV, streamed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from api.problems import Problem, unprocessable
from core.csv_files import CHUNK_LINES, csv_chunks, csv_text, escape_formula

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"

Line = Mapping[str, Any]


def chosen_format(request: HttpRequest) -> str:
    """By the request's Accept; raises Problem (406)."""
    chosen = request.get_preferred_type([JSON, NDJSON, CSV])
    if chosen is None:
        raise Problem(HTTPStatus.NOT_ACCEPTABLE, f"This can be had as {JSON}, {NDJSON} or {CSV}.")
    return chosen


def json_answer(content: Any, *, status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(content, ensure_ascii=False), content_type=JSON, status=status)


def stream(format_: str, lines: Iterable[Line], columns: Sequence[str]) -> HttpResponseBase:
    """All of ``lines`` – objects, of which CSV shows ``columns``; a nested one as "company.id"."""
    chunks = _csv(lines, columns) if format_ == CSV else _ndjson(lines)
    return StreamingHttpResponse(chunks, content_type=f"{format_}; charset=utf-8")


def refuse_paging(**asked: object) -> None:
    """Raises Problem (422): what is streamed is whole."""
    named = [(name, "Only JSON comes in pages.") for name, value in asked.items() if value is not None]
    if named:
        raise unprocessable(*named)


def _ndjson(lines: Iterable[Line]) -> Iterator[str]:
    rest = iter(lines)
    while chunk := list(islice(rest, CHUNK_LINES)):
        yield "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in chunk)


def _csv(lines: Iterable[Line], columns: Sequence[str]) -> Iterator[str]:
    yield csv_text([tuple(columns)])
    yield from csv_chunks(tuple(_cell(line, column) for column in columns) for line in lines)


def _cell(line: Line, column: str) -> str:
    """Text that a spreadsheet would run as a formula is made inert; unknown is empty; a list is JSON."""
    value: Any = line
    for step in column.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | Mapping):
        return json.dumps(value, ensure_ascii=False)
    return escape_formula(str(value))
