"""What beat calls: ticks that may come twice, late, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from providers.models import Provider, SyncRun
from syncing.tasks import enqueue_hourly_syncs, sweep
from tests.conftest import FakeType
from tests.factories import make_provider, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def due() -> Provider:
    return make_provider(next_due_at=datetime.now(UTC) - timedelta(hours=25))


@pytest.mark.usefixtures("due")
def test_hourly_tick_hands_over_what_is_due(elevenlabs: FakeType) -> None:
    """Once, however often it comes."""
    enqueue_hourly_syncs.apply()
    enqueue_hourly_syncs.apply()

    [run] = SyncRun.objects.filter(trigger=SyncRun.Trigger.HOURLY)
    assert elevenlabs.enqueued == [run.pk]


@pytest.mark.usefixtures("due")
def test_sweep_catches_up_what_the_tick_missed(elevenlabs: FakeType) -> None:
    """After an outage of the clock within a minute."""
    sweep.apply()

    [run] = SyncRun.objects.filter(trigger=SyncRun.Trigger.HOURLY)
    assert run.pk in elevenlabs.enqueued


def test_sweep_hands_over_what_the_queue_lost(elevenlabs: FakeType) -> None:
    """A run that nobody has."""
    provider = make_provider(paused_at=datetime.now(UTC))
    run = make_run(provider=provider)

    sweep.apply()

    assert elevenlabs.enqueued == [run.pk]


def test_due_provider_without_a_type_does_not_stop_the_others(elevenlabs: FakeType, due: Provider) -> None:
    """A provider whose type is not installed any more keeps no other one from its sync."""
    for name in ("A", "Z"):
        make_provider(name=name, type="uninstalled", next_due_at=due.next_due_at)

    sweep.apply(throw=True)

    [run] = SyncRun.objects.filter(trigger=SyncRun.Trigger.HOURLY, provider=due)
    assert run.pk in elevenlabs.enqueued
