"""How a provider's usage without a key is shared, and when the apps above must hear of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from providers.models import Provider
from providers.services.projects import ListedProject, projects_for_usage, record_listed_projects
from providers.services.sharing import set_keyless_sharing
from tests.factories import NOW, make_provider, make_user
from tests.providers.listening import Told

pytestmark = pytest.mark.django_db

Sharing = Provider.KeylessSharing


def record(provider: Provider, *external_ids: str, hours: int = 0) -> None:
    keys = [
        ListedProject(external_id=key, name=key, hint="", is_disabled=False, disabled_reason="") for key in external_ids
    ]
    record_listed_projects(provider=provider, listed=keys, now=NOW + timedelta(hours=hours))


def test_setting_is_stored_and_told(told: Told) -> None:
    """With who changed it."""
    provider, user = make_provider(name="Production"), make_user()

    changed = set_keyless_sharing(provider=provider, sharing=Sharing.EVENLY, made_by=user)

    provider.refresh_from_db()
    assert (changed, provider.keyless_sharing) == (True, "evenly")
    assert told.sharing == ["Production"]
    (act,) = told.acts
    assert (act.action, act.target, act.actor) == ("provider.sharing_changed", provider, user)
    assert (act.old, act.new) == ({"keyless_sharing": "none"}, {"keyless_sharing": "evenly"})


def test_same_setting_again_tells_nothing(told: Told) -> None:
    """Nothing has to be attributed anew – judged by what is stored, not by what somebody read earlier."""
    provider = make_provider(keyless_sharing=Sharing.BY_USAGE)
    provider.keyless_sharing = Sharing.NONE

    changed = set_keyless_sharing(provider=provider, sharing=Sharing.BY_USAGE)

    assert (changed, told.sharing, told.acts) == (False, [], [])


def test_keys_that_go_and_come_back_change_the_sharing(told: Told) -> None:
    """Told once for each listing that differs, and for no other."""
    provider = make_provider(name="Production")
    record(provider, "a", "b")
    record(provider, "a", "b", hours=1)
    before = list(told.sharing)

    record(provider, hours=2)
    gone = list(told.sharing)
    record(provider, hours=3)
    record(provider, "a", "b", hours=4)
    record(provider, "a", "b", hours=5)

    assert before == []
    assert gone == ["Production"]
    assert told.sharing == ["Production", "Production"]


def test_usage_changes_no_sharing(told: Told) -> None:
    """Keys known from usage alone are never deleted."""
    projects_for_usage(provider=make_provider(), names={"a": "A", None: ""})

    assert told.sharing == []
