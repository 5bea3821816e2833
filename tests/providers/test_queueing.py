"""Wanting syncs: one row each, handed over once, found again when the queue lost them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from providers.models import Provider, SyncRun
from providers.registry import QueueUnreachableError
from providers.services.queueing import (
    PATIENCE,
    enqueue,
    enqueue_lost_runs,
    enqueue_quietly,
    request_hourly_syncs,
    request_sync,
)
from tests.claims import take_claim
from tests.conftest import FakeType
from tests.factories import NOW, TODAY, make_provider, make_run

pytestmark = pytest.mark.django_db

HOURLY = SyncRun.Trigger.HOURLY


def due(**overrides: Any) -> Provider:
    return make_provider(next_due_at=NOW - timedelta(seconds=1), **overrides)


# --- Wanting ----------------------------------------------------------------------------------------------------------


def test_request_makes_a_run() -> None:
    """The row remembers what is wanted."""
    provider = make_provider()

    run = request_sync(provider=provider, trigger=HOURLY, now=NOW)

    assert (run.provider, run.trigger, run.queued_at, run.is_finished) == (provider, HOURLY, NOW, False)


def test_unfinished_run_is_the_answer_to_a_second_request() -> None:
    """However often it is wanted, it is done once."""
    provider = make_provider()

    runs = {request_sync(provider=provider, trigger=trigger, now=NOW).pk for trigger in SyncRun.Trigger}

    assert len(runs) == SyncRun.objects.count() == 1


def test_finished_run_is_no_answer() -> None:
    """After its end a new request is a new run."""
    provider = make_provider()
    ended = make_run(provider=provider, finished_at=NOW, outcome="succeeded")

    assert request_sync(provider=provider, trigger=HOURLY, now=NOW) != ended


def test_run_that_ends_while_it_is_asked_for_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker ends it between two questions."""
    provider = make_provider()
    ending = make_run(provider=provider, trigger=HOURLY)
    atomic = transaction.atomic

    @contextmanager
    def end_behind(*options: Any, **named: Any) -> Iterator[None]:
        try:
            with atomic(*options, **named):
                yield
        except IntegrityError:
            SyncRun.objects.filter(pk=ending.pk).update(finished_at=NOW, outcome="succeeded")
            raise

    monkeypatch.setattr("django.db.transaction.atomic", end_behind)

    run = request_sync(provider=provider, trigger=HOURLY, now=NOW)

    assert (run.pk != ending.pk, run.is_finished) == (True, False)


def test_named_window_is_a_run_of_its_own() -> None:
    """It neither covers what is due nor is covered by it; the same window twice is one."""
    provider = make_provider()
    scheduled = request_sync(provider=provider, trigger=HOURLY, now=NOW)
    window: dict[str, Any] = {"requested_from": TODAY, "requested_to": TODAY}

    named = request_sync(provider=provider, trigger=SyncRun.Trigger.MANUAL, now=NOW, **window)
    again = request_sync(provider=provider, trigger=SyncRun.Trigger.MANUAL, now=NOW, **window)

    assert named == again != scheduled


def test_runs_of_providers_are_independent() -> None:
    """Another provider is another run."""
    one, other = (request_sync(provider=make_provider(), trigger=HOURLY, now=NOW) for _ in range(2))

    assert one != other


def test_accepting_is_not_covered_by_a_run_that_does_not_accept() -> None:
    """Who accepts an implausible answer gets a run that does."""
    provider = make_provider()
    request_sync(provider=provider, trigger=HOURLY, now=NOW)

    run = request_sync(provider=provider, trigger=SyncRun.Trigger.MANUAL, now=NOW, accepts_implausible=True)

    assert run.accepts_implausible


@pytest.mark.django_db(transaction=True)
def test_many_requests_at_once_make_one_run() -> None:
    """Two clicks and a tick at the same moment are one run."""
    provider = make_provider()
    barrier = threading.Barrier(5)
    found: list[int] = []

    def want() -> None:
        try:
            barrier.wait()
            found.append(request_sync(provider=provider, trigger=HOURLY, now=NOW).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=want) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 5
    assert len(set(found)) == SyncRun.objects.count() == 1


# --- Handing over -----------------------------------------------------------------------------------------------------


def test_run_is_handed_over_and_says_when(elevenlabs: FakeType) -> None:
    """The provider's type gets the id."""
    run = make_run()

    enqueue(run=run, now=NOW)

    run.refresh_from_db()
    assert (elevenlabs.enqueued, run.enqueued_at) == ([run.pk], NOW)


def test_unreachable_queue_leaves_the_run_for_the_sweep(elevenlabs: FakeType) -> None:
    """Nothing is marked as handed over that was not."""
    elevenlabs.queue_is_down = True
    run = make_run()

    with pytest.raises(QueueUnreachableError):
        enqueue(run=run, now=NOW)
    assert not enqueue_quietly(run=run, now=NOW)

    run.refresh_from_db()
    assert run.enqueued_at is None


# --- Every hour -------------------------------------------------------------------------------------------------------


