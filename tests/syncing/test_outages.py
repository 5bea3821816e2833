"""Limits and outages: waited out within bounds, then left to the next sync."""

from __future__ import annotations

import pytest

from costs.models import DailyUsage
from elevenlabs_sync.simulator.routes import USAGE_PATH
from providers.models import SyncRun
from tests.elevenlabs_sync.worlds import FAST, NOW, World
from tests.simulation import faults

pytestmark = pytest.mark.django_db

SUCCEEDED, FAILED = SyncRun.Outcome.SUCCEEDED, SyncRun.Outcome.FAILED


@pytest.mark.parametrize(
    "fault",
    [
        faults.ErrorStatus(429, headers={"retry-after": "0"}),
        faults.ErrorStatus(429, headers={"retry-after-ms": "1"}),
        faults.ErrorStatus(429, headers={"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        faults.ErrorStatus(429, headers={"retry-after": "86400"}),
        faults.ErrorStatus(429, headers={"retry-after": "Wed, 21 Oct 99999999999999999999 07:28:00 GMT"}),
        faults.ErrorStatus(429),
        faults.ErrorStatus(408),
        faults.ErrorStatus(409),
        faults.ErrorStatus(500),
        faults.Html(502),
        faults.ErrorStatus(503),
        faults.ConnectionReset(),
        faults.CutConnection(),
    ],
    ids=str,
)
def test_passing_failure_is_waited_out(here: World, fault: faults.Fault) -> None:
    """A limit, an outage or a broken connection costs a repetition, nothing else."""
    here.server.faults.add(USAGE_PATH, fault)

    run = here.sync()

    assert run.outcome == SUCCEEDED
    assert len(here.usage_requests) == 2
    assert here.stored == here.truth


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.ErrorStatus(429), "rate_limited"),
        (faults.ErrorStatus(503), "unavailable"),
        (faults.ConnectionReset(), "unavailable"),
    ],
    ids=str,
)
def test_lasting_failure_ends_after_bounded_attempts(here: World, fault: faults.Fault, code: str) -> None:
    """A storm is given up, with a plain reason and every row as it was."""
    here.sync()
    before = list(DailyUsage.objects.order_by("pk").values())
    asked = len(here.usage_requests)
    here.server.faults.add(USAGE_PATH, fault, times=None)

    run = here.sync()

    assert (run.outcome, run.error_code) == (FAILED, code)
    assert len(here.usage_requests) - asked == FAST.attempts
    assert list(DailyUsage.objects.order_by("pk").values()) == before
    assert here.provider.failing_since == NOW


def test_failure_remembers_since_when(here: World) -> None:
    """A second failure keeps the moment of the first."""
    here.server.faults.add(USAGE_PATH, faults.CutJson(), times=2)
    here.sync()
    here.clock.move(hours=1)

    here.sync()

    assert here.provider.failing_since == NOW
