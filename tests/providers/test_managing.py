"""What an operator does with a connected provider: the services."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from core.secrets import ApiKey
from costs.models import DailyUsage
from providers import registry
from providers.models import Assignment, Company, Project, Provider, SyncRun
from providers.services import managing
from providers.services.connecting import AlreadyConnectedError
from tests.conftest import FakeType
from tests.factories import (
    API_KEY,
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_run,
    make_usage,
)

pytestmark = pytest.mark.django_db

NEW_KEY = "sk_" + "a1b2c3d4" * 6


def replace(provider: Provider, *, key: str = NEW_KEY, confirmed: bool = False) -> SyncRun:
    return managing.replace_key(provider=provider, api_key=ApiKey(key), now=NOW, confirmed_same_workspace=confirmed)


def stored_key(provider: Provider) -> str:
    return Provider.objects.get(pk=provider.pk).api_key.reveal()


# Renaming -------------------------------------------------------------------------------------------------------------


def test_a_provider_is_renamed() -> None:
    """Blanks around and within are tidied."""
    provider = make_provider(name="Old")

    managing.rename_provider(provider=provider, name="  New   name ")

    assert Provider.objects.get().name == "New name"


def test_a_name_that_is_taken_is_refused() -> None:
    """Whatever its capitals; its own in other capitals is no other's."""
    make_provider(name="Taken")
    provider = make_provider(name="Mine")

    with pytest.raises(ValidationError, match="already exists"):
        managing.rename_provider(provider=provider, name="TAKEN")
    managing.rename_provider(provider=Provider.objects.get(pk=provider.pk), name="MINE")

    assert Provider.objects.get(pk=provider.pk).name == "MINE"


def test_a_disconnected_provider_is_renamed_too() -> None:
    """It has no key, which is no reason."""
    provider = make_provider(name="Old")
    managing.disconnect_provider(provider=provider, now=NOW)
    provider.refresh_from_db()

    managing.rename_provider(provider=provider, name="New")

    assert Provider.objects.get().name == "New"


# Pausing --------------------------------------------------------------------------------------------------------------


def test_a_paused_provider_is_not_due_and_what_waited_is_dropped() -> None:
    """A range that a person asked for stays wanted."""
    provider = make_provider(next_due_at=NOW)
    make_run(provider=provider)
    named = make_run(provider=provider, requested_from=TODAY, requested_to=TODAY)

    managing.pause_provider(provider=provider, now=NOW)

    assert not Provider.objects.due(NOW).exists()
    assert list(SyncRun.objects.unfinished()) == [named]


def test_pausing_again_changes_nothing() -> None:
    """Since when, and why, stays."""
    provider = make_provider(paused_at=NOW - timedelta(days=1), pause_reason="The API key was refused.")

    managing.pause_provider(provider=provider, now=NOW)

    provider.refresh_from_db()
    assert (provider.paused_at, provider.pause_reason) == (NOW - timedelta(days=1), "The API key was refused.")


def test_resuming_makes_it_due_at_once() -> None:
    """And forgets why it had paused."""
    provider = make_provider(paused_at=NOW, pause_reason="x", refused_since=NOW, next_due_at=NOW + timedelta(hours=1))

    managing.resume_provider(provider=provider, now=NOW)

    provider.refresh_from_db()
    assert (provider.paused_at, provider.pause_reason, provider.refused_since) == (None, "", None)
    assert list(Provider.objects.due(NOW)) == [provider]


def test_a_disconnected_provider_is_not_resumed() -> None:
    """It has no key to sync with."""
    provider = make_provider()
    managing.disconnect_provider(provider=provider, now=NOW)

    managing.resume_provider(provider=provider, now=NOW)

    assert not Provider.objects.due(NOW + timedelta(days=1)).exists()


# Replacing the key ----------------------------------------------------------------------------------------------------


def test_a_key_of_the_same_workspace_takes_the_old_ones_place(elevenlabs: FakeType) -> None:
    """Recognised by the API keys that it shows in use; a sync with it is wanted."""
    provider = make_provider(failure_code="invalid_key", failure_text="x", failing_since=NOW, refused_since=NOW)
    known = make_project(provider=provider)
    elevenlabs.project_ids = frozenset({known.external_id, "f" * 64})

    run = replace(provider)

    provider.refresh_from_db()
    assert stored_key(provider) == NEW_KEY
    assert (provider.failure_code, provider.failing_since, provider.refused_since) == ("", None, None)
    assert (run.provider, run.trigger) == (provider, SyncRun.Trigger.MANUAL)


def test_a_refused_key_changes_nothing(elevenlabs: FakeType) -> None:
    """The old one stays and keeps syncing."""
    provider = make_provider()
    elevenlabs.refusal = "Could not connect: no."

    with pytest.raises(registry.KeyRefusedError):
        replace(provider)

    assert stored_key(provider) == API_KEY
    assert not SyncRun.objects.exists()


