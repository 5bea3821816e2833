"""Connecting a workspace: tried first, stored whole or not at all, never twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from pytest_django.fixtures import Settings

from core.secrets import ApiKey
from providers.models import Provider, SyncRun
from providers.registry import KeyRefusedError
from providers.services.connecting import AlreadyConnectedError, connect_provider
from tests.conftest import FakeType
from tests.factories import API_KEY, NOW, TODAY, make_keyless, make_project, make_provider

pytestmark = pytest.mark.django_db

OTHER_KEY = "sk_" + "0" * 48


def connect(**overrides: Any) -> tuple[Provider, SyncRun]:
    fields: dict[str, Any] = {
        "type": "elevenlabs",
        "name": "Production",
        "region": "global",
        "api_key": ApiKey(API_KEY),
        "now": NOW,
    } | overrides
    return connect_provider(**fields)


def test_provider_and_its_first_run_are_stored(elevenlabs: FakeType) -> None:
    """The run waits; handing it over is the caller's act, after the commit."""
    provider, run = connect()

    assert provider.api_key.reveal() == API_KEY
    assert (run.provider, run.trigger, run.started_at) == (provider, SyncRun.Trigger.CONNECT, None)
    assert elevenlabs.checked == [(API_KEY, "global")]
    assert elevenlabs.enqueued == []


@pytest.mark.usefixtures("elevenlabs")
@pytest.mark.parametrize("days", [1, 30, 365])
def test_history_reaches_back_as_many_days_as_set(settings: Settings, days: int) -> None:
    """Today is one of them."""
    settings.SYNC_BACKFILL_DAYS = days

    provider, _run = connect()

    assert (TODAY - provider.history_from).days + 1 == days


@pytest.mark.usefixtures("elevenlabs")
def test_first_hourly_sync_is_due_after_the_next_full_hour() -> None:
    """Until then the initial one runs."""
    provider, _run = connect()

    assert provider.next_due_at is not None
    assert timedelta(minutes=30) <= provider.next_due_at - NOW < timedelta(minutes=40)


def test_refused_key_stores_nothing(elevenlabs: FakeType) -> None:
    """No provider, no run."""
    elevenlabs.refusal = "Could not connect: no."

    with pytest.raises(KeyRefusedError, match=r"Could not connect: no\."):
        connect()

    assert (Provider.objects.count(), SyncRun.objects.count()) == (0, 0)


@pytest.mark.parametrize("name", ["Production", "PRODUCTION"])
def test_taken_name_is_refused_before_the_key_is_tried(elevenlabs: FakeType, name: str) -> None:
    """Whatever its capitals."""
    make_provider(name="Production", api_key=OTHER_KEY)

    with pytest.raises(ValidationError, match="already exists"):
        connect(name=name)

    assert elevenlabs.checked == []


@pytest.mark.parametrize("name", ["", "n" * 121])
def test_name_that_does_not_fit_is_refused(elevenlabs: FakeType, name: str) -> None:
    """Blank or too long."""
    with pytest.raises(ValidationError):
        connect(name=name)

    assert elevenlabs.checked == []


def test_same_key_is_refused_before_it_is_tried(elevenlabs: FakeType) -> None:
    """Whatever the region: it is the same workspace."""
    make_provider(name="First", api_key=API_KEY)

    with pytest.raises(AlreadyConnectedError, match='already connected as "First"'):
        connect(region="eu")

    assert elevenlabs.checked == []


def test_other_key_of_a_connected_workspace_is_refused(elevenlabs: FakeType) -> None:
    """The API keys that it was seen to use give it away."""
    known = make_project(provider=make_provider(name="First", api_key=OTHER_KEY))
    elevenlabs.project_ids = frozenset({known.external_id, "another"})

    with pytest.raises(AlreadyConnectedError, match='already connected as "First"'):
        connect()

    assert Provider.objects.count() == 1


def test_workspace_of_another_region_is_another_workspace(elevenlabs: FakeType) -> None:
    """Hashes are compared within a region; usage without a key tells nothing."""
    first = make_provider(name="First", api_key=OTHER_KEY, region="eu")
    elevenlabs.project_ids = frozenset(
        {make_project(provider=first).external_id, make_keyless(provider=first).external_id}
    )

    connect()

    assert Provider.objects.count() == 2
