"""The totals of an account from the old endpoint, against the simulated workspace over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from elevenlabs_sync.account_totals import AccountTotalsReader
from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.simulator import RESTRICTED_API_KEY, SIMULATED_API_KEY
from elevenlabs_sync.simulator.routes import CHARACTER_STATS_PATH
from providers.models import Project
from syncing.errors import (
    InvalidKeyError,
    MissingPermissionError,
    RefusedError,
    UnavailableError,
    UnexpectedResponseError,
)
from syncing.reader import SyncSession, UsageRow
from syncing.windows import Window
from tests.elevenlabs_sync.modes import Rows, account_totals_of
from tests.elevenlabs_sync.worlds import NOW
from tests.simulation import EditedWorkspace, FaultySimulator, faults

TODAY = NOW.date()
WINDOW = Window(TODAY - timedelta(days=9), TODAY)
NO_METRIC = faults.ErrorStatus(422, detail=[{"loc": ["query", "metric"], "msg": "No such metric.", "type": "enum"}])


@contextmanager
def reader_of(
    server: FaultySimulator, *, currency: str = "usd", api_key: str = RESTRICTED_API_KEY
) -> Iterator[AccountTotalsReader]:
    with ElevenLabsClient(base_url=server.base_url, api_key=api_key, user_agent="Test", deadline=10) as client:
        yield AccountTotalsReader(
            client,
            session=SyncSession(call=lambda call: call(), clock=lambda: NOW),
            currency=currency,
            external_id=Project.ACCOUNT_ID,
        )


@pytest.fixture
def server() -> Iterator[FaultySimulator]:
    with FaultySimulator(EditedWorkspace(TODAY, history_days=30)) as running:
        yield running


def read(server: FaultySimulator, **options: str) -> list[UsageRow]:
    with reader_of(server, **options) as reader:
        [reading] = reader.read(WINDOW)
    assert reading.window == WINDOW
    return reading.rows


def as_exported(rows: list[UsageRow]) -> Rows:
    return {
        (row.external_id or "", row.day.isoformat(), row.model): (
            row.credits,
            row.minutes,
            None if row.requests is None else Decimal(row.requests),
            row.cost,
            row.currency,
        )
        for row in rows
    }


def metrics(server: FaultySimulator) -> list[tuple[str, str]]:
    """What was asked for, in order: the metric, and whether of the whole workspace."""
    queries = [dict(part.split("=") for part in request.query.split("&")) for request in server.requests]
    return [(query["metric"], query["include_workspace_metrics"]) for query in queries]


def test_totals_are_those_of_the_workspace(server: FaultySimulator) -> None:
    """Per day and model, to the last digit, with a request for each metric."""
    rows = read(server)

    assert as_exported(rows) == account_totals_of(server.current_workspace(), WINDOW.first, WINDOW.last)
    assert metrics(server) == [
        ("credits", "true"),
        ("minutes_used", "true"),
        ("request_count", "true"),
        ("fiat_units_spent", "true"),
    ]


def test_refused_workspace_metrics_leave_the_keys_own_usage(server: FaultySimulator) -> None:
    """Asked once for the whole workspace and refused, everything is read of the key's own user."""
    server.faults.add(
        CHARACTER_STATS_PATH, faults.ErrorStatus(403, code="insufficient_permissions", message="Not an admin.")
    )

    rows = read(server)

    expected = account_totals_of(server.current_workspace(), WINDOW.first, WINDOW.last, own_alone=True)
    assert as_exported(rows) == expected
    assert 0 < len(rows) < len(account_totals_of(server.current_workspace(), WINDOW.first, WINDOW.last))
    assert [whole for _metric, whole in metrics(server)] == ["true", "false", "false", "false", "false"]


