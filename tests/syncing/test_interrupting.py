"""Syncs that end in the middle: errors of our own, lost claims, dead workers, a process that ends."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from costs.models import ReadDay
from elevenlabs_sync import reading
from elevenlabs_sync.payloads import read_usage
from elevenlabs_sync.simulator.routes import SUBSCRIPTION_PATH, USAGE_PATH
from providers.models import Provider, SyncRun
from providers.models.provider import LEASE
from syncing import engine as sync_module
from syncing.claims import take_claim_of_run
from syncing.retrying import RetryPolicy
from tests.claims import take_claim
from tests.elevenlabs_sync.worlds import NOW, World, world
from tests.simulation import faults

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
SUCCEEDED, FAILED = SyncRun.Outcome.SUCCEEDED, SyncRun.Outcome.FAILED


def figures(document: dict[str, Any], column: str, value: Any) -> dict[str, Any]:
    """The document with ``value`` in one row's cell of a column."""
    document["rows"][0][document["columns"].index(column)] = value
    return document


# --- Errors of our own ------------------------------------------------------------------------------------------------


def test_error_of_our_own_is_recorded_and_raised(here: World) -> None:
    """What is nobody's fault but ours ends the run, frees the provider and reaches the log."""
    Provider.objects.update(region="nowhere")
    run = here.run()

    with pytest.raises(KeyError):
        here.carry_out(run)

    run.refresh_from_db()
    here.provider.refresh_from_db()
    assert (run.outcome, run.error_code) == (FAILED, "internal")
    assert here.provider.claimed_until is None


def test_unwritable_database_is_recorded_as_such(here: World) -> None:
    """When the rows can't be written the run says so, and no part of the window is there."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE costs_readday RENAME TO costs_readday_away")
    run = here.run(requested_from=TODAY, requested_to=TODAY)

    with pytest.raises(Exception, match="costs_readday"):
        here.carry_out(run)

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE costs_readday_away RENAME TO costs_readday")
    run.refresh_from_db()
    assert (run.outcome, run.error_code, run.rows_read) == (FAILED, "database", 0)
    assert here.stored == {}


# --- Claims -----------------------------------------------------------------------------------------------------------


def test_run_that_is_deleted_as_it_is_taken_up_leaves_no_claim(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody disconnects the provider at that moment."""
    run = here.run()

    def take_and_delete(**asked: Any) -> bool:
        taken = take_claim_of_run(**asked)
        SyncRun.objects.all().delete()
        return taken

    monkeypatch.setattr(sync_module, "take_claim_of_run", take_and_delete)

    assert here.carry_out(run) is None

    here.provider.refresh_from_db()
    assert (here.provider.claimed_by, here.provider.claimed_until) == ("", None)


def test_claimed_provider_is_left_alone(here: World) -> None:
    """While somebody else syncs the provider the run waits for the sweep."""
    take_claim(provider=here.provider, owner="somebody else", now=NOW)
    run = here.run()
    SyncRun.objects.update(enqueued_at=NOW)

    assert here.carry_out(run) is None

    run.refresh_from_db()
    here.provider.refresh_from_db()
    assert (run.started_at, run.attempts, run.enqueued_at) == (None, 0, None)
    assert here.provider.claimed_by == "somebody else"
    assert here.server.requests == []


def test_expired_claim_is_taken_over(here: World) -> None:
    """A dead worker's claim frees itself, to the very moment."""
    take_claim(provider=here.provider, owner="the dead", now=NOW - LEASE)

    assert here.sync().outcome == SUCCEEDED


def test_claim_that_is_lost_in_the_middle_ends_the_writing(long: World) -> None:
    """Once somebody else has taken over, nothing more is written: no row, no day, no outcome."""
    run = long.run()

    def steal(_progress: Any) -> None:
        Provider.objects.filter(pk=long.provider.pk).update(claimed_by="a thief")

    assert long.carry_out(run, on_progress=steal) is None

    run.refresh_from_db()
    assert (long.stored, run.is_finished, run.days_done) == ({}, False, 0)
    assert ReadDay.objects.count() == 0
    assert Provider.objects.get(pk=long.provider.pk).claimed_by == "a thief"


