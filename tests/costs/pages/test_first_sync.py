"""While the first sync runs, everything on the page says the same: what is known, and what is still to come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from providers.models import Provider, SyncRun
from tests.factories import NOW, make_project, make_provider, make_run
from tests.pages import page_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def make_new(**run: Any) -> Provider:
    """A provider whose initial sync has not ended."""
    provider = make_provider(name="Production", last_synced_at=None)
    make_run(provider=provider, trigger=SyncRun.Trigger.CONNECT, **run)
    return provider


def poll(client: Client, provider: Provider, query: str = "") -> Any:
    return client.get(f"/providers/{provider.pk}/progress/{query}", headers={"HX-Request": "true"})


@pytest.mark.parametrize(
    ("run", "heading"),
    [
        ({}, "Initial sync is waiting for a worker"),
        ({"stage": "keys", "started_at": NOW}, "Initial sync is running"),
        ({"stage": "usage", "started_at": NOW, "keys_found": 305, "days_total": 365}, "Initial sync is running"),
    ],
    ids=["queued", "listing", "reading"],
)
def test_one_sentence_says_how_far_it_is(signed_in: Client, run: dict[str, Any], heading: str) -> None:
    """The rest of the page says that it goes on, whatever the stage; nothing says that there was none."""
    provider = make_new(**run)

    page = page_of(signed_in, provider.get_absolute_url())

    assert page.count(heading) == 1
    assert "Syncing First sync in progress ElevenLabs" in page
    assert "In progress" in page[page.index("Sync history") :]
    for other in ("Not synced yet", "Waiting for a worker", "Reading usage", "No API keys yet"):
        assert other not in page, other


def test_keys_are_announced_only_until_they_are_found(signed_in: Client) -> None:
    """A list without any says so."""
    provider = make_new(stage="keys", started_at=NOW)
    before = page_of(signed_in, provider.get_absolute_url())
    SyncRun.objects.update(stage="usage", keys_found=0)

    after = page_of(signed_in, provider.get_absolute_url())

    assert "API keys appear here as soon as they are found." in before
    assert "appear here as soon as they are found" not in after
    assert "No API keys are listed. Those that are used appear here with their usage." in after


def test_page_without_keys_loads_again_once_there_are_some(signed_in: Client) -> None:
    """Else it would go on announcing what the progress list has counted."""
    provider = make_new(stage="usage", started_at=NOW, keys_found=1)
    waiting = poll(signed_in, provider, "?shows_keys=no")
    make_project(provider=provider)

    assert 'hx-vals=\'{"shows_keys": "no"}\'' in waiting.content.decode()
    assert "HX-Refresh" not in waiting
    assert poll(signed_in, provider, "?shows_keys=no")["HX-Refresh"] == "true"


def test_page_with_keys_is_left_alone(signed_in: Client) -> None:
    """Somebody may be choosing some."""
    provider = make_new(stage="usage", started_at=NOW, keys_found=1)
    make_project(provider=provider)

    page = signed_in.get(provider.get_absolute_url()).content.decode()
    polled = poll(signed_in, provider)

    assert "hx-vals" not in page[page.index('id="progress"') : page.index('id="progress-title"')]
    assert "HX-Refresh" not in polled
    assert "hx-vals" not in polled.content.decode()


def test_list_of_providers_says_the_same(signed_in: Client) -> None:
    """Beside "Syncing" nothing says that there was no sync."""
    provider = make_new(stage="usage", started_at=NOW)
    Provider.objects.filter(pk=provider.pk).update(claimed_by="a worker", claimed_until=NOW + timedelta(minutes=1))

    page = page_of(signed_in, "/providers/")

    assert "ElevenLabs Syncing First sync in progress" in page
