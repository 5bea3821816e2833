"""What machines ask: is the process up, and can it do its work?"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django.fixtures import Settings

from administrate.celery import app
from administrate.models import Heartbeat

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def test_healthz_needs_nothing(client: Client, django_assert_num_queries: object) -> None:
    """Neither a login nor the database."""
    assert callable(django_assert_num_queries)
    with django_assert_num_queries(0):
        answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_readyz_says_what_works(client: Client) -> None:
    """Without a login: database and queue, and that nobody was seen at work yet."""
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "broker": "in this process", "last_beat": None, "workers": 0}


def test_readyz_tells_who_is_at_work(client: Client, now: datetime) -> None:
    """When the clock last ticked, and how many workers are alive; their names are nobody's business."""
    for kind, name, age in [("beat", "", 20), ("worker", "celery@one", 20), ("worker", "celery@two", 600)]:
        Heartbeat.objects.create(kind=kind, name=name, version="1", seen_at=now - timedelta(seconds=age))

    answer = client.get("/readyz")

    assert answer.json() | {"broker": ""} == {
        "database": "ok",
        "broker": "",
        "last_beat": "2026-11-22T12:29:40+00:00",
        "workers": 1,
    }


def test_missing_migration_is_not_ready(client: Client) -> None:
    """503, so that nobody is sent here."""
    MigrationRecorder(connection).record_unapplied("contenttypes", "0002_remove_content_type_name")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["database"] == "not migrated"


def test_missing_broker_is_named_and_does_not_fail(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages work without it."""
    settings.EMBEDDED = False
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:9/0")

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["broker"] == "unreachable"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_only_reading_is_allowed(client: Client, path: str, method: str) -> None:
    """There is nothing to change."""
    assert getattr(client, method)(path).status_code == 405


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_answers_are_never_cached(client: Client, path: str) -> None:
    """An old answer says nothing."""
    assert "no-store" in client.get(path)["cache-control"]
