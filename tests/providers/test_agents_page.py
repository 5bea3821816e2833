"""What agents' usage belongs to: the setting, the history that is read again by it, and what is said of it."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.test import Client

from elevenlabs_sync.words import WORDS
from providers.models import Project, Provider, SyncRun
from providers.services.agents import read_history_again, set_agent_attribution
from providers.wording import how_agents_are_divided
from syncing.queue import CeleryEngine
from tests.conftest import FakeType
from tests.factories import NOW, TODAY, make_project, make_provider
from tests.pages import page_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

By = Provider.AttributesBy
FIRST_DAY = TODAY - timedelta(days=99)


@pytest.fixture
def provider(elevenlabs: FakeType) -> Provider:
    return make_provider(history_from=FIRST_DAY)


def test_another_setting_reads_the_whole_history_again(provider: Provider) -> None:
    """From the first day of use that is known, where that is earlier than the history."""
    make_project(provider=provider, first_used_on=date(2025, 1, 1))

    run = set_agent_attribution(provider=provider, attributes_by=By.AGENT, by_conversations=False, now=NOW)

    provider.refresh_from_db()
    assert run is not None
    assert (provider.attributes_by, run.requested_from, run.requested_to) == ("agent", date(2025, 1, 1), TODAY)


def test_the_same_setting_reads_nothing(provider: Provider) -> None:
    """There is nothing to move."""
    assert set_agent_attribution(provider=provider, attributes_by=By.KEY, by_conversations=False, now=NOW) is None
    assert not SyncRun.objects.exists()


def test_a_reading_that_has_begun_by_another_setting_is_not_enough(provider: Provider) -> None:
    """What it has read already went by the old one; one that waits will do."""
    begun = read_history_again(provider=provider, now=NOW)
    SyncRun.objects.filter(pk=begun.pk).update(started_at=NOW)

    second, third = (read_history_again(provider=provider, now=NOW) for _time in range(2))

    assert begun != second == third


def test_the_page_tells_the_requests_and_saves(admin_client: Client, provider: Provider) -> None:
    """Before anything is read again."""
    make_project(provider=provider, kind=Project.Kind.AGENT)

    before = page_of(admin_client, f"/providers/{provider.pk}/agents/")
    answer = admin_client.post(f"/providers/{provider.pk}/agents/", {"attributes_by": "agent"})

    assert re.search(r"by about \d+ requests", before)
    assert answer.status_code == 302
    assert SyncRun.objects.get().requested_from == FIRST_DAY


def test_sharing_by_conversations_is_chosen_there(admin_client: Client, provider: Provider) -> None:
    """It reads the history again as well."""
    admin_client.post(f"/providers/{provider.pk}/agents/", {"attributes_by": "key", "by_conversations": "on"})

    provider.refresh_from_db()
    assert provider.allocates_by_conversations
    assert SyncRun.objects.get().requested_from == FIRST_DAY


def test_history_is_read_again_at_one_click(admin_client: Client, provider: Provider) -> None:
    """By the setting that there is."""
    make_project(provider=provider, kind=Project.Kind.AGENT)

    admin_client.post(f"/providers/{provider.pk}/agents/", {"history": "1"})

    provider.refresh_from_db()
    assert provider.attributes_by == By.KEY
    assert SyncRun.objects.get().requested_from == FIRST_DAY


def test_a_paused_provider_changes_nothing(admin_client: Client, provider: Provider) -> None:
    """Its history could not be read."""
    Provider.objects.update(paused_at=NOW)

    answer = admin_client.post(f"/providers/{provider.pk}/agents/", {"attributes_by": "agent"})

    provider.refresh_from_db()
    assert (answer.status_code, provider.attributes_by) == (422, By.KEY)


@pytest.mark.parametrize(("agents", "requests"), [(0, 4), (1, 8), (100, 8), (101, 12)])
def test_requests_are_counted_by_window_and_hundred_agents(agents: int, requests: int) -> None:
    """A hundred days are four windows."""
    assert CeleryEngine().requests_for(FIRST_DAY, TODAY, agents=agents) == requests


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"agent_usage": "no_permission"}, "permission convai_read would let usage be divided"),
        ({"agent_usage": "told"}, "usage without a key is divided between them"),
        ({"agent_usage": "told", "attributes_by": "agent"}, "it is the agent's, whatever key carried it"),
        ({"agent_usage": "not_told"}, "does not tell here what each agent used: it stays with keys"),
        ({"agent_usage": "not_told", "allocates_by_conversations": True}, "is shared by conversations"),
        ({"cost_from": FIRST_DAY}, "billed by cost"),
        ({}, "No usage of these agents has been told"),
    ],
)
def test_which_way_a_workspace_went_is_one_sentence(fields: dict[str, object], said: str) -> None:
    """As syncs have found out."""
    sentence = how_agents_are_divided(Provider(**fields), WORDS, has_agents=True)

    assert said in sentence
    assert sentence.count(". ") == 0
