"""Which endpoint tells what of a workspace that is billed by cost, moved there, or billed in credits."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from elevenlabs_sync.simulator import (
    Billing,
    Cost,
    Credits,
    Moved,
    SimulatedWorkspace,
    SimulatorServer,
    Totals,
    billing,
)
from elevenlabs_sync.simulator.routes import COST_PATH
from tests.simulation.calls import TODAY, exact, post_cost, post_usage, records, usage_body, within

START, END = date(2026, 8, 1), date(2026, 9, 1)
MOVE = date(2026, 8, 11)
TOMORROW = TODAY + timedelta(days=1)
ONE_KEY = {"column": "hashed_xi_api_key", "operation": "eq", "values": ["0"]}

Serve = Callable[[Billing], SimulatorServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server for a workspace that is billed in this way."""
    servers = []

    def start(billed: Billing) -> SimulatorServer:
        server = SimulatorServer(SimulatedWorkspace(TODAY, billing=billed))
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


def days_of(rows: list[dict[str, object]]) -> list[str]:
    return sorted({str(row["timestamp"])[:10] for row in rows})


def test_cost_has_its_own_columns(serve: Serve) -> None:
    """Groups, time, cost in the currency and the billed quantity come, the display name last, and nothing else."""
    document = post_cost(serve(Cost()), usage_body(START, END)).json()

    assert document["columns"] == [
        "hashed_xi_api_key", "model", "timestamp", "total_cost", "total_charge_count", "api_key_name",
    ]  # fmt: skip
    assert document["column_types"] == ["String", "String", "DateTime", "Float", "Float", "String"]
    assert document["column_units"] == [None, None, None, "usd", None, None]


def test_cost_of_the_answer_equals_the_truth_exactly(serve: Serve) -> None:
    """Each row of the truth, which is that of a workspace billed in credits, is found under its key, model and day."""
    server = serve(Cost())

    rows = within(records(exact(post_cost(server, usage_body(START, END)))), START, END)

    told = {
        (row["hashed_xi_api_key"], row["model"], row["timestamp"][:10]): row["total_cost"]
        for row in rows
        if row["total_charge_count"]
    }
    assert told == {
        (row.key_hash, row.model, row.day.isoformat()): row.cost for row in SimulatedWorkspace(TODAY).rows(START, END)
    }


def test_unpriced_cost_is_null(serve: Serve) -> None:
    """Today's cost is null at this endpoint, too."""
    body = usage_body(TODAY, TOMORROW, group_by=[])

    (today,) = within(records(exact(post_cost(serve(Cost()), body))), TODAY, TOMORROW)

    assert today["total_cost"] is None
    assert today["total_charge_count"] > 0


@pytest.mark.parametrize("range_", [(START, END), (date(2021, 1, 1), date(2021, 2, 1)), (TODAY, TOMORROW)])
def test_usage_over_time_refuses_a_cost_billed_workspace(serve: Serve, range_: tuple[date, date]) -> None:
    """Whatever the range, the answer is an error that names the other endpoint."""
    response = post_usage(serve(Cost()), usage_body(*range_))

    assert response.status_code == 400
    assert COST_PATH in response.json()["detail"]["message"]


@pytest.mark.parametrize("billed", [Credits(), Moved(TOMORROW)])
def test_cost_refuses_a_workspace_billed_in_credits(serve: Serve, billed: Billing) -> None:
    """Without a day billed by cost, and before a move that is yet to come, the cost endpoint is an error."""
    response = post_cost(serve(billed), usage_body(START, END))

    assert response.status_code == 400
    assert "credits" in response.json()["detail"]["message"]


def test_before_the_move_usage_is_told(serve: Serve) -> None:
    """A range that ends at the move is answered as ever, without a bucket for the day of the move."""
    truth = SimulatedWorkspace(TODAY).totals(START, MOVE)

    response = post_usage(serve(Moved(MOVE)), usage_body(START, MOVE))

    rows = records(exact(response))
    assert days_of(rows)[-1] == "2026-08-10"
    assert sum(row["total_usage"] for row in rows) == truth.credits
    assert sum(row["total_cost"] for row in rows) == truth.cost


