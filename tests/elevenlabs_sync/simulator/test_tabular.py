"""The tabular usage answer: its columns, its sums, its surprises, and what it refuses."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from elevenlabs_sync.simulator import SimulatedWorkspace, SimulatorServer
from tests.simulation.calls import (
    BY_KEY_AND_MODEL,
    TODAY,
    exact,
    milliseconds,
    post_usage,
    records,
    usage_body,
    within,
)

START, END = date(2026, 8, 1), date(2026, 9, 1)


def test_columns_types_and_units_are_those_recorded_live(server: SimulatorServer) -> None:
    """By key and model the columns come as the live service sent them, the display name last."""
    document = post_usage(server, usage_body(START, END)).json()

    assert document["columns"] == [
        "hashed_xi_api_key",
        "model",
        "timestamp",
        "total_usage",
        "total_minutes",
        "total_cost",
        "usage_count",
        "total_charge_count",
        "api_key_name",
    ]
    assert document["column_types"] == [
        "String", "String", "DateTime", "Int", "Float", "Float", "Int", "Float", "String",
    ]  # fmt: skip
    assert document["column_units"] == [None, None, None, "credits", "min", "usd", None, None, None]


def test_sums_of_the_answer_equal_the_truth_exactly(server: SimulatorServer, workspace: SimulatedWorkspace) -> None:
    """A year by key and model adds up to the totals, to the last digit."""
    truth = workspace.totals(workspace.first_day, TODAY)

    response = post_usage(server, usage_body(workspace.first_day, TODAY))

    rows = within(records(exact(response)), workspace.first_day, TODAY)
    assert sum(Decimal(row["total_usage"]) for row in rows) == truth.credits
    assert sum(Decimal(row["total_minutes"]) for row in rows) == truth.minutes
    assert sum(row["usage_count"] for row in rows) == truth.requests
    assert sum(Decimal(row["total_cost"]) for row in rows if row["total_cost"] is not None) == truth.cost
    assert sum(row["total_cost"] is None for row in rows) == truth.unpriced_rows


def test_every_row_is_in_the_answer(server: SimulatorServer, workspace: SimulatedWorkspace) -> None:
    """Each row of the truth is found under its key, model and day."""
    response = post_usage(server, usage_body(START, END))

    told = {
        (row["hashed_xi_api_key"], row["model"], row["timestamp"]): (row["api_key_name"], row["total_cost"])
        for row in within(records(exact(response)), START, END)
        if row["usage_count"]
    }
    assert told == {
        (row.key_hash, row.model, f"{row.day}T00:00:00Z"): (row.key_name, row.cost)
        for row in workspace.rows(START, END)
    }


@pytest.mark.parametrize("group_by", [[], ["model"], ["product_type", "hashed_xi_api_key"], None])
def test_any_grouping_adds_up_to_the_same(
    server: SimulatorServer, workspace: SimulatedWorkspace, group_by: list[str] | None
) -> None:
    """Whatever the grouping, the credits of the window are the same."""
    truth = workspace.totals(START, END)

    document = exact(post_usage(server, usage_body(START, END, group_by=group_by)))

    assert document["columns"][: len(group_by or [])] == (group_by or [])
    assert ("api_key_name" in document["columns"]) == ("hashed_xi_api_key" in (group_by or []))
    assert sum(row["total_usage"] for row in within(records(document), START, END)) == truth.credits


def test_a_bucket_starts_exactly_at_the_end(server: SimulatorServer, workspace: SimulatedWorkspace) -> None:
    """The answer goes one bucket too far and that bucket holds usage, so a client that keeps it counts too much."""
    body = usage_body(START, END, group_by=[])

    rows = records(exact(post_usage(server, body)))

    surplus = [row for row in rows if row["timestamp"] == "2026-09-01T00:00:00Z"]
    assert [row["total_usage"] for row in surplus] == [workspace.totals(END, END + timedelta(days=1)).credits]


def test_empty_buckets_come_as_zeros(server: SimulatorServer) -> None:
    """A day without usage of a group that occurs elsewhere has a row of zeros with cost 0."""
    body = usage_body(START, END)

    rows = records(exact(post_usage(server, body)))

    empty = [row for row in rows if row["usage_count"] == 0]
    assert empty
    assert {(row["total_usage"], row["total_minutes"], row["total_cost"]) for row in empty} == {(0, 0, 0)}


def test_unpriced_usage_has_a_null_cost(server: SimulatorServer) -> None:
    """Today's cost is null, also in a sum over keys and models."""
    body = usage_body(TODAY, TODAY + timedelta(days=1), group_by=[])

    today = records(exact(post_usage(server, body)))[0]

    assert today["total_usage"] > 0
    assert today["total_cost"] is None


