"""Reading single cells and columns of tabular answers."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from elevenlabs_sync.tabular import Column, Table, is_storable
from syncing.errors import UnexpectedResponseError
from tests.elevenlabs_sync.tables import answer

LONGEST_ID = "i" * 200


def column(name: str = "total_cost", unit: str | None = "usd") -> Column:
    return Column(name, 0, unit)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (0, "0"),
        (7, "7"),
        (Decimal("0.015"), "0.015"),
        ("0.015", "0.015"),
        ("12", "12"),
        ("1e-3", "0.001"),
        ("1.5E+2", "150"),
        (Decimal("0.123456789012345678901234567890"), "0.123456789012345678901234567890"),
        ("0.123456789012345678901234567890", "0.123456789012345678901234567890"),
        (10**40, "1" + "0" * 40),
        ("-0", "0"),
        (Decimal("-0.0"), "0"),
    ],
)
def test_number_is_exact(cell: Any, expected: str) -> None:
    """A number is read with every digit, be it a JSON number or a decimal string."""
    assert column().number([cell]) == Decimal(expected)


def test_null_is_unknown_and_not_zero() -> None:
    """A null cell is None."""
    assert column().number([None]) is None


@pytest.mark.parametrize(
    "cell",
    [
        True,
        False,
        "",
        " 1",
        "1 ",
        "1,5",
        "1_000",
        "0x10",
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "inf",
        "sNaN",
        "1e",
        ".5",
        "5.",
        "1e9999999",
        "١٢",  # Arabic-Indic digits
        "1\n",
        [1],
        {"value": 1},
        0.5,
    ],
)
def test_what_is_no_number_is_refused_with_the_column_named(cell: Any) -> None:
    """Booleans, words, other digits and containers are refused."""
    with pytest.raises(UnexpectedResponseError, match="column total_cost holds something that is no number"):
        column().number([cell])


@pytest.mark.parametrize("cell", [-1, "-0.0001", Decimal("-1e-30"), "-1e400"])
def test_negative_numbers_are_refused(cell: Any) -> None:
    """A negative figure is refused, however small."""
    with pytest.raises(UnexpectedResponseError, match="column total_cost holds a negative number"):
        column().number([cell])


@pytest.mark.parametrize("cell", ["", LONGEST_ID, "=HYPERLINK(1)", "<b>x</b>", "  spaced  ", "名前"])
def test_identity_is_kept_as_reported(cell: str) -> None:
    """An id is neither trimmed nor changed."""
    assert column("model", None).identity([cell]) == cell


def test_identity_of_null_is_empty() -> None:
    """No id is the empty text."""
    assert column("model", None).identity([None]) == ""


@pytest.mark.parametrize("cell", [LONGEST_ID + "i", "a\0b", "\ud800", "a\udfffb", 7, True, ["id"]])
def test_identity_that_no_database_holds_is_refused(cell: Any) -> None:
    """NUL, lone surrogates, too much text and other types are refused with the column named."""
    with pytest.raises(UnexpectedResponseError, match="column model holds"):
        column("model", None).identity([cell])


@pytest.mark.parametrize(
    ("cell", "unit"),
    [
        ("2026-09-20T00:00:00Z", None),
        ("2026-09-20T00:00:00+00:00", None),
        ("2026-09-20T00:00:00.000Z", None),
        ("2026-09-20T00:00:00", None),
        ("2026-09-20", None),
        ("2026-09-20T02:00:00+02:00", None),
        ("2026-09-19T19:00:00-05:00", None),
        (1_789_862_400_000, "ms"),
        ("1789862400000", "ms"),
        ("2026-09-20T00:00:00Z", "ms"),
    ],
)
def test_day_is_the_utc_day_that_begins_at_the_timestamp(cell: Any, unit: str | None) -> None:
    """ISO 8601 with any offset, and milliseconds where the unit says so, name the same UTC day."""
    assert column("timestamp", unit).day([cell]) == date(2026, 9, 20)


def test_day_knows_february_29() -> None:
    """The leap day is a day."""
    assert column("timestamp", None).day(["2028-02-29T00:00:00Z"]) == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("cell", "unit"),
    [
        ("2026-09-20T00:00:01Z", None),
        ("2026-09-20T00:00:00.000001Z", None),
        ("2026-09-19T23:59:59.999999Z", None),
        ("2026-09-20T00:00:00+02:00", None),
        ("2026-02-29T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        (1_789_862_400_000, None),
        (1_789_862_400, "ms"),
        (1_789_862_400_001, "ms"),
        (1_789_862_399_999, "ms"),
        (Decimal("1789862400000.0"), "ms"),
        (True, "ms"),
        (None, "ms"),
        (10**30, "ms"),
        ("9" * 400, "ms"),
        (-(10**30), "ms"),
        ("0001-01-01T00:00:00+23:59", None),
        (["2026-09-20"], None),
    ],
)
def test_timestamp_that_begins_no_utc_day_is_refused(cell: Any, unit: str | None) -> None:
    """A moment that is not midnight UTC, or no moment, is refused with the column named."""
    with pytest.raises(UnexpectedResponseError, match="column timestamp holds a timestamp that is not"):
        column("timestamp", unit).day([cell])


def test_columns_are_found_by_name() -> None:
    """The position of a column comes from the answer."""
    table = Table.of({"columns": ["b", "a"], "column_units": [None, "USD"], "rows": [[1, 2]]})

    assert table.needed("a").number(next(iter(table.rows))) == 2
    assert table.needed("b").number(next(iter(table.rows))) == 1


def test_units_are_lower_case() -> None:
    """A unit in capitals is the same unit."""
    table = Table.of({"columns": ["a"], "column_units": ["USD"], "rows": []})

    assert table.needed("a").unit == "usd"


def test_missing_needed_column_is_named() -> None:
    """The sentence says which column is missing."""
    with pytest.raises(UnexpectedResponseError, match="column timestamp is missing"):
        Table.of(answer(without=["timestamp"])).needed("timestamp")


def test_missing_optional_column_is_none() -> None:
    """An optional column may be absent."""
    assert Table.of(answer(without=["total_cost"])).optional("total_cost", units={"usd"}) is None


@pytest.mark.parametrize("unit", ["chf", "credits", None, ""])
def test_optional_column_of_another_unit_is_refused(unit: str | None) -> None:
    """A column that is there must have one of the expected units."""
    table = Table.of(answer(units={"total_cost": unit}))

    with pytest.raises(UnexpectedResponseError, match="column total_cost has the unit"):
        table.optional("total_cost", units={"usd", "eur"})


def test_column_of_a_unit_is_found_under_either_known_name() -> None:
    """The reference's own sample calls the credits something else than the live service."""
    table = Table.of(answer(units={"timestamp": None, "credits_used": "credits"}))

    assert table.by_unit("credits", names=("total_usage", "credits_used")).name == "credits_used"


