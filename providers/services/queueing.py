"""Wanting a sync: the row that remembers it, the message that a worker gets, and the sweep that finds what was lost."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from providers import registry
from providers.models import Provider, SyncRun

logger = logging.getLogger(__name__)

# A message that no worker has taken up for this long is sent again; running it twice is harmless.
PATIENCE = timedelta(minutes=10)


def request_sync(
    *,
    provider: Provider,
    trigger: SyncRun.Trigger,
    now: datetime,
    requested_from: date | None = None,
    requested_to: date | None = None,
    accepts_implausible: bool = False,
) -> SyncRun:
    """Return the run that will do this: a new row, or the unfinished one that already covers it.

    Without a requested window the run covers whatever is due, and a provider has at most one such run unfinished.
    """
    wanted = SyncRun.objects.unfinished().filter(
        provider=provider,
        requested_from=requested_from,
        requested_to=requested_to,
        accepts_implausible=accepts_implausible,
    )
    if existing := wanted.first():
        return existing
    try:
        with transaction.atomic():
            return SyncRun.objects.create(
                provider=provider,
                trigger=trigger,
                queued_at=now,
                requested_from=requested_from,
                requested_to=requested_to,
                accepts_implausible=accepts_implausible,
            )
    except IntegrityError:  # another process was first
        return SyncRun.objects.unfinished().scheduled().get(provider=provider)


def enqueue(*, run: SyncRun, now: datetime) -> None:
    """Hand the run to the queue; call it after the commit that made the run.

    Raises providers.registry.QueueUnreachableError; the run then stays for the sweep.
    """
    registry.get(run.provider.type).enqueue(run.pk)
    SyncRun.objects.filter(pk=run.pk).update(enqueued_at=now)


def enqueue_quietly(*, run: SyncRun, now: datetime) -> bool:
    """Hand the run to the queue; False, and a line in the log, when the queue is unreachable."""
    try:
        enqueue(run=run, now=now)
    except registry.QueueUnreachableError:
        logger.warning("The queue is unreachable; sync run %s waits for the sweep", run.pk)
        return False
    return True


def request_hourly_syncs(*, now: datetime) -> list[SyncRun]:
    """Make a run for each active provider whose hour has come, and hand them to the queue.

    Safe to call at any moment and from several processes at once: the provider's next due time is moved by a
    conditional update, and only who moved it makes the run. After an outage it makes one run, not one per missed hour.
    """
    following_hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    runs = []
    for provider in Provider.objects.due(now):
        still_due = Provider.objects.filter(
            Q(next_due_at=None) | Q(next_due_at__lte=now), pk=provider.pk, paused_at=None
        )
        if still_due.update(next_due_at=following_hour) == 1:
            runs.append(request_sync(provider=provider, trigger=SyncRun.Trigger.HOURLY, now=now))
    for run in runs:
        if run.enqueued_at is None:
            enqueue_quietly(run=run, now=now)
    return runs


def enqueue_lost_runs(*, now: datetime, patience: timedelta = PATIENCE) -> list[SyncRun]:
    """Hand over again what no worker holds: lost with the broker, with a worker, or never handed over."""
    lost = list(SyncRun.objects.lost(now, patience).select_related("provider"))
    return [run for run in lost if enqueue_quietly(run=run, now=now)]
