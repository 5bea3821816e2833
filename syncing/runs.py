"""The life of a sync run: begun, put back, recorded, ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import BigIntegerField, F

from core.audit import audit_event
from core.prepared import Given, PreparedUpdate, given
from providers.models import Provider, SyncRun
from providers.signals import notify_sync_ended
from syncing.claims import ClaimLostError, release_claim

# A run that was begun this often and never ended has killed its worker each time.
MAX_ATTEMPTS = 3

# A key that was refused for so long will be refused again: the provider is paused instead.
REFUSALS_END_AFTER = timedelta(days=3)


def begin_run(*, run: SyncRun, now: datetime, **known: Any) -> bool:
    """Mark the run as running, with what is ``known`` of it; False when it has been tried too often, and has failed."""
    record_run(run=run, attempts=run.attempts + 1, started_at=run.started_at or now, **known)
    if run.attempts <= MAX_ATTEMPTS:
        return True
    finish_run(
        run=run,
        outcome=SyncRun.Outcome.FAILED,
        error_code="worker_lost",
        error_text=f"The worker ended in the middle of this sync {MAX_ATTEMPTS} times. The next sync tries again.",
        now=now,
    )
    return False


@cache
def _recording(names: tuple[str, ...]) -> PreparedUpdate:
    return PreparedUpdate(
        lambda: (SyncRun.objects.filter(pk=Given("pk", BigIntegerField())), given(SyncRun, names)),
    )


def record_run(*, run: SyncRun, **fields: Any) -> None:
    """Store what is now known of the run; raises DatabaseError where it is gone."""
    for name, value in fields.items():
        setattr(run, name, value)
    if not _recording(tuple(fields)).carry_out(pk=run.pk, **fields):
        raise DatabaseError(f"There is no sync run {run.pk} any more.")


def note(run: SyncRun, sentence: str) -> None:
    """Add a remark that the history shows beside the outcome; once, however often the run is tried."""
    if sentence not in run.notes:
        record_run(run=run, notes=[*run.notes, sentence])


def put_back_run(*, run: SyncRun, undo_attempt: bool = False) -> None:
    """Leave an unfinished run to the sweep, which hands it over again as soon as its provider is free."""
    attempts = F("attempts") - 1 if undo_attempt else F("attempts")
    SyncRun.objects.unfinished().filter(pk=run.pk).update(enqueued_at=None, attempts=attempts)


@transaction.atomic(savepoint=False)
def finish_run(
    *,
    run: SyncRun,
    outcome: SyncRun.Outcome,
    error_code: str = "",
    error_text: str = "",
    key_was_refused: bool = False,
    now: datetime,
    owner: str | None = None,
) -> None:
    """End the run and update its provider's state; a provider that has refused its key for three days is paused.

    With ``owner`` its claim ends along; raises ClaimLostError where it no longer holds that.
    """
    provider = run.provider
    state: dict[str, Any] = {"failure_code": error_code, "failure_text": error_text}
    if outcome == SyncRun.Outcome.SUCCEEDED:
        state |= {"failure_code": "", "failure_text": "", "failing_since": None, "refused_since": None}
        # Reading an old window again says nothing about how current the figures are.
        if run.requested_to is None or run.requested_to >= now.date():
            state["last_synced_at"] = now
    if owner is None:
        Provider.objects.filter(pk=provider.pk).update(**state)
    elif not release_claim(provider=provider, owner=owner, **state):
        raise ClaimLostError
    record_run(run=run, outcome=outcome, error_code=error_code, error_text=error_text, finished_at=now)
    if outcome != SyncRun.Outcome.SUCCEEDED:
        Provider.objects.filter(pk=provider.pk, failing_since=None).update(failing_since=now)
    if key_was_refused:
        Provider.objects.filter(pk=provider.pk, refused_since=None).update(refused_since=now)
        still_asked = Provider.objects.filter(
            pk=provider.pk, refused_since__lte=now - REFUSALS_END_AFTER, paused_at=None
        )
        reason = f"The API key has been refused for three days. {error_text}"[:300]
        if still_asked.update(paused_at=now, pause_reason=reason):
            audit_event("provider.paused", provider, new={"reason": reason})
    notify_sync_ended(run)