def test_claim_that_is_lost_during_the_request_ends_the_writing(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that comes after the claim was lost is not stored."""

    def steal(*answer: Any, **days: Any) -> Any:
        Provider.objects.filter(pk=here.provider.pk).update(claimed_by="a thief")
        return read_usage(*answer, **days)

    monkeypatch.setattr(reading, "read_usage", steal)

    assert here.carry_out(here.run()) is None

    assert here.stored == {}


def test_claim_that_is_lost_before_the_end_leaves_the_outcome_to_the_thief(here: World) -> None:
    """The worker that lost the run does not end it: who took it over does."""
    run = here.run()

    def steal_at_the_end(progress: Any) -> None:
        if progress.days_done == progress.days_total:
            Provider.objects.filter(pk=here.provider.pk).update(claimed_by="a thief")

    assert here.carry_out(run, on_progress=steal_at_the_end) is None

    run.refresh_from_db()
    assert not run.is_finished


def test_run_that_lost_its_worker_three_times_fails(here: World) -> None:
    """A run that kills its worker is not begun for ever."""
    run = here.run()
    SyncRun.objects.update(attempts=3, started_at=NOW)

    ended = here.carry_out(run)

    assert ended is not None
    assert (ended.outcome, ended.error_code) == (FAILED, "worker_lost")
    assert here.server.requests == []
    assert Provider.objects.get(pk=here.provider.pk).claimed_until is None


def test_run_of_a_dead_worker_is_completed(long: World) -> None:
    """A second worker goes on where the first one died, and the figures are those of a clean backfill."""
    run = long.run()

    class DiedError(BaseException):
        pass

    def die(progress: Any) -> None:
        if progress.days_done:
            raise DiedError

    with pytest.raises(DiedError):
        long.carry_out(run, on_progress=die)

    ended = long.carry_out(run)

    assert ended is not None
    assert (ended.outcome, ended.attempts) == (SUCCEEDED, 2)
    assert long.stored == long.truth


def test_interrupted_run_goes_back_to_the_queue_and_completes_later(long: World) -> None:
    """When the process ends the run keeps what it has, counts no attempt, and is completed later."""
    run = long.run()
    SyncRun.objects.update(enqueued_at=NOW)

    def stop(progress: Any) -> None:
        if progress.days_done:
            sync_module.stopping.set()

    assert long.carry_out(run, on_progress=stop) is None

    run.refresh_from_db()
    assert (run.is_finished, run.attempts, run.enqueued_at, run.days_done) == (False, 0, None, 30)
    assert Provider.objects.get(pk=long.provider.pk).claimed_until is None
    sync_module.stopping.clear()
    ended = long.carry_out(run)
    assert ended is not None
    assert ended.outcome == SUCCEEDED
    assert long.stored == long.truth


def test_run_that_waits_is_interrupted_too(here: World) -> None:
    """A long wait for a limit does not keep the process from ending."""
    here.server.faults.add(USAGE_PATH, faults.ErrorStatus(429, headers={"retry-after": "3000"}), times=None)
    run = here.run()

    def stop_after_the_first_refusal() -> None:
        while not here.usage_requests:
            time.sleep(0.01)
        sync_module.stopping.set()

    stopper = threading.Thread(target=stop_after_the_first_refusal)
    stopper.start()

    ended = here.carry_out(run, policy=RetryPolicy(longest_wait=3600))

    stopper.join()
    assert ended is None
    assert len(here.usage_requests) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_run", [True, False])
def test_two_syncs_of_one_provider_at_once_are_one(*, same_run: bool) -> None:
    """Of two workers exactly one works, be it for the same run or for another one of the same provider."""
    with world() as here:
        runs = [here.run(), here.run() if same_run else here.run(requested_from=TODAY, requested_to=TODAY)]
        here.server.faults.add(SUBSCRIPTION_PATH, faults.Delay(0.5))
        barrier = threading.Barrier(2)
        ended: list[SyncRun | None] = []

        def work(run: SyncRun) -> None:
            try:
                barrier.wait()
                ended.append(here.carry_out(run))
            finally:
                connection.close()

        workers = [threading.Thread(target=work, args=(run,)) for run in runs]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert sorted(run is None for run in ended) == [False, True]
        assert len(here.usage_requests) == 1
        [finished] = SyncRun.objects.exclude(finished_at=None)
        assert (finished.outcome, finished.attempts) == (SUCCEEDED, 1)


@pytest.mark.django_db(transaction=True)
def test_run_that_another_worker_has_just_ended_is_not_begun_again() -> None:
    """A worker that has looked at the run before, but claims the provider after its end, leaves it as it is."""
    with world() as here:
        run = here.run()

        class Late:
            """Lets another worker carry the run out between our look at it and our claim."""

            def __init__(self) -> None:
                self.asked = 0

            def __call__(self) -> datetime:
                self.asked += 1
                if self.asked == 1:
                    here.carry_out(run)
                return NOW

        ended = here.carry_out(run, clock=Late())

        run.refresh_from_db()
        assert ended == run
        assert run.attempts == 1
        assert len(here.usage_requests) == 1
