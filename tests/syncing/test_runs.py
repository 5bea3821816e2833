"""The life of a run: begun, put back, ended – and what its provider learns from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from providers.models import SyncRun
from syncing.runs import MAX_ATTEMPTS, begin_run, finish_run, put_back_run, record_run
from tests.factories import NOW, TODAY, make_provider, make_run

pytestmark = pytest.mark.django_db

SUCCEEDED, FAILED = SyncRun.Outcome.SUCCEEDED, SyncRun.Outcome.FAILED


def test_begun_run_says_when_and_how_often() -> None:
    """The first beginning stays; every one counts."""
    run = make_run()

    assert begin_run(run=run, now=NOW)
    assert begin_run(run=run, now=NOW + timedelta(hours=1))

    run.refresh_from_db()
    assert (run.started_at, run.attempts) == (NOW, 2)


def test_run_is_given_up_after_three_attempts() -> None:
    """The fourth beginning is its end."""
    run = make_run(attempts=MAX_ATTEMPTS - 1)
    assert begin_run(run=run, now=NOW)

    assert not begin_run(run=run, now=NOW)

    run.refresh_from_db()
    assert (run.outcome, run.error_code, run.finished_at) == (FAILED, "worker_lost", NOW)
    assert run.provider.failure_code == "worker_lost"


def test_run_that_is_put_back_waits_for_the_sweep() -> None:
    """It is neither ended nor handed over."""
    run = make_run(enqueued_at=NOW, attempts=1)

    put_back_run(run=run)

    run.refresh_from_db()
    assert (run.enqueued_at, run.attempts, run.is_finished) == (None, 1, False)


def test_attempt_that_was_no_fault_is_not_counted() -> None:
    """A process that was asked to end did not lose its run."""
    run = make_run(attempts=2)

    put_back_run(run=run, undo_attempt=True)

    run.refresh_from_db()
    assert run.attempts == 1


def test_ended_run_is_not_put_back() -> None:
    """Its row stays as it ended."""
    run = make_run(finished_at=NOW, outcome="succeeded", enqueued_at=NOW)

    put_back_run(run=run)

    run.refresh_from_db()
    assert run.enqueued_at == NOW


def test_recording_writes_only_what_is_given() -> None:
    """Two writers of different facts don't undo each other."""
    run = make_run()
    SyncRun.objects.filter(pk=run.pk).update(rows_read=7)

    record_run(run=run, days_done=3)

    run.refresh_from_db()
    assert (run.rows_read, run.days_done) == (7, 3)


def test_success_brings_the_provider_up_to_date() -> None:
    """And ends its failing."""
    run = make_run(provider=make_provider(failure_code="x", failure_text="y", failing_since=NOW, last_synced_at=None))

    finish_run(run=run, outcome=SUCCEEDED, now=NOW)

    provider = run.provider
    provider.refresh_from_db()
    assert (provider.last_synced_at, provider.failure_code, provider.failure_text) == (NOW, "", "")
    assert provider.failing_since is None


@pytest.mark.parametrize(("last", "current"), [(TODAY, True), (TODAY - timedelta(days=1), False)])
def test_window_of_the_past_says_nothing_of_how_current_the_provider_is(last: object, *, current: bool) -> None:
    """Only a window that reaches today does."""
    run = make_run(
        provider=make_provider(last_synced_at=None),
        requested_from=TODAY - timedelta(days=5),
        requested_to=last,
    )

    finish_run(run=run, outcome=SUCCEEDED, now=NOW)

    run.provider.refresh_from_db()
    assert (run.provider.last_synced_at == NOW) is current


@pytest.mark.parametrize("outcome", [FAILED, SyncRun.Outcome.NEEDS_LOOK])
def test_failure_is_the_providers_too(outcome: SyncRun.Outcome) -> None:
    """With its text, and since when; how current the figures are is not touched."""
    provider = make_provider(last_synced_at=NOW - timedelta(hours=1))

    finish_run(run=make_run(provider=provider), outcome=outcome, error_code="c", error_text="T.", now=NOW)
    finish_run(
        run=make_run(provider=provider),
        outcome=outcome,
        error_code="d",
        error_text="U.",
        now=NOW + timedelta(hours=1),
    )

    provider.refresh_from_db()
    assert (provider.failure_code, provider.failure_text, provider.failing_since) == ("d", "U.", NOW)
    assert provider.last_synced_at == NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    "fields",
    [
        {"finished_at": NOW},
        {"outcome": "succeeded"},
        {"finished_at": NOW, "outcome": "odd"},
        {"requested_from": TODAY, "requested_to": TODAY - timedelta(days=1)},
    ],
    ids=str,
)
def test_database_refuses_runs_that_can_not_be(fields: dict[str, Any]) -> None:
    """An end without an outcome, an outcome without an end, a window that runs backwards."""
    with pytest.raises(IntegrityError), transaction.atomic():
        make_run(**fields)


def test_database_refuses_a_second_scheduled_run() -> None:
    """A provider has at most one unfinished run that covers whatever is due."""
    run = make_run()

    with pytest.raises(IntegrityError), transaction.atomic():
        make_run(provider=run.provider)
