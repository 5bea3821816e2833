"""Signs of life of the clock and of workers, and the page that shows them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from administrate import __version__
from administrate.celery import TICK, app
from administrate.heartbeats import WorkerPulse, give_sign_of_life
from administrate.models import Heartbeat
from providers.services.queueing import PATIENCE
from tests.factories import NOW, make_provider, make_run
from tests.services.processes import wait_for

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def sign(kind: str, name: str = "", *, age: timedelta = timedelta(seconds=5), version: str = __version__) -> Heartbeat:
    return Heartbeat.objects.create(kind=kind, name=name, version=version, seen_at=NOW - age)


def test_sign_of_life_is_one_row_that_moves(now: object) -> None:
    """However often it is given."""
    sign("worker", "celery@one", age=timedelta(minutes=9), version="0.0.1")

    give_sign_of_life(Heartbeat.Kind.WORKER, "celery@one")

    row = Heartbeat.objects.get()
    assert (row.seen_at, row.version, row.is_alive(NOW)) == (NOW, __version__, True)


def test_who_is_gone_for_a_day_is_forgotten(now: object) -> None:
    """A container's name never comes back."""
    sign("worker", "celery@gone", age=timedelta(days=2))

    give_sign_of_life(Heartbeat.Kind.BEAT)

    assert [str(row) for row in Heartbeat.objects.all()] == ["Beat"]


def test_database_that_is_away_stops_nobody(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The clock ticks on, and the log says what is missing in one line."""

    def away(*_arguments: object, **_options: object) -> None:
        raise OperationalError("server closed the connection\n\tunexpectedly")

    monkeypatch.setattr("django.db.models.query.QuerySet.bulk_create", away)

    give_sign_of_life(Heartbeat.Kind.BEAT)

    assert "No sign of life could be left in the database: server closed the connection" in caplog.text


def test_only_the_tick_is_a_sign_of_the_clock() -> None:
    """“Sync now” in the web says nothing about beat."""
    app.send_task("syncing.tasks.sync", [0])
    assert not Heartbeat.objects.exists()

    app.send_task(TICK)

    assert Heartbeat.objects.beats().count() == 1
    with app.connection_for_write() as connection:
        channel: Any = connection.default_channel
        channel.queue_purge(app.conf.task_default_queue)


@pytest.mark.django_db(transaction=True)
def test_worker_gives_signs_until_it_ends() -> None:
    """From its first moment; one that ends in order leaves nothing behind."""
    pulse = WorkerPulse("celery@one")
    pulse.start()
    wait_for(Heartbeat.objects.workers().alive(timezone.now()).exists, seconds=5, what="seen")

    pulse.stop()

    assert not Heartbeat.objects.exists()


def test_about_tells_that_all_is_well(signed_in: Client) -> None:
    """Version, engine, the clock, the workers, the queue."""
    sign("beat")
    sign("worker", "celery@one", age=timedelta(seconds=70))
    make_run(provider=make_provider())

    page = signed_in.get("/settings/about/").content.decode()

    for words in (
        "Last beat just now",
        "celery@one",
        "1 min ago",
        "In this process",
        "0 at work, 1 waiting",
        "SQLite 3",
    ):
        assert words in page or (words == "SQLite 3" and "PostgreSQL 1" in page), words
    assert f"<dd>{__version__}</dd>" in page
    assert "nothing syncs by itself" not in page


def test_about_tells_what_is_missing(signed_in: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what to do about it."""
    settings.EMBEDDED = False
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:9/0")
    sign("beat", age=timedelta(hours=3))
    sign("worker", "celery@one", age=PATIENCE)
    late = make_provider(name="Sleepy <workspace>", last_synced_at=NOW - timedelta(hours=3))

    page = signed_in.get("/settings/about/").content.decode()

    assert "Last beat 3 hours ago" in page
    assert "Start it: celery -A administrate beat" in page
    assert "Silent" in page
    assert "Unreachable" in page
    assert f'<a href="{late.get_absolute_url()}"><bdi>Sleepy &lt;workspace&gt;</bdi></a>' in page


def test_about_of_a_new_installation(signed_in: Client) -> None:
    """Nothing was seen yet."""
    page = signed_in.get("/settings/about/").content.decode()

    assert "No beat seen yet" in page
    assert "No worker has been seen" in page
    assert "Not yet" in page


def test_about_costs_few_queries(signed_in: Client, django_assert_max_num_queries: object) -> None:
    """However many workers and providers."""
    assert callable(django_assert_max_num_queries)
    for number in range(5):
        sign("worker", f"celery@{number}")
        make_provider()

    with django_assert_max_num_queries(10):
        signed_in.get("/settings/about/")