@pytest.mark.parametrize("range_", [(START, END), (START, MOVE + timedelta(days=1)), (MOVE, END), (END, TODAY)])
def test_usage_over_time_refuses_ranges_that_reach_the_move(serve: Serve, range_: tuple[date, date]) -> None:
    """As soon as a part of the day of the move or a later one is asked for, it is an error."""
    response = post_usage(serve(Moved(MOVE)), usage_body(*range_))

    assert response.status_code == 400


@pytest.mark.parametrize(("billed", "status"), [(Moved(MOVE), 200), (Moved(MOVE, end_reaches=True), 400)])
def test_an_end_at_the_move_may_reach_it(serve: Serve, billed: Billing, status: int) -> None:
    """Whether an exclusive end reaches the day that it begins is a choice, as it is not documented."""
    server = serve(billed)

    at_the_move = post_usage(server, usage_body(START, MOVE))
    a_day_before = post_usage(server, usage_body(START, MOVE - timedelta(days=1)))

    assert (at_the_move.status_code, a_day_before.status_code) == (status, 200)


def test_the_end_of_a_day_before_the_move_does_not_reach_it(serve: Serve) -> None:
    """A range that ends in the last second before the move is answered, and one millisecond after it is not."""
    server = serve(Moved(MOVE))
    end = int(usage_body(START, MOVE)["end_time"])  # type: ignore[call-overload]

    statuses = [
        post_usage(server, usage_body(START, MOVE, end_time=time)).status_code for time in (end - 1000, end, end + 1)
    ]

    assert statuses == [200, 200, 400]


def test_cost_leaves_out_days_before_the_move(serve: Serve) -> None:
    """The answer to a range across the move silently begins with the move."""
    response = post_cost(serve(Moved(MOVE)), usage_body(START, END))

    rows = within(records(exact(response)), START, END)
    assert days_of(rows)[0] == MOVE.isoformat()
    assert sum(row["total_cost"] for row in rows) == SimulatedWorkspace(TODAY).totals(MOVE, END).cost


def test_cost_before_the_move_is_an_empty_table(serve: Serve) -> None:
    """A range before the move alone is answered with columns and no row."""
    document = post_cost(serve(Moved(MOVE)), usage_body(date(2026, 7, 1), START)).json()

    assert document["rows"] == []
    assert "total_cost" in document["columns"]


def test_both_endpoints_together_tell_the_whole_truth(serve: Serve) -> None:
    """Credits before the move and cost on both sides add up to what `totals` says is knowable."""
    server = serve(Moved(MOVE))
    truth = server.current_workspace().totals(START, END)

    before = records(exact(post_usage(server, usage_body(START, MOVE))))
    after = within(records(exact(post_cost(server, usage_body(MOVE, END)))), MOVE, END)

    assert sum(row["total_usage"] for row in before) == truth.credits
    assert sum(row["usage_count"] for row in before) == truth.requests
    assert sum(row["total_cost"] for row in before + after) == truth.cost


def test_rows_know_no_credits_from_the_move_on() -> None:
    """Credits, minutes and requests are None exactly on days billed by cost; cost stays."""
    rows = list(SimulatedWorkspace(TODAY, billing=Moved(MOVE)).rows(START, END))

    unmetered = {row.day for row in rows if (row.credits, row.minutes, row.requests) == (None, None, None)}

    assert unmetered == {row.day for row in rows if row.day >= MOVE}
    assert [row.cost for row in rows] == [row.cost for row in SimulatedWorkspace(TODAY).rows(START, END)]


