"""API keys as ElevenLabs lists them and as usage names them: one project each, whatever becomes of the key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.secrets import ApiKey
from elevenlabs_sync.simulator import USAGE_ONLY_API_KEY
from elevenlabs_sync.simulator.cast import DISABLED, NEVER_USED
from elevenlabs_sync.simulator.routes import MODELS_PATH, SERVICE_ACCOUNTS_PATH, SUBSCRIPTION_PATH
from providers.models import Project, SyncRun
from tests.elevenlabs_sync.worlds import NOW, World, world
from tests.simulation import faults

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

SUCCEEDED = SyncRun.Outcome.SUCCEEDED


@pytest.fixture
def here() -> Iterator[World]:
    """A workspace with eleven days of usage."""
    with world() as made:
        yield made


def project(here: World, slug: str) -> Project:
    workspace = here.server.current_workspace()
    [key] = [key for key in workspace.cast if key.slug == slug]
    return Project.objects.get(provider=here.provider, external_id=workspace.key_hash(key))


def test_listed_key_without_usage_becomes_a_project(here: World) -> None:
    """A key can be assigned before it is used."""
    here.sync()

    unused = project(here, NEVER_USED)
    assert (unused.name, unused.first_used_on, unused.kind) == ("Internal – sandbox", None, Project.Kind.KEY)
    assert len(unused.hint) == 4


def test_keyless_usage_is_a_project_of_its_own(here: World) -> None:
    """Usage of the web app is told apart from every key."""
    here.sync()

    keyless = Project.objects.get(provider=here.provider, kind=Project.Kind.KEYLESS)
    assert (keyless.external_id, keyless.display_name) == (Project.KEYLESS_ID, "No API key (web app)")


def test_disabled_key_is_marked(here: World) -> None:
    """A disabled key keeps its row and says since when we know."""
    here.sync()

    assert project(here, DISABLED).disabled_at == NOW


def test_key_that_left_the_listing_is_marked_and_keeps_its_usage(here: World) -> None:
    """A deleted key's history stays; a key that comes back is no longer deleted."""
    here.sync()
    before = here.stored

    def without_first_account(document: dict[str, Any]) -> dict[str, Any]:
        return {"service-accounts": document["service-accounts"][1:]}

    here.server.faults.add(SERVICE_ACCOUNTS_PATH, faults.Transform(without_first_account))
    here.clock.move(minutes=5)
    here.sync()

    gone = project(here, "northwind-ivr")
    assert gone.deleted_at == here.clock()
    assert here.stored == before
    here.sync()
    gone.refresh_from_db()
    assert gone.deleted_at is None


def test_renamed_key_is_one_project(here: World) -> None:
    """A key's name may change; its hash is what identifies it."""
    here.sync()
    count = Project.objects.count()

    def renamed_keys(document: dict[str, Any]) -> dict[str, Any]:
        for account in document["service-accounts"]:
            for key in account["api-keys"]:
                key["name"] = f"{key['name']} (new)"
        return document

    here.server.faults.add(SERVICE_ACCOUNTS_PATH, faults.Transform(renamed_keys))
    here.sync()

    assert Project.objects.count() == count
    assert project(here, "northwind-ivr").name == "Northwind – IVR (new)"


def test_refused_listing_and_subscription_are_normal() -> None:
    """A key that may only read usage syncs usage, and knows keys by their use."""
    with world() as here:
        here.provider.api_key = ApiKey(USAGE_ONLY_API_KEY)
        here.provider.save()

        run = here.sync()

        assert (run.outcome, run.keys_found) == (SUCCEEDED, None)
        assert here.provider.subscription is None
        assert here.stored == here.truth
        assert project(here, "northwind-ivr").name == "Northwind – IVR"


@pytest.mark.parametrize("path", [SERVICE_ACCOUNTS_PATH, SUBSCRIPTION_PATH, MODELS_PATH])
@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_account_that_can_not_be_read_does_not_stop_usage(here: World, path: str, status: int) -> None:
    """Only usage decides whether a sync failed."""
    here.server.faults.add(path, faults.ErrorStatus(status), times=None)

    assert here.sync().outcome == SUCCEEDED
    assert here.stored == here.truth


def test_refused_key_does_not_forget_the_plan(here: World) -> None:
    """A revoked key says nothing about the plan: what was known of it stays."""
    here.sync()
    here.server.keys.clear()

    here.sync()

    assert (here.provider.subscription or {})["name"] == "scale"


def test_texts_of_any_length_fit(here: World) -> None:
    """A reason longer than its column is cut, not an error of one database."""

    def long_texts(document: dict[str, Any]) -> dict[str, Any]:
        for account in document["service-accounts"]:
            for key in account["api-keys"]:
                key.update(name="n" * 5000, hint="h" * 5000, is_disabled=True, disable_reason="r" * 5000)
        return document

    here.server.faults.add(SERVICE_ACCOUNTS_PATH, faults.Transform(long_texts))

    assert here.sync().outcome == SUCCEEDED
    assert project(here, "northwind-ivr").disabled_reason.startswith("rrr")
