"""From answers' documents to dataclasses: exact, and refused where a figure would have to be guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core.amounts import CURRENCIES
from elevenlabs_sync.payloads import (
    read_usage,
)
from elevenlabs_sync.tabular import is_storable
from syncing.errors import UnexpectedResponseError
from syncing.reader import UsageRow
from tests.elevenlabs_sync.tables import KEY_HASH, UNITS, answer, cells

DAY = date(2026, 9, 20)


def read(
    *rows: Mapping[str, Any], units: Mapping[str, str | None] = UNITS, without: tuple[str, ...] = ()
) -> list[UsageRow]:
    return read_usage(answer(rows, units=units, without=without), first=DAY, last=DAY)


# --- Usage: one row ---------------------------------------------------------------------------------------------------


def test_row_is_read_whole() -> None:
    """Each figure lands in its field, in its own unit."""
    [row] = read(cells())

    assert row == UsageRow(
        external_id=KEY_HASH,
        key_name="Support line",
        day=DAY,
        model="eleven_multilingual_v2",
        credits=Decimal(1000),
        minutes=Decimal("1.5"),
        requests=10,
        cost=Decimal("0.3"),
        currency="usd",
    )


def test_sample_of_the_reference_is_read() -> None:
    """An answer without money, minutes and requests has those unknown."""
    units = {"timestamp": None, "hashed_xi_api_key": None, "model": None, "credits_used": "credits"}
    [row] = read(cells(credits_used="42"), units=units)

    assert (row.credits, row.minutes, row.requests, row.cost, row.currency) == (Decimal(42), None, None, None, "")


def test_null_cost_is_unknown_and_has_no_currency() -> None:
    """What is not priced yet is not free."""
    [row] = read(cells(total_cost=None))

    assert row.cost is None
    assert row.currency == ""


def test_cost_of_zero_is_known() -> None:
    """A free-tier day costs nothing, in the currency."""
    [row] = read(cells(total_cost=0))

    assert row.cost == 0
    assert row.currency == "usd"


@pytest.mark.parametrize("hash_", [None, ""])
def test_usage_without_a_key_has_no_hash(hash_: str | None) -> None:
    """Null and empty both mean: used without a key."""
    [row] = read(cells(hashed_xi_api_key=hash_, api_key_name=None))

    assert row.external_id is None
    assert row.key_name == ""


def test_missing_display_name_column_leaves_names_empty() -> None:
    """Display names are optional."""
    [row] = read(cells(), without=("api_key_name",))

    assert row.key_name == ""


@pytest.mark.parametrize("name", [7, None, ["x"], True])
def test_display_name_that_is_no_text_is_empty(name: Any) -> None:
    """A display name never fails a sync."""
    [row] = read(cells(api_key_name=name))

    assert row.key_name == ""


def test_display_name_is_made_storable() -> None:
    """NUL and lone surrogates are replaced, and a name of megabytes is cut."""
    [row] = read(cells(api_key_name="a\0b\ud800" + "c" * 5000))

    assert is_storable(row.key_name)
    assert len(row.key_name) == 200


@pytest.mark.parametrize("name", ["<b>x</b>", '=HYPERLINK("http://x")', "名前"])
def test_display_name_is_kept_as_it_is(name: str) -> None:
    """Escaping is the business of who shows it."""
    [row] = read(cells(api_key_name=name))

    assert row.key_name == name


@pytest.mark.parametrize("unit", sorted(CURRENCIES))
def test_currency_is_the_unit_of_the_cost(unit: str) -> None:
    """Each known currency is taken from the column's unit."""
    [row] = read(cells(), units={**UNITS, "total_cost": unit.upper()})

    assert row.currency == unit


@pytest.mark.parametrize("missing", ["timestamp", "hashed_xi_api_key", "model"])
def test_missing_group_or_time_column_is_refused(missing: str) -> None:
    """Without what identifies a row nothing is guessed."""
    with pytest.raises(UnexpectedResponseError, match=f"column {missing} is missing"):
        read(cells(), without=(missing,))


def test_missing_credits_are_refused() -> None:
    """Credits are what this endpoint is for."""
    with pytest.raises(UnexpectedResponseError, match="hold credits"):
        read(cells(), without=("total_usage",))


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("total_usage", "usd"),
        ("total_usage", None),
        ("total_minutes", "s"),
        ("total_minutes", None),
        ("total_cost", "chf"),
        ("total_cost", None),
        ("usage_count", "credits"),
    ],
)
def test_column_of_another_unit_is_refused_and_named(column: str, unit: str | None) -> None:
    """A figure of another unit is not the figure."""
    with pytest.raises(UnexpectedResponseError, match=column):
        read(cells(), units={**UNITS, column: unit})


