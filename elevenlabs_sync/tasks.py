"""The worker's side of a sync: an id comes in, the sync is called."""

from celery import shared_task
from celery.signals import worker_shutting_down

from core import log_context
from elevenlabs_sync.sync import run_sync, stopping


@shared_task
def sync_elevenlabs(run_id: int) -> None:
    with log_context.for_run(run_id):
        run_sync(run_id)


@worker_shutting_down.connect
def stop_running_syncs(**_signal: object) -> None:
    """Let syncs in this process's threads stop at the next safe point; a prefork worker's children finish theirs."""
    stopping.set()
