"""Decoding answers: every number exact, whatever is no JSON refused, and tables as if they were decoded whole."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from elevenlabs_sync.decoding import parse_json, parse_table
from syncing.errors import UnexpectedResponseError

DEEP = b"[" * 200_000
NUMBERS = [
    ("0.1", Decimal("0.1")),
    ("0.123456789012345678901234567890", Decimal("0.123456789012345678901234567890")),
    ("123456789012345678901234567890.123456789", Decimal("123456789012345678901234567890.123456789")),
    ("1e3", Decimal(1000)),
    ("5E-324", Decimal("5E-324")),
    ("1e400000", Decimal("1e400000")),
    ("12345678901234567890123", 12345678901234567890123),
    ("-18446744073709551616", -18446744073709551616),
    ("-0.0", Decimal("-0.0")),
    ("7", 7),
]


def table(rows: str, *, columns: str = '["a"]') -> bytes:
    """An answer whose rows are written as ``rows``."""
    return f'{{"columns": {columns}, "column_units": [null], "rows": {rows}}}'.encode()


def rows_of(body: bytes) -> list[Any]:
    return list(parse_table(body)["rows"])


# --- Documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "expected"), NUMBERS)
def test_json_numbers_are_exact(text: str, expected: Decimal | int) -> None:
    """No number passes through binary floating point."""
    found = parse_json(text.encode())

    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", '{"a": [NaN]}'])
def test_json_constants_that_are_no_numbers_are_refused(text: str) -> None:
    """NaN and the infinities are no JSON, whatever Python's reader thinks."""
    with pytest.raises(UnexpectedResponseError, match="which is no number"):
        parse_json(text.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"<html></html>",
        b'{"a": 1',
        b"[1,]",
        b"[1] 2",
        b"[01]",
        b'["a\x00b"]',
        b"\xff\xfe\xfa",
        b'["\xff"]',
        b"1e99999999999999999999999",
        b"9" * 5000,
        DEEP,
    ],
    ids=[
        *("empty", "blank", "html", "cut", "comma", "more", "zero", "NUL"),
        *("bytes", "text", "exponent", "digits", "depth"),
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    """Every way of not being JSON ends in the one error."""
    for decode in (parse_json, parse_table):
        with pytest.raises(UnexpectedResponseError, match="it is not JSON, or was cut off"):
            decode(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b'["\\ud800"]', ["\ud800"]), (b"\xef\xbb\xbf[1.5]", [Decimal("1.5")]), ("[1]".encode("utf-16"), [1])],
    ids=["half a surrogate pair", "byte order mark", "UTF-16"],
)
def test_json_that_the_quick_decoder_does_not_know_is_read(body: bytes, expected: list[Any]) -> None:
    """It is for those who read a cell to refuse what can't be stored."""
    assert parse_json(body) == expected


def test_latest_of_two_equal_names_counts() -> None:
    """As everywhere in Python."""
    assert parse_json(b'{"a": 1, "a": 2}') == {"a": 2}
    assert rows_of(b'{"rows": [[1]], "columns": ["a"], "column_units": [null], "rows": [[2]]}') == [[2]]


# --- Tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "expected"), NUMBERS)
def test_cells_are_exact(text: str, expected: Decimal | int) -> None:
    """As in a document, each of the same kind."""
    [[cell]] = rows_of(table(f"[[{text}]]"))

    assert (cell, type(cell)) == (expected, type(expected))


def test_rows_can_be_read_again() -> None:
    """Nothing is used up by the first reading."""
    rows = parse_table(table('[["x"], [null], [true]]'))["rows"]

    assert list(rows) == list(rows) == [["x"], [None], [True]]


def test_half_a_surrogate_pair_in_a_cell_is_read() -> None:
    """As in a document."""
    assert rows_of(table('[[1], ["\\ud800"]]')) == [[1], ["\ud800"]]


@pytest.mark.parametrize("rows", ["[[NaN]]", "[[1], [-Infinity]]"])
def test_cell_that_is_a_constant_and_no_number_is_refused(rows: str) -> None:
    """In the words for a document."""
    with pytest.raises(UnexpectedResponseError, match="which is no number"):
        rows_of(table(rows))


@pytest.mark.parametrize("rows", ["[[1], [1 2]]", "[[1e99999999999999999999999]]", f"[[{'9' * 5000}]]", '[["\\q"]]'])
def test_row_that_is_no_json_is_refused(rows: str) -> None:
    """However late it comes."""
    with pytest.raises(UnexpectedResponseError, match="it is not JSON, or was cut off"):
        rows_of(table(rows))


@pytest.mark.parametrize("rows", ["[[1], [1, 2]]", "[[]]", "[1]", '["x"]', '[{"a": 1}]', "[null]"])
def test_row_that_does_not_fit_the_columns_is_refused(rows: str) -> None:
    """Too long, too short, or no list."""
    with pytest.raises(UnexpectedResponseError, match="its “rows” do not fit its columns"):
        rows_of(table(rows))


@pytest.mark.parametrize(
    "body",
    [b"[]", b"null", b'{"rows": []}', table("{}"), table("[]", columns="null"), b'{"detail": "Not Found"}'],
)
def test_document_of_another_shape_is_handed_on_whole(body: bytes) -> None:
    """Its reader says what is wrong with it."""
    assert parse_table(body) == json.loads(body)
