"""The worker's side of a sync: what a message holds and what it starts."""

from __future__ import annotations

import pytest
from celery.signals import worker_shutting_down
from kombu.exceptions import OperationalError

from administrate.celery import app
from elevenlabs_sync.simulator import SIMULATED_API_KEY
from providers import registry
from providers.models import SyncRun
from providers.registry import Progress, QueueUnreachableError
from providers.services.queueing import enqueue
from syncing import tasks
from syncing.engine import stopping
from syncing.queue import CeleryEngine
from tests.elevenlabs_sync.worlds import NOW, World

pytestmark = pytest.mark.django_db


def test_task_carries_the_run_out(here: World) -> None:
    """The id of a run is all that the task needs."""
    run = here.run()

    tasks.sync.apply(args=(run.pk,))

    run.refresh_from_db()
    assert run.outcome == SyncRun.Outcome.SUCCEEDED


def test_message_holds_the_run_and_no_key(here: World) -> None:
    """The queue learns a number, nothing else of the provider."""
    run = here.run()

    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(app.conf.task_default_queue)
        queue.clear()  # this process keeps it from test to test
        enqueue(run=run, now=NOW)
        message = queue.get(block=False)
        message.ack()
        queue.close()
    args, kwargs, _embedded = message.payload
    assert (args, kwargs) == ([run.pk], {})
    assert SIMULATED_API_KEY not in f"{message.body!r} {message.headers} {message.properties}"
    assert here.provider.name not in f"{message.body!r} {message.headers}"


def test_engine_is_registered_for_the_rooms_below() -> None:
    """They ask for a sync by the registry, and import nothing of it."""
    assert isinstance(registry.engine(), CeleryEngine)


def test_unreachable_queue_is_told(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the broker's library says, the product has one word for it."""

    def away(_run_id: int) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.sync, "delay", away)

    with pytest.raises(QueueUnreachableError):
        CeleryEngine().enqueue(here.run().pk)


def test_sync_in_this_process_shows_its_progress(here: World) -> None:
    """Days done of days in all, up to the last."""
    run = here.run(requested_from=here.first_day, requested_to=here.first_day)
    seen: list[Progress] = []

    ended = CeleryEngine().sync(run.pk, on_progress=seen.append)

    assert ended is not None
    assert ended.outcome == SyncRun.Outcome.SUCCEEDED
    assert seen == [Progress(days_done=0, days_total=1), Progress(days_done=1, days_total=1)]


def test_end_of_the_worker_stops_running_syncs() -> None:
    """When the worker is told to end, syncs in its threads are told as well."""
    worker_shutting_down.send(sender="test", sig="SIGTERM", how="Warm", exitcode=0)

    assert stopping.is_set()
    stopping.clear()
