"""Ready-made drifts: each changes the table as its name says, and those that promise it keep the sums."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from elevenlabs_sync.simulator.routes import USAGE_PATH
from tests.simulation import EditedWorkspace, FaultySimulator, drift
from tests.simulation.calls import exact, post_usage, records, usage_body, within
from tests.simulation.faults import Fault

START, END = date(2026, 8, 1), date(2026, 8, 8)
BODY = usage_body(START, END)


def drifted(server: FaultySimulator, fault: Fault) -> Any:
    server.faults.add(USAGE_PATH, fault)
    return exact(post_usage(server, BODY))


@pytest.mark.parametrize(
    "fault",
    [
        drift.with_added_columns(),
        drift.with_added_columns(["one"]),
        drift.shuffled_columns(),
        drift.shuffled_columns(7),
        drift.shuffled_rows(),
        drift.split_rows(),
    ],
)
def test_harmless_drifts_keep_the_sums(server: FaultySimulator, workspace: EditedWorkspace, fault: Fault) -> None:
    """Found by name, added up by identity, the numbers are still the truth; the table itself is another."""
    ordinary = exact(post_usage(server, BODY))
    truth = workspace.totals(START, END)

    document = drifted(server, fault)

    rows = within(records(document), START, END)
    assert document != ordinary
    assert sum(row["total_usage"] for row in rows) == truth.credits
    assert sum(row["total_minutes"] for row in rows) == truth.minutes
    assert sum(row["usage_count"] for row in rows) == truth.requests
    assert sum(row["total_cost"] for row in rows) == truth.cost
    assert len({len(row) for row in [*document["rows"], *(document[name] for name in drift.DESCRIPTIONS)]}) == 1
    unit_of = dict(zip(document["columns"], document["column_units"], strict=True))
    assert (unit_of["total_usage"], unit_of["total_cost"]) == ("credits", "usd")


def test_split_rows_come_twice(server: FaultySimulator) -> None:
    """Every identity has two rows, and whole numbers stay whole."""
    ordinary = exact(post_usage(server, BODY))

    document = drifted(server, drift.split_rows())

    assert len(document["rows"]) == 2 * len(ordinary["rows"])
    assert {type(row["usage_count"]) for row in records(document)} == {int}


def test_without_money_no_currency_is_left(server: FaultySimulator) -> None:
    """Cost and billed quantity are gone, the rest is there."""
    document = drifted(server, drift.without_money())

    assert document["columns"] == [
        "hashed_xi_api_key", "model", "timestamp", "total_usage", "total_minutes", "usage_count", "api_key_name",
    ]  # fmt: skip
    assert "usd" not in document["column_units"]


def test_the_references_own_shape(server: FaultySimulator, workspace: EditedWorkspace) -> None:
    """Only credits are told, under their other name and as strings."""
    document = drifted(server, drift.like_the_reference())

    rows = within(records(document), START, END)
    assert document["columns"] == ["hashed_xi_api_key", "model", "timestamp", "credits_used"]
    assert document["column_units"][-1] == "credits"
    assert all(isinstance(row["credits_used"], str) for row in rows)
    assert sum(Decimal(row["credits_used"]) for row in rows) == workspace.totals(START, END).credits


def test_a_column_can_be_missing(server: FaultySimulator) -> None:
    """The named column is gone from all parts of the table."""
    document = drifted(server, drift.without("timestamp"))

    assert "timestamp" not in document["columns"]
    assert {len(row) for row in document["rows"]} == {len(document["columns"])}


def test_a_column_can_be_renamed(server: FaultySimulator) -> None:
    """The column stays where it was under another name."""
    document = drifted(server, drift.renamed("total_usage", "credits_spent"))

    assert document["columns"][3] == "credits_spent"


@pytest.mark.parametrize("unit", ["gbp", "credits", None, "doubloons"])
def test_a_column_can_have_another_unit(server: FaultySimulator, unit: str | None) -> None:
    """Only the unit of the named column is another."""
    document = drifted(server, drift.unit("total_cost", unit))

    assert document["column_units"] == [None, None, None, "credits", "min", unit, None, None, None]


def test_cells_can_have_any_value(server: FaultySimulator) -> None:
    """A value is put into every row, or into one."""
    every = drifted(server, drift.cells("total_cost", None))
    last = drifted(server, drift.cells("model", "<b>", -1))

    assert {row["total_cost"] for row in records(every)} == {None}
    assert [row["model"] for row in records(last)].count("<b>") == 1
    assert records(last)[-1]["model"] == "<b>"


@pytest.mark.parametrize("text", ["1e400000", "NaN", "-0.0e5", "[1,2]"])
def test_cells_can_have_any_text(server: FaultySimulator, text: str) -> None:
    """Text goes into the JSON as it stands."""
    server.faults.add(USAGE_PATH, drift.verbatim("total_cost", text, 0))

    answer = post_usage(server, BODY).text

    assert f",{text}," in answer


def test_rows_can_be_missing(server: FaultySimulator) -> None:
    """All rows or most of them are gone."""
    count = len(post_usage(server, BODY).json()["rows"])

    none, few = drifted(server, drift.without_rows()), drifted(server, drift.with_few_rows(10))

    assert none["rows"] == []
    assert none["columns"]
    assert len(few["rows"]) == -(-count // 10)


def test_times_can_be_milliseconds(server: FaultySimulator) -> None:
    """The unit tells that times are numbers, the first of which is the window's start."""
    document = drifted(server, drift.millisecond_timestamps())

    assert document["column_units"][2] == "ms"
    assert document["rows"][0][2] == BODY["start_time"]


def test_a_column_that_is_not_there_is_a_mistake_of_the_test(
    server: FaultySimulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A misspelt column is answered with 500 and logged, not passed over."""
    server.faults.add(USAGE_PATH, drift.without("total_costs"))

    response = post_usage(server, BODY)

    assert response.status_code == 500
    assert "total_costs" in caplog.text
