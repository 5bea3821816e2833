"""Whatever goes wrong in whatever order, one good sync afterwards gives what a fresh backfill gives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elevenlabs_sync.simulator.routes import USAGE_PATH
from providers.models import Provider, SyncRun
from syncing import engine as sync_module
from tests.elevenlabs_sync.worlds import NOW, Clock, World, world
from tests.simulation import faults

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
SUCCEEDED = SyncRun.Outcome.SUCCEEDED
TWO_PIECES = TODAY - timedelta(days=33)  # a window of 30 days and one of 4


def figures(document: dict[str, Any], column: str, value: Any) -> dict[str, Any]:
    """The document with ``value`` in one row's cell of a column."""
    document["rows"][0][document["columns"].index(column)] = value
    return document


def unit(document: dict[str, Any], column: str, value: str | None) -> dict[str, Any]:
    document["column_units"][document["columns"].index(column)] = value
    return document


FAULTS: list[faults.Fault | None] = [
    None,
    None,
    faults.ErrorStatus(429, headers={"retry-after": "0"}),
    faults.ErrorStatus(503),
    faults.ErrorStatus(401, code="invalid_api_key"),
    faults.ErrorStatus(403, code="missing_permissions"),
    faults.ErrorStatus(400),
    faults.Html(),
    faults.CutJson(),
    faults.CutConnection(),
    faults.EmptyBody(),
    faults.ConnectionReset(),
    faults.GzipBomb(11_000_000),
    faults.Transform(lambda document: figures(document, "total_cost", float("nan"))),
    faults.Transform(lambda document: unit(document, "total_usage", "usd")),
]
_STEPS = st.tuples(
    st.sampled_from(FAULTS),
    st.integers(1, 4),  # requests that meet the fault
    st.sampled_from([0, 1, 6, 24, 50, 24 * 9]),  # hours until then
    st.sampled_from([0, 0, 0, -24, 24]),  # hours by which our clock is wrong
    st.sampled_from(["run", "run", "die", "stop", "stolen"]),
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_STEPS, min_size=1, max_size=5))
def test_any_sequence_of_faults_ends_as_a_fresh_backfill(
    steps: list[tuple[faults.Fault | None, int, int, int, str]],
) -> None:
    """After whatever went wrong, one good sync brings the database to what an empty one gets from a backfill."""
    with world(first_day=TWO_PIECES) as here, world(first_day=TWO_PIECES) as fresh:
        for fault, times, hours, wrong, end in steps:
            here.server_clock.move(hours=hours)
            here.clock = Clock(here.server_clock() + timedelta(hours=wrong))
            here.server.faults.clear()
            if fault is not None:
                here.server.faults.add(USAGE_PATH, fault, times=times)
            with override_settings(ELEVENLABS_BASE_URL=here.server.base_url):
                _attempt(here, end)
        here.server.faults.clear()
        here.clock = here.server_clock
        with override_settings(ELEVENLABS_BASE_URL=here.server.base_url):
            here.clock.move(hours=1)
            Provider.objects.update(claimed_by="", claimed_until=None)
            last = here.sync(accepts_implausible=False)
            if last.error_code == "worker_lost":
                last = here.sync()
        fresh.server_clock.now = here.clock()
        fresh.sync()

        assert last.outcome == SUCCEEDED
        assert here.stored == fresh.stored == fresh.truth
        assert fresh.provider.pk != here.provider.pk


class _DiedError(BaseException):
    pass


def _attempt(here: World, end: str) -> None:
    """One run, which ends by itself or in the middle: its worker dies, is told to stop, or loses the claim."""

    def on_progress(progress: Any) -> None:
        if not progress.days_done:
            return
        if end == "die":
            raise _DiedError
        if end == "stop":
            sync_module.stopping.set()
        if end == "stolen":
            Provider.objects.filter(pk=here.provider.pk).update(claimed_by="a thief")

    try:
        here.carry_out(here.run(), on_progress=on_progress)
    except _DiedError:
        pass
    finally:
        sync_module.stopping.clear()
        Provider.objects.filter(pk=here.provider.pk).update(claimed_by="", claimed_until=None)