def test_totals_tell_unknown_from_zero() -> None:
    """Sums are of what is known: None where rows exist and none is known, 0 where there is none at all."""
    moved = SimulatedWorkspace(TODAY, billing=Moved(MOVE))
    plain = SimulatedWorkspace(TODAY)

    across, after, nothing = (
        moved.totals(*days) for days in ((START, END), (MOVE, END), (date(2020, 1, 1), date(2020, 2, 1)))
    )

    assert (across.credits, across.cost) == (plain.totals(START, MOVE).credits, plain.totals(START, END).cost)
    assert across.unmetered_rows == after.unmetered_rows == len(list(plain.rows(MOVE, END)))
    assert (after.credits, after.minutes, after.requests) == (None, None, None)
    assert nothing == Totals(Decimal(0), Decimal(0), 0, Decimal(0), unpriced_rows=0)
    assert plain.totals(START, END).unmetered_rows == 0


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"interval_seconds": None}, ["body", "interval_seconds"]),
        ({"interval_seconds": 60}, ["body", "interval_seconds"]),
        ({"interval_seconds": 90_000}, ["body", "interval_seconds"]),
        ({"interval_seconds": 86_400.0}, ["body", "interval_seconds"]),
        ({"interval_seconds": 604_800}, ["body", "interval_seconds"]),
        ({"start_time": 0}, ["body", "start_time"]),
        ({"group_by": ["voice_id"]}, ["body", "group_by", 0]),
        ({"filters": [{"column": "model", "operation": "ge", "values": ["a"]}]}, ["body", "filters", 0]),
    ],
)
def test_a_bad_query_of_cost_is_refused_where_it_is_bad(
    serve: Serve, change: dict[str, object], where: list[object]
) -> None:
    """422 in the validation shape names the place of the mistake."""
    response = post_cost(serve(Cost()), usage_body(START, END, **change))

    (problem,) = response.json()["detail"]
    assert (response.status_code, problem["loc"]) == (422, where)


@pytest.mark.parametrize(
    ("group_by", "filters", "status"),
    [
        (["hashed_xi_api_key", "model", "fiat_currency"], [], 200),
        (["hashed_xi_api_key", "product_type"], [], 400),
        (["hashed_xi_api_key", "product_type"], [ONE_KEY], 200),
        (["hashed_xi_api_key", "product_type"], [{**ONE_KEY, "operation": "in"}], 200),
        (["hashed_xi_api_key", "product_type"], [{**ONE_KEY, "operation": "neq"}], 400),
        (["hashed_xi_api_key", "product_type"], [{**ONE_KEY, "column": "model"}], 400),
        (["hashed_xi_api_key"], [{**ONE_KEY, "column": "product_type", "operation": "not_in"}], 200),
        (["hashed_xi_api_key", "reporting_workspace_id"], [{**ONE_KEY, "column": "product_type"}], 400),
    ],
)
def test_cost_takes_two_of_the_limited_columns_at_most(
    serve: Serve, group_by: list[str], filters: list[object], status: int
) -> None:
    """Two may be used, and grouped by only with a filter that chooses one; the rest can always be added."""
    response = post_cost(serve(Cost()), usage_body(START, END, group_by=group_by, filters=filters))

    assert response.status_code == status


def test_constant_columns_can_be_grouped_by(server: SimulatorServer, workspace: SimulatedWorkspace) -> None:
    """The reporting workspace and the currency are the same in every row."""
    body = usage_body(START, END, group_by=["reporting_workspace_id", "fiat_currency"])

    rows = within(records(exact(post_usage(server, body))), START, END)

    assert {(row["reporting_workspace_id"], row["fiat_currency"]) for row in rows} == {(workspace.workspace_id, "usd")}
    assert sum(row["total_usage"] for row in rows) == workspace.totals(START, END).credits


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("credits", Credits()),
        ("cost", Cost()),
        ("moved", Moved(MOVE)),
        ("moved:2026-06-01", Moved(date(2026, 6, 1))),
    ],
)
def test_billing_has_names(text: str, meant: Billing) -> None:
    """The command line's words stand for the ways of being billed."""
    assert billing.by_name(text, moved_on=MOVE) == meant


@pytest.mark.parametrize("text", ["", "money", "moved:", "moved:tomorrow", "cost:2026-06-01"])
def test_other_billing_names_are_refused(text: str) -> None:
    """A word that means nothing is an error."""
    with pytest.raises(ValueError, match=r"isoformat|none of"):
        billing.by_name(text, moved_on=MOVE)
