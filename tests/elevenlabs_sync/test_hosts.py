"""Which addresses can be called at all."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from core.days import utc_now
from elevenlabs_sync import hosts
from elevenlabs_sync.provider_type import ElevenLabs
from elevenlabs_sync.simulator import stop_running
from elevenlabs_sync.simulator.running import workspace_today
from providers.models import Provider
from syncing.reader import SyncSession
from tests.factories import NOW, TODAY, make_provider


@pytest.mark.parametrize(
    ("region", "address"),
    [
        ("global", "https://api.elevenlabs.io"),
        ("us", "https://api.us.elevenlabs.io"),
        ("eu", "https://api.eu.residency.elevenlabs.io"),
        ("in", "https://api.in.residency.elevenlabs.io"),
        ("sg", "https://api.sg.residency.elevenlabs.io"),
    ],
)
def test_region_has_its_host(region: str, address: str, settings: Settings) -> None:
    """The five hosts, by name."""
    settings.ELEVENLABS_BASE_URL = ""

    assert hosts.base_url(region) == address


def test_base_url_of_the_environment_replaces_the_global_host_only(settings: Settings) -> None:
    """A key of a residency workspace never goes to the stand-in."""
    settings.ELEVENLABS_BASE_URL = "http://127.0.0.1:9"

    assert hosts.base_url("global") == "http://127.0.0.1:9"
    assert hosts.base_url("eu") == "https://api.eu.residency.elevenlabs.io"


@pytest.mark.parametrize("text", ["", "GLOBAL", "http://127.0.0.1:9", "evil.example", "../us", "global\n"])
def test_no_other_text_is_an_address(text: str) -> None:
    """Nothing that a person could type is called."""
    with pytest.raises(KeyError):
        hosts.base_url(text)


def test_simulated_region_is_this_process_alone(settings: Settings) -> None:
    """In the embedded default the simulated region is a loopback port of ours."""
    settings.EMBEDDED = True

    try:
        assert hosts.base_url(hosts.SIMULATED).startswith("http://127.0.0.1:")
    finally:
        stop_running()


@pytest.mark.django_db
def test_simulated_region_is_read_as_it_was_connected(settings: Settings) -> None:
    """Its history is the same however often the process starts anew."""
    settings.EMBEDDED = True
    provider = make_provider(region=hosts.SIMULATED)
    Provider.objects.update(created_at=NOW - timedelta(days=90))
    provider.refresh_from_db()

    try:
        with ElevenLabs().open_reader(provider, session=SyncSession(call=lambda request: request(), clock=utc_now)):
            incident = workspace_today().incident
    finally:
        stop_running()

    assert max(incident) == TODAY - timedelta(days=92)


def test_production_knows_no_simulated_region(settings: Settings) -> None:
    """Outside the embedded default it neither is offered nor has an address."""
    settings.EMBEDDED = False

    assert hosts.SIMULATED not in [region.slug for region in hosts.regions()]
    with pytest.raises(KeyError):
        hosts.base_url(hosts.SIMULATED)


def test_global_is_offered_first(settings: Settings) -> None:
    """The default region stands first, the simulated one last."""
    settings.EMBEDDED = True

    assert [region.slug for region in hosts.regions()] == ["global", "us", "eu", "in", "sg", "simulated"]
