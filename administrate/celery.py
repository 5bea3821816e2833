"""The Celery application that worker, beat and web share, with signs of life and ids for the log."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from celery import Celery, signals

from administrate.garbage import look_seldom, spare_what_is_loaded
from core import log_context

if TYPE_CHECKING:
    from administrate.heartbeats import WorkerPulse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "administrate.settings")
# A worker shows no pages, and Django's checks would load them all.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

look_seldom()
app = Celery("administrate")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Only the clock ever sends it, once a minute.
TICK = "syncing.tasks.sweep"

_REQUEST_ID = "administrate_request_id"
_pulses: list[WorkerPulse] = []


@signals.setup_logging.connect
def keep_our_logging(loglevel: int | str | None = None, **_signal: object) -> None:
    """Celery writes its log as everybody else does; `--loglevel` says how much of it."""
    if loglevel:
        logging.getLogger("celery").setLevel(loglevel)


@signals.before_task_publish.connect
def pass_the_request_on(headers: dict[str, Any], **_signal: object) -> None:
    """Give log lines of a task the id of the request that queued it."""
    if identifier := log_context.request_id.get():
        headers[_REQUEST_ID] = identifier


@signals.task_prerun.connect
def take_the_request_over(task: Any, **_signal: object) -> None:
    log_context.request_id.set(task.request.get(_REQUEST_ID) or "")


@signals.beat_init.connect
@signals.beat_embedded_init.connect
@signals.before_task_publish.connect(sender=TICK)
def clock_ticks(**_signal: object) -> None:
    from administrate.heartbeats import give_sign_of_life
    from administrate.models import Heartbeat

    give_sign_of_life(Heartbeat.Kind.BEAT)


@signals.worker_process_init.connect
def worker_process_begins(**_signal: object) -> None:
    spare_what_is_loaded()


@signals.worker_ready.connect
def worker_is_ready(sender: Any, **_signal: object) -> None:
    from administrate.heartbeats import WorkerPulse

    pulse = WorkerPulse(sender.hostname)
    pulse.start()
    _pulses.append(pulse)


@signals.worker_shutdown.connect
def worker_ends(**_signal: object) -> None:
    while _pulses:
        _pulses.pop().stop()