@pytest.mark.parametrize("column", ["total_usage", "total_minutes", "total_cost", "usage_count"])
@pytest.mark.parametrize(
    "cell",
    [
        "-1",
        True,
        "much",
        Decimal("1e400"),
        "1e400",
        Decimal("1e9999999"),
        Decimal("1e99999999999"),
        10**4000,
        "1" * 2000,
    ],
    ids=str,
)
def test_figure_that_can_not_be_true_is_refused_and_named(column: str, cell: Any) -> None:
    """Negative, absurd and non-numeric figures never become a row."""
    with pytest.raises(UnexpectedResponseError, match=f"column {column} holds"):
        read(cells(**{column: cell}))


def test_largest_storable_figures_are_taken() -> None:
    """Nothing but storage – 64 bits at each figure's scale – bounds a figure: ₹1,000,000 a day is conceivable."""
    largest = {
        "total_usage": "922337203685477.5807",
        "total_minutes": "9223372036854.775807",
        "usage_count": 9_223_372_036_854_775_807,
        "total_cost": "922337203.6854775807",
    }
    [row] = read(cells(**largest))

    assert [str(row.credits), str(row.minutes), row.requests, str(row.cost)] == list(largest.values())


@pytest.mark.parametrize(
    ("column", "beyond"),
    [
        ("total_usage", "922337203685477.5808"),
        ("total_minutes", "9223372036854.775808"),
        ("usage_count", "9223372036854775808"),
        ("total_cost", "922337203.6854775808"),
    ],
)
def test_figure_that_storage_can_not_hold_is_refused(column: str, beyond: str) -> None:
    """The sentence names the column and the bound."""
    with pytest.raises(
        UnexpectedResponseError, match=rf"column {column} holds more than the 9[\d,.]+ that can be stored"
    ):
        read(cells(**{column: beyond}))


def test_figures_whose_sum_storage_can_not_hold_are_refused() -> None:
    """The sums of an answer's rows are stored as well."""
    rows = [cells(model=model, total_cost="500000000") for model in ("one", "another")]

    with pytest.raises(UnexpectedResponseError, match=r"column total_cost adds up to more than the 922,337,203\.685"):
        read(*rows)


@pytest.mark.parametrize("count", ["1.5", Decimal("0.000001")])
def test_requests_are_whole(count: Any) -> None:
    """Half a request is a misunderstanding."""
    with pytest.raises(UnexpectedResponseError, match="column usage_count holds a number of requests"):
        read(cells(usage_count=count))


@pytest.mark.parametrize("count", [Decimal("7.0"), "7.00", "7e0"])
def test_whole_requests_may_be_written_as_decimals(count: Any) -> None:
    """7.0 requests are 7."""
    [row] = read(cells(usage_count=count))

    assert row.requests == 7


def test_id_with_nul_is_refused() -> None:
    """An id that no database holds is refused, not repaired: it identifies."""
    with pytest.raises(UnexpectedResponseError, match="column model"):
        read(cells(model="a\0b"))


# --- Usage: rounding --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cost", "stored"),
    [
        ("0.00000000005", "0E-10"),
        ("0.00000000015", "2E-10"),
        ("0.00000000025", "2E-10"),
        ("0.000000000250000000000000000001", "3E-10"),
        ("0.123456789012345678901234567890", "0.1234567890"),
        ("0.12345678985000000000", "0.1234567898"),
    ],
)
def test_surplus_digits_are_rounded_half_even(cost: str, stored: str) -> None:
    """A figure with more digits than are stored is rounded to the nearest, ties to the even digit."""
    [row] = read(cells(total_cost=cost))

    assert row.cost == Decimal(stored)


def test_rounding_happens_once_after_adding_up() -> None:
    """Two halves of the last digit are one of it; rounding each first would lose both."""
    [row] = read(cells(total_cost="0.00000000005"), cells(total_cost="0.00000000005"))

    assert row.cost == Decimal("0.0000000001")


def test_figures_have_the_digits_of_their_scale() -> None:
    """What is returned needs no further rounding to be stored."""
    [row] = read(cells(total_usage="1.00005", total_minutes="2.0000005", total_cost="3.00000000005"))

    assert [str(row.credits), str(row.minutes), str(row.cost)] == ["1.0000", "2.000000", "3.0000000000"]