def test_tick_makes_a_run_for_each_provider_that_is_due(elevenlabs: FakeType) -> None:
    """Each gets one run, handed over, and is due again after the next full hour."""
    providers = [due(), make_provider(next_due_at=None)]

    runs = request_hourly_syncs(now=NOW)

    assert sorted(run.provider_id for run in runs) == sorted(provider.pk for provider in providers)
    assert sorted(elevenlabs.enqueued) == sorted(run.pk for run in runs)
    for provider in Provider.objects.all():
        assert provider.next_due_at is not None
        assert timedelta(minutes=30) <= provider.next_due_at - NOW < timedelta(minutes=40)


@pytest.mark.usefixtures("elevenlabs")
def test_tick_is_idempotent() -> None:
    """A second tick in the same hour makes nothing."""
    due()
    request_hourly_syncs(now=NOW)

    assert request_hourly_syncs(now=NOW) == []
    assert SyncRun.objects.count() == 1


@pytest.mark.usefixtures("elevenlabs")
def test_next_hour_is_a_new_run() -> None:
    """Once the run has ended and the hour has come."""
    due()
    request_hourly_syncs(now=NOW)
    SyncRun.objects.update(finished_at=NOW, outcome="succeeded")

    request_hourly_syncs(now=NOW + timedelta(hours=1))

    assert SyncRun.objects.count() == 2


@pytest.mark.usefixtures("elevenlabs")
def test_outage_of_a_day_is_caught_up_by_one_run() -> None:
    """One run, not twenty-four: it reads whatever is due."""
    make_provider(next_due_at=NOW - timedelta(days=1))

    for minute in range(5):
        request_hourly_syncs(now=NOW + timedelta(minutes=minute))

    assert SyncRun.objects.count() == 1


@pytest.mark.usefixtures("elevenlabs")
def test_paused_and_not_yet_due_providers_are_left_out() -> None:
    """Neither gets a run."""
    due(paused_at=NOW)
    make_provider(next_due_at=NOW + timedelta(seconds=1))

    assert request_hourly_syncs(now=NOW) == []
    assert SyncRun.objects.count() == 0


@pytest.mark.usefixtures("elevenlabs")
def test_provider_whose_first_sync_still_waits_gets_no_second_run() -> None:
    """The unfinished run covers what is due."""
    provider = due()
    waiting = make_run(provider=provider, trigger=SyncRun.Trigger.CONNECT)

    assert request_hourly_syncs(now=NOW) == [waiting]
    assert SyncRun.objects.count() == 1


def test_unreachable_queue_keeps_the_runs_of_all(elevenlabs: FakeType) -> None:
    """Each provider's run is there for the sweep."""
    elevenlabs.queue_is_down = True
    for _ in range(3):
        due()

    request_hourly_syncs(now=NOW)

    assert SyncRun.objects.filter(enqueued_at=None).count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_make_one_run(elevenlabs: FakeType) -> None:
    """Two beats send every tick twice."""
    due()
    barrier = threading.Barrier(4)

    def tick() -> None:
        try:
            barrier.wait()
            request_hourly_syncs(now=NOW)
        finally:
            connection.close()

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert SyncRun.objects.count() == 1
    assert len(elevenlabs.enqueued) == 1


# --- What was lost ----------------------------------------------------------------------------------------------------


def test_run_that_was_never_handed_over_is(elevenlabs: FakeType) -> None:
    """The web died between the commit and the queue."""
    run = make_run()

    assert enqueue_lost_runs(now=NOW) == [run]
    assert elevenlabs.enqueued == [run.pk]


@pytest.mark.parametrize(("age", "again"), [(PATIENCE, True), (PATIENCE - timedelta(microseconds=1), False)])
@pytest.mark.usefixtures("elevenlabs")
def test_run_that_nobody_took_up_is_handed_over_again(age: timedelta, *, again: bool) -> None:
    """After a while, not at once: the queue may just be long."""
    make_run(enqueued_at=NOW - age)

    assert bool(enqueue_lost_runs(now=NOW)) is again


@pytest.mark.usefixtures("elevenlabs")
def test_run_that_somebody_works_on_is_not_lost() -> None:
    """While the claim lasts; a dead worker's run is lost once its claim has ended."""
    run = make_run(enqueued_at=NOW - timedelta(days=1), started_at=NOW)
    take_claim(provider=run.provider, owner="a", now=NOW)

    assert enqueue_lost_runs(now=NOW) == []
    assert enqueue_lost_runs(now=NOW + timedelta(minutes=3)) == [run]


@pytest.mark.usefixtures("elevenlabs")
def test_ended_run_is_not_lost() -> None:
    """What is done is done."""
    make_run(finished_at=NOW, outcome="failed")

    assert enqueue_lost_runs(now=NOW) == []


@pytest.mark.usefixtures("elevenlabs")
def test_sweep_hands_a_lost_run_over_once() -> None:
    """Then it waits for a worker again."""
    make_run()
    enqueue_lost_runs(now=NOW)

    assert enqueue_lost_runs(now=NOW + timedelta(minutes=1)) == []