def test_next_window_does_not_ask_for_the_workspace_again(server: FaultySimulator) -> None:
    """What was refused once is refused for the whole run."""
    server.faults.add(CHARACTER_STATS_PATH, faults.ErrorStatus(403, message="Not an admin."))

    with reader_of(server) as reader:
        list(reader.read(WINDOW))
        server.recording.clear()
        list(reader.read(WINDOW))

    assert {whole for _metric, whole in metrics(server)} == {"false"}


def test_unknown_currency_leaves_the_cost_unknown(server: FaultySimulator) -> None:
    """The endpoint names no currency: money is not even asked for."""
    rows = read(server, currency="")

    assert {(row.cost, row.currency) for row in rows} == {(None, "")}
    assert "fiat_units_spent" not in [metric for metric, _whole in metrics(server)]


def test_currency_of_the_plan_is_that_of_the_costs(server: FaultySimulator) -> None:
    """The first sync learns it from the plan, which is read before the usage."""
    with reader_of(server, currency="", api_key=SIMULATED_API_KEY) as reader:
        reader.plan()
        [reading] = reader.read(WINDOW)

    assert {row.currency for row in reading.rows if row.cost is not None} == {"usd"}


@pytest.mark.parametrize(
    ("place", "names"),
    [(1, {"minutes"}), (2, {"requests"}), (3, {"cost"})],
    ids=["minutes", "requests", "cost"],
)
def test_metric_that_is_not_offered_is_unknown(server: FaultySimulator, place: int, names: set[str]) -> None:
    """Each of the optional metrics may be rejected; it is then unknown, and the others are there."""
    server.faults.add(CHARACTER_STATS_PATH, NO_METRIC, after=place)

    rows = read(server)

    found = {name for name in ("credits", "minutes", "requests", "cost") if getattr(rows[0], name) is None}
    assert found == names
    assert rows[0].currency == ("" if names == {"cost"} else "usd")


def test_credits_are_needed(server: FaultySimulator) -> None:
    """Without them there are no totals."""
    server.faults.add(CHARACTER_STATS_PATH, NO_METRIC, times=None)

    with pytest.raises(Exception, match="No such metric"):
        read(server)


def test_revoked_key_is_asked_about_once(server: FaultySimulator) -> None:
    """Its own usage is refused as well."""
    with pytest.raises(InvalidKeyError):
        read(server, api_key="sk_" + "0" * 48)

    assert len(server.requests) == 1


def test_key_that_may_read_neither_fails_with_the_reason(server: FaultySimulator) -> None:
    """Refused for the workspace and for its own user."""
    server.faults.add(CHARACTER_STATS_PATH, faults.ErrorStatus(403, message="Your address is not allowed."), times=None)

    with pytest.raises(RefusedError, match="Your address is not allowed"):
        read(server)

    assert len(server.requests) == 2


def test_permission_that_is_withdrawn_in_the_middle_is_an_error(server: FaultySimulator) -> None:
    """Half of the workspace's metrics and half of the user's would be no total at all."""
    server.faults.add(
        CHARACTER_STATS_PATH, faults.ErrorStatus(401, code="missing_permissions", message="Not any more."), after=2
    )

    with pytest.raises(MissingPermissionError):
        read(server)


def test_failure_of_an_optional_metric_is_not_taken_for_unknown(server: FaultySimulator) -> None:
    """Only a rejection says that a metric is not offered."""
    server.faults.add(CHARACTER_STATS_PATH, faults.ErrorStatus(503), after=2)

    with pytest.raises(UnavailableError):
        read(server)


@pytest.mark.parametrize(
    "document",
    [{}, {"time": [1], "usage": {"m": [1]}}, {"time": [], "usage": {"m": [1]}}, {"time": [0], "usage": {"m": [-1]}}],
    ids=["nothing", "no midnight", "too many", "negative"],
)
def test_answer_that_is_no_statistics_is_refused(server: FaultySimulator, document: object) -> None:
    """Nothing is guessed."""
    server.faults.add(CHARACTER_STATS_PATH, faults.Transform(lambda _document: document))

    with pytest.raises(UnexpectedResponseError):
        read(server)
