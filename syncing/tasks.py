"""Celery tasks: one that carries out a sync run, and those that beat sends every hour, every night and every minute.

Arguments are ids. A task may run twice, late or not at all without harm.
"""

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from core import log_context
from providers.services.queueing import enqueue_lost_runs, request_hourly_syncs, request_nightly_syncs
from syncing.engine import run_sync, stopping


@shared_task
def sync(run_id: int) -> None:
    """Carry out one sync run, of whatever provider type."""
    with log_context.for_run(run_id):
        run_sync(run_id)


@worker_shutting_down.connect
def stop_running_syncs(**_signal: object) -> None:
    """Let syncs in this process's threads stop at the next safe point; a prefork worker's children finish theirs."""
    stopping.set()


@shared_task
def enqueue_hourly_syncs() -> None:
    """One sync per active provider whose hour has come."""
    request_hourly_syncs(now=timezone.now())


@shared_task
def enqueue_nightly_syncs() -> None:
    """One sync of the last 35 days per active provider and day."""
    request_nightly_syncs(now=timezone.now())


@shared_task
def sweep() -> None:
    """What has become due since the last tick, what was missed while no clock ticked, what the queue has lost."""
    request_hourly_syncs(now=timezone.now())
    request_nightly_syncs(now=timezone.now())
    enqueue_lost_runs(now=timezone.now())