def test_a_window_outside_the_history_has_no_rows(server: SimulatorServer) -> None:
    """Before the workspace existed there is nothing, not even zeros."""
    body = usage_body(date(2021, 1, 1), date(2021, 2, 1))

    document = exact(post_usage(server, body))

    assert document["rows"] == []
    assert document["columns"]


@pytest.mark.parametrize(
    ("operation", "values", "kept"),
    [
        ("eq", ["scribe_v1"], lambda model: model == "scribe_v1"),
        ("in", ["scribe_v1", "eleven_v3"], lambda model: model in ("scribe_v1", "eleven_v3")),
        ("neq", ["scribe_v1"], lambda model: model != "scribe_v1"),
        ("not_in", ["scribe_v1", "eleven_v3"], lambda model: model not in ("scribe_v1", "eleven_v3")),
    ],
)
def test_filters_choose_rows(
    server: SimulatorServer,
    workspace: SimulatedWorkspace,
    operation: str,
    values: list[str],
    kept: Callable[[str], bool],
) -> None:
    """Each supported operation keeps what its name says."""
    filters = [{"column": "model", "operation": operation, "values": values}]

    rows = records(exact(post_usage(server, usage_body(START, END, filters=filters))))

    told = sum(row["total_usage"] for row in within(rows, START, END))
    assert told == sum(row.credits for row in workspace.used(START, END) if kept(row.model))


def test_keyless_usage_can_be_filtered_by_null(server: SimulatorServer, workspace: SimulatedWorkspace) -> None:
    """A null among the values means usage without a key."""
    filters = [{"column": "hashed_xi_api_key", "operation": "eq", "values": [None]}]

    rows = within(records(exact(post_usage(server, usage_body(START, END, filters=filters)))), START, END)

    assert {row["hashed_xi_api_key"] for row in rows} == {None}
    assert sum(row["total_usage"] for row in rows) == sum(
        row.credits for row in workspace.used(START, END) if row.key_hash is None
    )


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"start_time": None}, ["body", "start_time"]),
        ({"start_time": "1785542400000"}, ["body", "start_time"]),
        ({"start_time": True}, ["body", "start_time"]),
        ({"start_time": 1_577_836_799_999}, ["body", "start_time"]),
        ({"end_time": 10**18}, ["body", "end_time"]),
        ({"end_time": milliseconds(START)}, ["body", "end_time"]),
        ({"interval_seconds": 60}, ["body", "interval_seconds"]),
        ({"interval_seconds": 3600}, ["body", "interval_seconds"]),
        ({"time_zone": "Europe/Berlin"}, ["body", "time_zone"]),
        ({"group_by": "model"}, ["body", "group_by"]),
        ({"group_by": ["model", "colour"]}, ["body", "group_by", 1]),
        ({"group_by": [["model"]]}, ["body", "group_by", 0]),
        ({"filters": {}}, ["body", "filters"]),
        ({"filters": ["model"]}, ["body", "filters", 0]),
        ({"filters": [{"column": "model", "operation": "like", "values": []}]}, ["body", "filters", 0]),
        ({"filters": [{"column": "voice_id", "operation": "eq", "values": []}]}, ["body", "filters", 0]),
        ({"filters": [{"column": "model", "operation": "eq", "values": [1]}]}, ["body", "filters", 0]),
    ],
)
def test_a_bad_query_is_refused_where_it_is_bad(
    server: SimulatorServer, change: dict[str, object], where: list[object]
) -> None:
    """422 in the validation shape names the place of the mistake."""
    response = post_usage(server, usage_body(START, END, **change))

    (problem,) = response.json()["detail"]
    assert response.status_code == 422
    assert problem["loc"] == where
    assert {"loc", "msg", "type"} <= set(problem)


@pytest.mark.parametrize("body", [[], "text", 3, None])
def test_a_body_that_is_no_object_is_refused(server: SimulatorServer, body: Any) -> None:
    """A JSON body of another kind gets the same validation shape."""
    response = post_usage(server, body)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][0] == "body"


def test_an_interval_must_be_sent(server: SimulatorServer) -> None:
    """Without an interval the API's default of a minute applies, which the simulator does not serve."""
    body = usage_body(START, END)
    del body["interval_seconds"]

    response = post_usage(server, body)

    assert response.status_code == 422
    assert "60" in response.json()["detail"][0]["msg"]


def test_a_time_within_a_day_takes_the_whole_bucket(server: SimulatorServer) -> None:
    """A window from noon to noon has the buckets of both days, each from its midnight on."""
    noon = 12 * 3600 * 1000
    body = usage_body(START, END, group_by=[], start_time=milliseconds(START) + noon, end_time=milliseconds(END) + noon)

    rows = records(exact(post_usage(server, body)))

    assert rows[0]["timestamp"] == "2026-08-01T00:00:00Z"
    assert rows[-1]["timestamp"] == "2026-09-01T00:00:00Z"
    assert BY_KEY_AND_MODEL[0] not in rows[0]
