"""Reading the account beside the usage: whatever a key may not read is left out, and nothing else is lost by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.reading import UsageReader
from elevenlabs_sync.simulator import SIMULATED_API_KEY, USAGE_ONLY_API_KEY
from elevenlabs_sync.simulator.cast import DISABLED, NEVER_USED
from elevenlabs_sync.simulator.routes import MODELS_PATH, SERVICE_ACCOUNTS_PATH, SUBSCRIPTION_PATH
from providers.models import Project, SyncRun
from syncing.account import read_account
from syncing.errors import UnexpectedResponseError
from syncing.reader import SyncSession
from tests.elevenlabs_sync.modes import Simulated, simulated
from tests.elevenlabs_sync.worlds import NOW
from tests.simulation import faults
from tests.simulation.key_edits import AddKey, DeleteKey, DisableKey, LimitKey, RenameKey

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

TODAY = NOW.date()
IVR = "northwind-ivr"


@pytest.fixture
def here() -> Iterator[Simulated]:
    with simulated(first_day=TODAY) as made:
        yield made


def read(here: Simulated, *, api_key: str = SIMULATED_API_KEY) -> SyncRun:
    run = here.run()
    with ElevenLabsClient(base_url=here.server.base_url, api_key=api_key, user_agent="Test", deadline=10) as client:
        session = SyncSession(call=lambda call: call(), clock=here.clock)
        reader = UsageReader(client, session=session, cost_from=None)
        read_account(reader, run=run, label="ElevenLabs", attempt=session.call, clock=here.clock)
    here.provider = run.provider
    here.provider.refresh_from_db()
    return run


def project(here: Simulated, slug: str) -> Project:
    [key] = [key for key in here.workspace.cast if key.slug == slug]
    return Project.objects.get(provider=here.provider, external_id=here.workspace.key_hash(key) or "")


def test_everything_that_a_key_may_read_is_kept(here: Simulated) -> None:
    """The plan, its currency, the names of the models, and a project for each listed key, used or not."""
    run = read(here)

    provider = here.provider
    assert provider.subscription is not None
    assert provider.subscription["name"]
    assert (provider.currency, provider.subscription_read_at) == ("usd", NOW)
    assert provider.model_names["eleven_v3"] == "Eleven v3"
    listed = {here.workspace.key_hash(key) for key in here.workspace.listed_keys()}
    assert set(Project.objects.values_list("external_id", flat=True)) == listed
    assert run.keys_found == len(listed)
    assert project(here, NEVER_USED).first_used_on is None


def test_key_that_may_read_usage_alone_leaves_the_rest_out(here: Simulated) -> None:
    """A refused plan and a refused list are normal."""
    run = read(here, api_key=USAGE_ONLY_API_KEY)

    assert here.provider.subscription is None
    assert here.provider.model_names["eleven_v3"] == "Eleven v3"
    assert (run.keys_found, Project.objects.count()) == (None, 0)


def test_withdrawn_permission_makes_the_plan_unknown(here: Simulated) -> None:
    """A plan that can't be read any more is not shown as if it were today's; the currency stays known."""
    read(here)

    read(here, api_key=USAGE_ONLY_API_KEY)

    assert here.provider.subscription is None
    assert here.provider.currency == "usd"


@pytest.mark.parametrize("path", [SUBSCRIPTION_PATH, SERVICE_ACCOUNTS_PATH, MODELS_PATH])
@pytest.mark.parametrize(
    "fault",
    [faults.ErrorStatus(429), faults.ErrorStatus(503), faults.ConnectionReset(), faults.ErrorStatus(401)],
    ids=["limited", "down", "reset", "refused"],
)
def test_account_that_does_not_answer_is_left_to_the_next_sync(here: Simulated, path: str, fault: faults.Fault) -> None:
    """Only the reading of usage decides whether a sync has failed; what was known stays."""
    read(here)
    names, keys = here.provider.model_names, Project.objects.count()
    here.server.faults.add(path, fault, times=None)

    read(here)

    assert here.provider.model_names == names
    assert Project.objects.filter(deleted_at=None).count() == keys


@pytest.mark.parametrize("path", [SUBSCRIPTION_PATH, SERVICE_ACCOUNTS_PATH, MODELS_PATH])
@pytest.mark.parametrize(
    "fault", [faults.Html(200), faults.CutJson(), faults.EmptyBody()], ids=["HTML", "cut", "empty"]
)
def test_account_that_can_not_be_understood_is_an_error(here: Simulated, path: str, fault: faults.Fault) -> None:
    """The service has changed: somebody has to know."""
    here.server.faults.add(path, fault)

    with pytest.raises(UnexpectedResponseError):
        read(here)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: {"accounts": document["service-accounts"]},
        lambda _document: {"service-accounts": [{"api-keys": "none"}]},
        lambda _document: {"service-accounts": [{"api-keys": [{"hashed_xi_api_key": 5}]}]},
        lambda _document: {"service-accounts": [{"api-keys": [{"hashed_xi_api_key": "a\0b"}]}]},
    ],
    ids=["other name", "no list", "number", "NUL"],
)
def test_listing_of_another_shape_is_refused_whole(here: Simulated, change: Callable[[Any], object]) -> None:
    """No key is marked deleted by a list that was not understood."""
    read(here)
    here.server.faults.add(SERVICE_ACCOUNTS_PATH, faults.Transform(change))

    with pytest.raises(UnexpectedResponseError):
        read(here)

    assert not Project.objects.exclude(deleted_at=None).exists()


def test_disabled_key_says_why(here: Simulated) -> None:
    """The reason comes with the key and goes with it."""
    read(here)
    assert project(here, DISABLED).disabled_reason == "exposed_publicly"

    edit = DisableKey(IVR, on=TODAY, reason="trial_ended")
    here.edit(edit)
    read(here)
    assert (project(here, IVR).disabled_reason, project(here, IVR).disabled_at) == ("trial_ended", NOW)

    here.edits.remove(edit)
    read(here)
    assert (project(here, IVR).disabled_reason, project(here, IVR).disabled_at) == ("", None)


def test_limit_and_expiry_are_kept(here: Simulated) -> None:
    """As the list tells them; a limit that is lifted is gone."""
    edit = LimitKey(IVR, credits=50_000, expires_on=date(2027, 3, 1))
    here.edit(edit)
    read(here)

    limited = project(here, IVR)
    assert (limited.credit_limit, limited.expires_at) == (50_000, datetime(2027, 3, 1, tzinfo=UTC))
    assert limited.credits_used is not None

    here.edits.remove(edit)
    read(here)
    assert (project(here, IVR).credit_limit, project(here, IVR).expires_at) == (None, None)


def test_keys_come_change_and_go_under_one_identity(here: Simulated) -> None:
    """New, renamed and deleted keys are told apart by their hash; what is gone is marked and stays."""
    read(here)
    before = project(here, IVR).pk

    here.edit(RenameKey(IVR, "Northwind – phone"), AddKey("new-one", "A new one", TODAY))
    read(here)
    assert (project(here, IVR).pk, project(here, IVR).name) == (before, "Northwind – phone")
    assert project(here, "new-one").listed_at == NOW

    deleted = DeleteKey(IVR, on=TODAY)
    here.edit(deleted)
    here.clock.move(hours=1)
    read(here)
    assert (project(here, IVR).pk, project(here, IVR).deleted_at) == (before, NOW + timedelta(hours=1))

    here.edits.remove(deleted)
    read(here)
    assert project(here, IVR).deleted_at is None


def test_api_key_itself_is_never_stored(here: Simulated) -> None:
    """Of a listed key its last characters are kept, and no more."""
    read(here)

    assert all(len(hint) <= 4 for hint in Project.objects.values_list("hint", flat=True))