def test_known_name_with_another_unit_is_refused() -> None:
    """A figure under the known name is not taken when it counts something else."""
    table = Table.of(answer(units={"total_usage": "usd", "other": "credits"}))

    with pytest.raises(UnexpectedResponseError, match="column total_usage has the unit usd"):
        table.by_unit("credits", names=("total_usage", "credits_used"))


def test_only_column_of_the_unit_is_taken_under_any_name() -> None:
    """A renamed column is still told by its unit."""
    table = Table.of(answer(units={"spent": "credits", "total_cost": "usd"}))

    assert table.by_unit("credits", names=("total_usage",)).name == "spent"


@pytest.mark.parametrize("units", [{"a": "credits", "b": "credits"}, {"a": "usd"}, {}])
def test_unit_that_no_column_or_several_have_is_refused(units: dict[str, str | None]) -> None:
    """Nothing is guessed."""
    with pytest.raises(UnexpectedResponseError, match="no column can be told to hold credits"):
        Table.of(answer(units=units)).by_unit("credits", names=("total_usage",))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        7,
        {},
        {"columns": ["a"], "rows": []},
        {"columns": ["a"], "column_units": [None]},
        {"columns": "a", "column_units": [None], "rows": []},
        {"columns": [7], "column_units": [None], "rows": []},
        {"columns": ["a", "a"], "column_units": [None, None], "rows": []},
        {"columns": ["a"], "column_units": [7], "rows": []},
        {"columns": ["a"], "column_units": [], "rows": []},
        {"columns": ["a"], "column_units": [None], "rows": {}},
        {"columns": ["a"], "column_units": [None], "rows": [1]},
        {"columns": ["a"], "column_units": [None], "rows": [[]]},
        {"columns": ["a"], "column_units": [None], "rows": [[1, 2]]},
        {"detail": {"status": "error", "message": "sent with HTTP 200"}},
    ],
)
def test_document_of_another_shape_is_refused(document: Any) -> None:
    """Whatever is not three lists that fit each other is no table."""
    with pytest.raises(UnexpectedResponseError):
        Table.of(document)


def test_moment_equal_to_one_already_read_is_examined_still() -> None:
    """False is equal to 0, and no moment, whatever the rows before it hold."""
    timestamp = column("timestamp", "ms")

    epoch = timestamp.day([0])

    assert epoch == date(1970, 1, 1)
    with pytest.raises(UnexpectedResponseError):
        timestamp.day([False])


def test_refusal_quotes_neither_long_nor_unstorable_text() -> None:
    """A column's name and unit come from outside: the sentence about them can be stored and shown."""
    name, unit = "\0" + "\ud800" + "n" * 5000, "\0" + "u" * 5000
    table = Table.of(answer([{name: -1}], units={name: "credits"}))
    found = table.by_unit("credits", names=("total_usage",))

    with pytest.raises(UnexpectedResponseError) as negative:
        found.number(next(iter(table.rows)))
    with pytest.raises(UnexpectedResponseError) as other_unit:
        Table.of(answer(units={"total_cost": unit})).optional("total_cost", units={"usd"})

    for sentence in (str(negative.value), str(other_unit.value)):
        assert is_storable(sentence)
        assert len(sentence) < 500
