"""The old endpoint: one metric by at most one breakdown, with sums equal to the truth."""

from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from elevenlabs_sync.simulator import (
    RESTRICTED_API_KEY,
    USAGE_ONLY_API_KEY,
    Moved,
    SimulatedWorkspace,
    SimulatorServer,
    UsageRow,
)
from elevenlabs_sync.simulator.routes import CHARACTER_STATS_PATH
from tests.simulation.calls import TODAY, exact, get, milliseconds

START, END = date(2026, 8, 1), date(2026, 9, 1)
LAST_SECOND = milliseconds(END) - 1000
WHOLE = {"include_workspace_metrics": "true"}


def path(**fields: object) -> str:
    query = {"start_unix": milliseconds(START), "end_unix": LAST_SECOND, **fields}
    return f"{CHARACTER_STATS_PATH}?{urlencode(query)}"


@pytest.mark.parametrize("key", [RESTRICTED_API_KEY, USAGE_ONLY_API_KEY])
def test_any_good_key_may_ask(server: SimulatorServer, key: str) -> None:
    """No permission for workspace analytics is needed."""
    response = get(server, path(), key=key)

    assert response.status_code == 200


def test_a_wrong_key_may_not(server: SimulatorServer) -> None:
    """An unknown key is invalid here as everywhere."""
    response = get(server, path(), key="sk_")

    assert response.json()["detail"]["status"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("metric", "measure"),
    [
        ("credits", lambda row: row.credits),
        ("minutes_used", lambda row: row.minutes),
        ("request_count", lambda row: row.requests),
        ("fiat_units_spent", lambda row: row.cost),
    ],
)
def test_sums_by_model_equal_the_truth_exactly(
    server: SimulatorServer, workspace: SimulatedWorkspace, metric: str, measure: object
) -> None:
    """Every model's numbers, day by day, are those of the truth over all keys."""
    document = exact(get(server, path(breakdown_type="model", metric=metric, **WHOLE), key=RESTRICTED_API_KEY))

    truth: dict[tuple[str, int], Decimal] = {}
    for row in workspace.rows(START, END):
        at = (row.model, milliseconds(row.day))
        truth[at] = truth.get(at, Decimal(0)) + measure(row)  # type: ignore[operator]
    told = {
        (model, time): number
        for model, numbers in document["usage"].items()
        for time, number in zip(document["time"], numbers, strict=True)
        if number
    }
    assert told == truth


def test_without_breakdown_all_is_one_label(server: SimulatorServer, workspace: SimulatedWorkspace) -> None:
    """The default is credits per day under the label All."""
    document = exact(get(server, path(**WHOLE, aggregation_interval="day")))

    assert list(document["usage"]) == ["All"]
    assert sum(document["usage"]["All"]) == workspace.totals(START, END).credits


def test_the_time_axis_has_every_day(server: SimulatorServer) -> None:
    """Days from the first to that of the end's second, at midnight UTC in milliseconds."""
    document = exact(get(server, path(**WHOLE)))

    assert document["time"] == [milliseconds(START + timedelta(days=day)) for day in range(31)]


def test_an_end_at_midnight_brings_one_day_more(server: SimulatorServer, workspace: SimulatedWorkspace) -> None:
    """As at the newer endpoint, the day that begins at the end is told as a whole."""
    document = exact(get(server, path(end_unix=milliseconds(END), **WHOLE)))

    assert document["time"][-1] == milliseconds(END)
    assert document["usage"]["All"][-1] == workspace.totals(END, END + timedelta(days=1)).credits


def test_the_breakdown_by_key_is_empty(server: SimulatorServer) -> None:
    """As seen live, api_keys tells nothing where the newer endpoint knows usage by key."""
    document = get(server, path(breakdown_type="api_keys", **WHOLE)).json()

    assert document["usage"] == {}
    assert len(document["time"]) == 31


def test_all_api_keys_are_labelled_by_name(server: SimulatorServer, workspace: SimulatedWorkspace) -> None:
    """Names are all there is, and usage without a key has a label of its own."""
    document = exact(get(server, path(breakdown_type="all_api_keys", **WHOLE)))

    names = {row.key_name for row in workspace.rows(START, END)} - {None}
    assert set(document["usage"]) == names | {"No API key"}


def test_without_workspace_metrics_only_ones_own_usage_counts(
    server: SimulatorServer, workspace: SimulatedWorkspace
) -> None:
    """A client that forgets to ask for the workspace gets far too little."""
    document = exact(get(server, path()))

    own = sum(row.credits for row in workspace.used(START, END) if row.slug in ("own-key", "keyless"))
    assert sum(document["usage"]["All"]) == own > 0


def test_unknown_numbers_are_not_in_the_sums() -> None:
    """Days billed by cost have no credits, and unpriced usage has no cost: both are zero, as nothing else can be."""
    workspace = SimulatedWorkspace(TODAY, billing=Moved(date(2026, 8, 11)))
    row: UsageRow = next(workspace.rows(TODAY, TODAY + timedelta(days=1)))

    with SimulatorServer(workspace) as server:
        credits_told = exact(get(server, path(**WHOLE)))["usage"]["All"]
        cost_told = exact(
            get(
                server,
                path(
                    start_unix=milliseconds(TODAY), end_unix=milliseconds(TODAY) + 1, metric="fiat_units_spent", **WHOLE
                ),
            )
        )

    assert sum(credits_told) == workspace.totals(START, END).credits
    assert set(credits_told[10:]) == {0}
    assert row.cost is None
    assert cost_told["usage"] == {}


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"metric": "ttfb_avg"}, "metric"),
        ({"breakdown_type": "voice"}, "breakdown_type"),
        ({"aggregation_interval": "hour"}, "aggregation_interval"),
        ({"include_workspace_metrics": "maybe"}, "include_workspace_metrics"),
        ({"start_unix": "yesterday"}, "start_unix"),
        ({"start_unix": "0"}, "start_unix"),
        ({"end_unix": str(milliseconds(START))}, "end_unix"),
    ],
)
def test_a_bad_query_is_refused_where_it_is_bad(server: SimulatorServer, fields: dict[str, object], where: str) -> None:
    """422 in the validation shape names the parameter."""
    response = get(server, path(**fields))

    (problem,) = response.json()["detail"]
    assert (response.status_code, problem["loc"]) == (422, ["query", where])


def test_the_window_is_required(server: SimulatorServer) -> None:
    """Without start and end both are named."""
    response = get(server, CHARACTER_STATS_PATH)

    assert [problem["loc"][1] for problem in response.json()["detail"]] == ["start_unix", "end_unix"]
