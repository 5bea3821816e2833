"""JSON with exact numbers: integers as int, all others as Decimal, none by way of floating point.

Two decoders that agree: msgspec's is quick, and what it refuses – an answer that is wrong, or right in a way that it
does not know (half a surrogate pair, a byte order mark) – the standard library's decides about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from syncing.errors import UnexpectedResponseError

_DOCUMENT = msgspec.json.Decoder(float_hook=Decimal)
_CELLS = msgspec.json.Decoder(list[Any], float_hook=Decimal)
# Besides their own errors: what a number of endless digits and a document without end bring about.
_REFUSALS = (ValueError, ArithmeticError, RecursionError)


def parse_json(body: bytes | bytearray | msgspec.Raw) -> Any:
    """The document; raises UnexpectedResponseError for anything that is not JSON – NaN and Infinity included."""
    try:
        return _DOCUMENT.decode(body)
    except _REFUSALS:
        return _parsed_slowly(bytes(body))


def parse_table(body: bytes | bytearray) -> Any:
    """As parse_json, of a tabular answer: its “rows” are Rows, unless it has another shape than a table."""
    try:
        table = _TABLE.decode(body)
    except _REFUSALS:
        return parse_json(body)
    rows = Rows(table.rows, width=len(table.columns))
    return {"columns": table.columns, "column_units": table.column_units, "rows": rows}


class Rows:
    """The rows of a table, each decoded as it is read: all at once they take six times the memory of their text.

    Reading them raises UnexpectedResponseError as parse_json does, and for one that is no list of ``width`` cells.
    """

    def __init__(self, texts: list[msgspec.Raw], *, width: int) -> None:
        self._texts = texts
        self._width = width

    def __iter__(self) -> Iterator[list[Any]]:
        decode, width = _CELLS.decode, self._width
        for text in self._texts:
            try:
                cells = decode(text)
            except _REFUSALS:
                cells = parse_json(text)
            if type(cells) is not list or len(cells) != width:
                raise UnexpectedResponseError("its “rows” do not fit its columns")
            yield cells


class _TableText(msgspec.Struct):
    columns: list[Any]
    column_units: list[Any]
    rows: list[msgspec.Raw]


_TABLE = msgspec.json.Decoder(_TableText, float_hook=Decimal)


def _parsed_slowly(body: bytes) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise UnexpectedResponseError(f"it holds {constant}, which is no number")

    try:
        return json.loads(body, parse_float=Decimal, parse_constant=refuse)
    except _REFUSALS:
        raise UnexpectedResponseError("it is not JSON, or was cut off") from None