def test_a_key_of_another_workspace_is_refused_even_when_confirmed(elevenlabs: FakeType) -> None:
    """None of the API keys that it shows in use is known here."""
    provider = make_provider()
    make_project(provider=provider)
    elevenlabs.project_ids = frozenset({"f" * 64})

    with pytest.raises(managing.OtherWorkspaceError):
        replace(provider, confirmed=True)

    assert stored_key(provider) == API_KEY


@pytest.mark.parametrize("knows_keys", [True, False])
def test_where_nothing_shows_the_workspace_a_person_confirms_it(elevenlabs: FakeType, *, knows_keys: bool) -> None:
    """No key in use on one side or the other."""
    provider = make_provider()
    if knows_keys:
        make_project(provider=provider)
    elevenlabs.project_ids = frozenset() if knows_keys else frozenset({"f" * 64})

    with pytest.raises(managing.UnconfirmedWorkspaceError):
        replace(provider)
    before = stored_key(provider)
    replace(provider, confirmed=True)

    assert (before, stored_key(provider)) == (API_KEY, NEW_KEY)


def test_the_same_key_again_needs_no_confirmation(elevenlabs: FakeType) -> None:
    """It opens what it opened before."""
    provider = make_provider()

    replace(provider, key=API_KEY)

    assert stored_key(provider) == API_KEY


def test_a_key_that_another_provider_has_is_refused(elevenlabs: FakeType) -> None:
    """Before it is tried."""
    make_provider(name="Twin", api_key=NEW_KEY)
    provider = make_provider()

    with pytest.raises(AlreadyConnectedError, match="Twin"):
        replace(provider)

    assert elevenlabs.checked == []


def test_a_pause_that_a_refused_key_caused_ends_with_the_new_key(elevenlabs: FakeType) -> None:
    """One that a person made stays."""
    by_itself = make_provider(paused_at=NOW, pause_reason="The API key was refused.")
    by_hand = make_provider(api_key="sk_" + "0" * 48, paused_at=NOW)

    replace(by_itself, confirmed=True)
    replace(by_hand, key="sk_" + "9" * 48, confirmed=True)

    by_itself.refresh_from_db()
    by_hand.refresh_from_db()
    assert (by_itself.paused_at, by_itself.pause_reason) == (None, "")
    assert by_hand.paused_at == NOW


# Letting go -----------------------------------------------------------------------------------------------------------


def test_disconnecting_forgets_the_key_and_keeps_the_rest() -> None:
    """Projects, assignments, usage and finished runs; what waited is dropped."""
    usage = make_usage()
    provider = usage.project.provider
    make_assignment(project=usage.project, company=make_company())
    ended = make_run(provider=provider, outcome="succeeded", finished_at=NOW)
    make_run(provider=provider)

    managing.disconnect_provider(provider=provider, now=NOW)

    provider.refresh_from_db()
    assert (provider.encrypted_key, provider.key_last_four, provider.key_fingerprint) == ("", "", "")
    assert provider.status(NOW) == Provider.Status.DISCONNECTED
    assert (DailyUsage.objects.count(), Assignment.objects.count()) == (1, 1)
    assert list(SyncRun.objects.all()) == [ended]
    assert not Provider.objects.due(NOW + timedelta(days=1)).exists()


def test_several_providers_can_be_disconnected() -> None:
    """Having no key is not having the same key."""
    one, two = make_provider(), make_provider(api_key=NEW_KEY)

    managing.disconnect_provider(provider=one, now=NOW)
    managing.disconnect_provider(provider=two, now=NOW)

    assert Provider.objects.exclude(disconnected_at=None).count() == 2


def test_a_key_connects_a_disconnected_provider_again(elevenlabs: FakeType) -> None:
    """Resumed, it syncs by itself again."""
    provider = make_provider()
    known = make_project(provider=provider)
    managing.disconnect_provider(provider=provider, now=NOW)
    provider.refresh_from_db()
    elevenlabs.project_ids = frozenset({known.external_id})

    replace(provider)
    managing.resume_provider(provider=provider, now=NOW)

    provider.refresh_from_db()
    assert provider.status(NOW) == Provider.Status.CONNECTED
    assert list(Provider.objects.due(NOW)) == [provider]


def test_deleting_takes_all_of_it_and_leaves_the_companies() -> None:
    """And other providers' rows."""
    usage, other = make_usage(), make_usage()
    make_assignment(project=usage.project, company=make_company())
    provider = usage.project.provider
    make_run(provider=provider)

    managing.delete_provider(provider=provider, confirmed_name=f" {provider.name} ")

    assert list(DailyUsage.objects.all()) == [other]
    assert (Project.objects.count(), Assignment.objects.count(), SyncRun.objects.count()) == (1, 0, 0)
    assert Company.objects.count() == 1


@pytest.mark.parametrize("name", ["", "production", "Production ElevenLab"])
def test_deleting_asks_for_the_exact_name(name: str) -> None:
    """Nothing goes without it."""
    provider = make_provider(name="Production ElevenLabs")

    with pytest.raises(ValidationError, match="Production ElevenLabs"):
        managing.delete_provider(provider=provider, confirmed_name=name)

    assert Provider.objects.exists()
