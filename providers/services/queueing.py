"""Requesting syncs: the stored run, the message to a worker, and the sweep that finds lost runs."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from core.audit import audit_event
from providers import registry
from providers.models import Provider, SyncRun

logger = logging.getLogger(__name__)

# Hourly syncs begin within so many seconds after the full hour, each provider at a moment of its own.
SPREAD_SECONDS = 300
_SPREAD_STEP = 61

# The nightly sync reads so many days again, from this time (UTC) on.
NIGHTLY_DAYS = 35
NIGHTLY_FROM = time(2, 30)

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
    from_now_on: bool = False,
) -> SyncRun:
    """Return the run that will do this: a new row, or the unfinished one that already covers it.

    Without a requested window the run covers whatever is due, and a provider has at most one such run unfinished. An
    hourly one that a person does not want to wait for becomes theirs: it then reads the account as well. With
    ``from_now_on`` one that has begun does not cover it: a setting has changed since.
    """
    # Of what is due there is one unfinished run at most, which the database holds: mostly there is none.
    if requested_from is not None or accepts_implausible or from_now_on:
        wanted = SyncRun.objects.unfinished().filter(
            provider=provider,
            requested_from=requested_from,
            requested_to=requested_to,
            accepts_implausible=accepts_implausible,
        )
        if from_now_on:
            wanted = wanted.filter(started_at=None)
        if existing := wanted.first():
            return _joined(existing, trigger)
    run = SyncRun(
        provider=provider,
        trigger=trigger,
        queued_at=now,
        requested_from=requested_from,
        requested_to=requested_to,
        accepts_implausible=accepts_implausible,
    )
    try:
        with transaction.atomic():
            run.save()
            return run
    except IntegrityError:  # another process was first, or the waiting one was requested with less
        waiting = SyncRun.objects.unfinished().scheduled().filter(provider=provider).first()
    if waiting is None:  # it has ended since
        run.save()
        return run
    if accepts_implausible:
        waiting.accepts_implausible = True
        waiting.save(update_fields=["accepts_implausible"])
    return _joined(waiting, trigger)


def _joined(run: SyncRun, trigger: SyncRun.Trigger) -> SyncRun:
    """The unfinished ``run``, wanted once more."""
    if trigger == SyncRun.Trigger.MANUAL and run.trigger == SyncRun.Trigger.HOURLY:
        run.trigger = trigger
        run.save(update_fields=["trigger"])
    return run


@transaction.atomic
def request_manual_sync(
    *,
    provider: Provider,
    now: datetime,
    first: date | None = None,
    last: date | None = None,
    accepts_implausible: bool = False,
) -> SyncRun:
    """Request a sync for a person, of whatever is due or of the days ``first`` to ``last``, and record it for audit.

    With ``accepts_implausible`` what an earlier run held back is applied. The caller enqueues the returned run.
    """
    audit_event(
        "sync.accepted" if accepts_implausible else "sync.requested",
        provider,
        new={"from": first.isoformat(), "to": last.isoformat()} if first and last else {},
    )
    return request_sync(
        provider=provider,
        trigger=SyncRun.Trigger.MANUAL,
        now=now,
        requested_from=first,
        requested_to=last,
        accepts_implausible=accepts_implausible,
    )


def enqueue(*, run: SyncRun, now: datetime) -> None:
    """Hand the run to the queue; call it after the commit that made the run.

    Raises providers.registry.QueueUnreachableError, or KeyError where no such provider type is installed; the run then
    stays for the sweep.
    """
    registry.get(run.provider.type)
    registry.engine().enqueue(run.pk)
    SyncRun.objects.filter(pk=run.pk).update(enqueued_at=now)


def enqueue_quietly(*, run: SyncRun, now: datetime) -> bool:
    """Hand the run to the queue; False, and a line in the log, when the queue or the provider's type is not there."""
    try:
        enqueue(run=run, now=now)
    except registry.QueueUnreachableError:
        logger.warning("The queue is unreachable; sync run %s waits for the sweep", run.pk)
        return False
    except KeyError:
        logger.warning("Sync run %s waits: no provider type “%s” is installed", run.pk, run.provider.type)
        return False
    return True


def request_hourly_syncs(*, now: datetime) -> list[SyncRun]:
    """Make a run for each active provider whose hour has come, and hand them to the queue.

    Safe to call at any moment and from several processes at once: the provider's next due time is moved by a
    conditional update, and only who moved it makes the run. After an outage it makes one run, not one per missed hour.
    """
    runs = []
    for provider in Provider.objects.due(now):
        still_due = Provider.objects.filter(
            Q(next_due_at=None) | Q(next_due_at__lte=now), pk=provider.pk, paused_at=None
        )
        if still_due.update(next_due_at=next_hourly_sync(provider, now)) == 1:
            runs.append(request_sync(provider=provider, trigger=SyncRun.Trigger.HOURLY, now=now))
    _enqueue_new(runs, now)
    return runs


def request_nightly_syncs(*, now: datetime) -> list[SyncRun]:
    """Once a UTC day, make a run over the last 35 days for each active provider: what was restated late comes in.

    Safe to call at any moment, as request_hourly_syncs.
    """
    if now.time() < NIGHTLY_FROM:
        return []
    today = now.date()
    runs = []
    for provider in Provider.objects.active():
        not_yet = Provider.objects.filter(Q(nightly_on=None) | Q(nightly_on__lt=today), pk=provider.pk, paused_at=None)
        if not_yet.update(nightly_on=today) == 1:
            run = request_sync(
                provider=provider,
                trigger=SyncRun.Trigger.NIGHTLY,
                now=now,
                requested_from=today - timedelta(days=NIGHTLY_DAYS - 1),
                requested_to=today,
            )
            runs.append(run)
    _enqueue_new(runs, now)
    return runs


def next_hourly_sync(provider: Provider, now: datetime) -> datetime:
    """When the provider is due after ``now``: soon after the next full hour."""
    following_hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return following_hour + timedelta(seconds=provider.pk * _SPREAD_STEP % SPREAD_SECONDS)


def _enqueue_new(runs: Iterable[SyncRun], now: datetime) -> None:
    for run in runs:
        if run.enqueued_at is None:
            enqueue_quietly(run=run, now=now)


def enqueue_lost_runs(*, now: datetime, patience: timedelta = PATIENCE) -> list[SyncRun]:
    """Hand over again what no worker holds: lost with the broker, with a worker, or never handed over."""
    lost = list(SyncRun.objects.lost(now, patience).select_related("provider"))
    return [run for run in lost if enqueue_quietly(run=run, now=now)]
