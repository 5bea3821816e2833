"""manage.py rename_provider, pause_provider, resume_provider, replace_provider_key, delete_provider"""

from __future__ import annotations

import pytest

from costs.models import DailyUsage
from providers.models import Provider, SyncRun
from providers.services.managing import disconnect_provider
from tests.conftest import FakeType
from tests.factories import API_KEY, NOW, make_project, make_provider, make_usage
from tests.providers.commands import ran, refused

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

NEW_KEY = "sk_" + "a1b2c3d4" * 6


@pytest.fixture
def production() -> Provider:
    return make_provider(name="Production")


def replace(*options: str) -> tuple[str, ...]:
    return ("replace_provider_key", "production", "--api-key-stdin", *options)


@pytest.mark.usefixtures("production")
def test_a_provider_is_renamed() -> None:
    """By its name, whatever its capitals."""
    assert ran("rename_provider", "production", "New name") == "Production is now called New name.\n"
    assert Provider.objects.get().name == "New name"


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("name", ["taken", "", "x" * 121])
def test_a_bad_name_is_refused(name: str) -> None:
    """Exit code 2, one line, nothing changed."""
    make_provider(name="Taken")

    refused("rename_provider", "Production", name, code=2)

    assert Provider.objects.filter(name="Production").exists()


@pytest.mark.usefixtures("production")
def test_pausing_and_resuming() -> None:
    """And again, which changes nothing."""
    for _ in range(2):
        assert ran("pause_provider", "Production") == "Syncing of Production is paused. Its history stays.\n"
    paused = Provider.objects.get().paused_at
    ran("resume_provider", "Production")

    assert paused is not None
    assert Provider.objects.get().paused_at is None


def test_a_disconnected_provider_is_neither_paused_nor_resumed(production: Provider) -> None:
    """Exit code 2, with what to do."""
    disconnect_provider(provider=production, now=NOW)

    assert "is disconnected" in refused("pause_provider", "Production", code=2)
    assert "replace_provider_key" in refused("resume_provider", "Production", code=2)


def test_a_good_key_replaces_the_old_one(production: Provider, elevenlabs: FakeType) -> None:
    """A sync is queued; in the embedded default the server's sweep finds it."""
    elevenlabs.project_ids = frozenset({make_project(provider=production).external_id})

    output = ran(*replace(), stdin=f"{NEW_KEY}\n")

    assert output == "The key of Production was replaced; a sync is queued.\n"
    assert Provider.objects.get().api_key.reveal() == NEW_KEY
    assert SyncRun.objects.unfinished().count() == 1


@pytest.mark.usefixtures("production")
def test_a_refused_key_is_a_failure(elevenlabs: FakeType) -> None:
    """Exit code 1; the old key stays, the new one is printed nowhere."""
    elevenlabs.refusal = "Could not connect: ElevenLabs did not accept this key."

    error = refused(*replace(), stdin=NEW_KEY, code=1)

    assert error == f"Error: {elevenlabs.refusal}\n"
    assert Provider.objects.get().api_key.reveal() == API_KEY


def test_a_key_of_another_workspace_is_bad_input(production: Provider, elevenlabs: FakeType) -> None:
    """Whatever is confirmed."""
    make_project(provider=production)
    elevenlabs.project_ids = frozenset({"f" * 64})

    assert "another workspace" in refused(*replace("--same-workspace"), stdin=NEW_KEY, code=2)


@pytest.mark.usefixtures("production", "elevenlabs")
def test_where_nothing_shows_the_workspace_it_must_be_said() -> None:
    """By an option that the error names."""
    error = refused(*replace(), stdin=NEW_KEY, code=2)
    ran(*replace("--same-workspace"), stdin=NEW_KEY)

    assert "--same-workspace" in error
    assert Provider.objects.get().api_key.reveal() == NEW_KEY


def test_a_key_connects_a_disconnected_provider_again(production: Provider, elevenlabs: FakeType) -> None:
    """It syncs by itself from then on."""
    disconnect_provider(provider=production, now=NOW)

    ran(*replace("--same-workspace"), stdin=NEW_KEY)

    assert list(Provider.objects.active()) == [production]


@pytest.mark.usefixtures("production", "elevenlabs")
@pytest.mark.parametrize("key", ["", "two words", b"\xff\xfe"])
def test_what_is_no_key_is_bad_input(key: str | bytes) -> None:
    """Exit code 2 in one line."""
    refused(*replace(), stdin=key, code=2)


def test_deleting_with_its_history(production: Provider) -> None:
    """Nothing of it is left."""
    make_usage(project=make_project(provider=production))

    output = ran("delete_provider", "Production", "--with-history", "--confirm", "Production")

    assert output == "Production was deleted with all its history.\n"
    assert (Provider.objects.count(), DailyUsage.objects.count()) == (0, 0)


def test_deleting_but_keeping_its_history(production: Provider) -> None:
    """It is disconnected."""
    make_usage(project=make_project(provider=production))

    ran("delete_provider", "Production", "--keep-history", "--confirm", "Production")

    assert Provider.objects.get().disconnected_at is not None
    assert DailyUsage.objects.count() == 1


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    "options",
    [
        ("--with-history", "--confirm", "production"),
        ("--keep-history", "--confirm", "Another"),
        ("--with-history",),
        ("--confirm", "Production"),
        ("--with-history", "--keep-history", "--confirm", "Production"),
    ],
)
def test_deleting_asks_for_the_exact_name_and_one_choice(options: tuple[str, ...]) -> None:
    """Else exit code 2 and nothing is changed."""
    refused("delete_provider", "Production", *options, code=2)

    assert Provider.objects.get().disconnected_at is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("rename_provider", "Nobody", "x"),
        ("pause_provider", "Nobody"),
        ("resume_provider", "Nobody"),
        ("replace_provider_key", "Nobody", "--api-key-stdin"),
        ("delete_provider", "Nobody", "--with-history", "--confirm", "Nobody"),
        ("pause_provider",),
        ("replace_provider_key", "Production"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("production")
def test_unknown_names_and_missing_words_are_bad_input(arguments: tuple[str, ...]) -> None:
    """Exit code 2 in one line."""
    refused(*arguments, stdin=NEW_KEY, code=2)
