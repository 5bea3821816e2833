"""The form that connects a provider, and the simulated workspace beside it."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from providers.models import Provider, SyncRun
from tests.conftest import FakeType
from tests.factories import (
    make_provider,
)

pytestmark = pytest.mark.any_engine


ADD = "/providers/add/"
KEY = "sk_" + "0123456789abcdef" * 3
VALID = {"provider_type": "elevenlabs", "name": "Production ElevenLabs", "api_key": KEY, "region": "global"}


def test_connecting_stores_the_provider_and_starts_its_initial_sync(signed_in: Client, elevenlabs: FakeType) -> None:
    """A good key leads to the provider's page with the initial sync handed to the queue."""
    response = signed_in.post(ADD, VALID)

    provider = Provider.objects.get()
    run = SyncRun.objects.get()
    assert response.status_code == 302
    assert response["Location"] == provider.get_absolute_url()
    assert (run.trigger, elevenlabs.enqueued) == (SyncRun.Trigger.CONNECT, [run.pk])
    assert elevenlabs.checked == [(KEY, "global")]


def test_connecting_succeeds_while_the_queue_is_away(signed_in: Client, elevenlabs: FakeType) -> None:
    """The run is a row: the sweep hands it over later."""
    elevenlabs.queue_is_down = True

    signed_in.post(ADD, VALID)

    assert SyncRun.objects.get().enqueued_at is None


def test_a_blank_form_names_what_is_missing(signed_in: Client, elevenlabs: FakeType) -> None:
    """422, "Error:" in the title, a summary with links to the fields, nothing stored."""
    response = signed_in.post(ADD, VALID | {"name": "", "api_key": ""})

    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: Add Provider" in page
    assert "There is a problem" in page
    assert '<a href="#id_api_key">Enter an API key.</a>' in page
    assert '<a href="#id_name">Enter a name.</a>' in page
    assert not Provider.objects.exists()


def test_a_refused_key_is_said_and_never_echoed(signed_in: Client, elevenlabs: FakeType) -> None:
    """The provider's own words appear, type and name stay, the key is gone, nothing is stored."""
    elevenlabs.refusal = "Could not connect: ElevenLabs did not accept this key."

    response = signed_in.post(ADD, VALID)

    page = response.content.decode()
    assert response.status_code == 422
    assert elevenlabs.refusal in page
    assert 'value="Production ElevenLabs"' in page
    assert KEY not in page
    assert not Provider.objects.exists()
    assert not SyncRun.objects.exists()


def test_the_same_key_twice_names_the_provider_that_has_it(signed_in: Client, elevenlabs: FakeType) -> None:
    """A workspace counted twice would double every figure."""
    make_provider(name="First", api_key=KEY)

    response = signed_in.post(ADD, VALID)

    assert response.status_code == 422
    assert "This workspace is already connected as &quot;First&quot;" in response.content.decode()
    assert elevenlabs.checked == []


def test_a_name_that_is_taken_is_refused_whatever_its_capitals(signed_in: Client, elevenlabs: FakeType) -> None:
    """Before the key is tried."""
    make_provider(name="production elevenlabs")

    response = signed_in.post(ADD, VALID)

    assert "A provider with this name already exists." in response.content.decode()
    assert elevenlabs.checked == []


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "x" * 1_000_000},
        {"name": "a\0b"},
        {"api_key": "x" * 10_000},
        {"api_key": "with a space"},
        {"api_key": "line\r\nbreak"},
        {"api_key": "schlüssel"},
        {"region": "https://evil.example"},
        {"provider_type": "nobody"},
    ],
    ids=str,
)
def test_hostile_input_is_refused_with_a_sentence(signed_in: Client, elevenlabs: FakeType, bad: dict[str, str]) -> None:
    """Nothing of it is tried, stored, or answered with an error of the server's own."""
    response = signed_in.post(ADD, VALID | bad)

    assert response.status_code == 422
    assert elevenlabs.checked == []
    assert not Provider.objects.exists()


def test_the_form_shows_how_to_get_a_key(signed_in: Client, elevenlabs: FakeType) -> None:
    """Four steps, the permission, the advice, and a masked field."""
    page = signed_in.get(ADD).content.decode()

    assert "Use a key made only for cost tracking. It is stored encrypted and never shown again." in page
    assert "workspace_analytics_full_read" in page
    assert 'type="password"' in page
    assert 'data-busy="Checking key…"' in page


def test_the_simulated_workspace_is_one_click(signed_in: Client, elevenlabs: FakeType) -> None:
    """Its key comes from the provider type, its region is the simulated one."""
    response = signed_in.post("/providers/try-simulated/")

    provider = Provider.objects.get()
    assert response["Location"] == provider.get_absolute_url()
    assert (provider.name, provider.region) == ("Simulated workspace", "simulated")


def test_the_simulated_workspace_exists_only_in_the_embedded_default(
    signed_in: Client, elevenlabs: FakeType, settings: Settings
) -> None:
    """In production there is none to connect."""
    settings.EMBEDDED = False

    response = signed_in.post("/providers/try-simulated/")

    assert response.status_code == 404


def test_a_second_simulated_workspace_is_refused_in_words(signed_in: Client, elevenlabs: FakeType) -> None:
    """A second click does not end in an error of the server's."""
    signed_in.post("/providers/try-simulated/")

    response = signed_in.post("/providers/try-simulated/")

    assert response.status_code == 422
    assert Provider.objects.count() == 1
