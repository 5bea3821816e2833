"""When a sync reads the account: whenever a person or the night asks, and by the hour only where that is needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from elevenlabs_sync.simulator.routes import (
    AGENTS_PATH,
    MODELS_PATH,
    SERVICE_ACCOUNTS_PATH,
    SUBSCRIPTION_PATH,
    USAGE_PATH,
)
from providers.models import Project, Provider, SyncRun
from tests.elevenlabs_sync.modes import Simulated, simulated
from tests.elevenlabs_sync.worlds import NOW
from tests.factories import make_rule
from tests.simulation import faults
from tests.simulation.key_edits import AddKey, DeleteKey

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
ACCOUNT = [SUBSCRIPTION_PATH, SERVICE_ACCOUNTS_PATH, MODELS_PATH, AGENTS_PATH]
HOURLY, MANUAL = SyncRun.Trigger.HOURLY, SyncRun.Trigger.MANUAL
IVR = "northwind-ivr"


@pytest.fixture
def here() -> Iterator[Simulated]:
    """A workspace that was connected an hour ago."""
    with simulated(first_day=TODAY - timedelta(days=2)) as made:
        made.sync(trigger=SyncRun.Trigger.CONNECT)
        made.clock.move(hours=1)
        yield made


def asked_by(here: Simulated, trigger: SyncRun.Trigger, **request: Any) -> list[str]:
    """The paths that a sync asks for."""
    before = len(here.server.requests)
    assert here.sync(trigger=trigger, **request).outcome == SyncRun.Outcome.SUCCEEDED
    return [request.path for request in here.server.requests[before:]]


def key_of(here: Simulated, slug: str) -> Project:
    [key] = [key for key in here.workspace.cast if key.slug == slug]
    return Project.objects.get(provider=here.provider, external_id=here.workspace.key_hash(key) or "")


def test_hourly_sync_is_one_request(here: Simulated) -> None:
    """Plan, keys and models were read an hour ago."""
    assert asked_by(here, HOURLY) == [USAGE_PATH]


@pytest.mark.parametrize("trigger", [MANUAL, SyncRun.Trigger.NIGHTLY, SyncRun.Trigger.CONNECT])
def test_every_other_sync_reads_the_account(here: Simulated, trigger: SyncRun.Trigger) -> None:
    """Who asks wants to know what is so now."""
    assert asked_by(here, trigger) == [*ACCOUNT, USAGE_PATH]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(22, [USAGE_PATH]), (23, [*ACCOUNT, USAGE_PATH])],
    ids=["within a day", "a day later"],
)
def test_account_is_read_again_after_a_day(here: Simulated, hours: int, expected: list[str]) -> None:
    """Where no night has done it."""
    here.clock.move(hours=hours)

    assert asked_by(here, HOURLY) == expected


def test_account_read_by_a_clock_that_ran_ahead_is_read_again(here: Simulated) -> None:
    """A moment that is still to come tells nothing."""
    Provider.objects.update(account_read_at=here.clock() + timedelta(days=3))

    assert asked_by(here, HOURLY) == [*ACCOUNT, USAGE_PATH]


def test_new_key_in_the_usage_has_the_account_read_once(here: Simulated) -> None:
    """Within the hour it has what only the listing tells, and the company that a rule gives it by its name."""
    rule = make_rule(pattern="Acme")
    here.edit(AddKey("acme", "Acme – phone", TODAY))

    assert asked_by(here, HOURLY) == [USAGE_PATH, *ACCOUNT]

    key = key_of(here, "acme")
    assert (key.name, key.listed_at, len(key.hint)) == ("Acme – phone", here.clock(), 4)
    assert [share.company for period in key.assignments.all() for share in period.shares.all()] == [rule.company]
    assert asked_by(here, HOURLY) == [USAGE_PATH]


def test_model_that_is_named_nowhere_has_the_account_read_once(here: Simulated) -> None:
    """Its name is looked for when it is first used, and not every hour from then on."""
    Provider.objects.update(model_names={})
    here.server.faults.add(MODELS_PATH, faults.Transform(lambda _models: []), times=None)
    here.server.faults.add(USAGE_PATH, faults.Transform(_with_another_model), times=None)

    assert asked_by(here, HOURLY) == [USAGE_PATH, *ACCOUNT]
    assert asked_by(here, HOURLY) == [USAGE_PATH]


def _with_another_model(document: dict[str, Any]) -> dict[str, Any]:
    """The latest row that holds anything is of a model that nobody has heard of."""
    column = document["columns"].index("model")
    used = [row for row in document["rows"] if row[document["columns"].index("usage_count")]]
    used[-1][column] = "another"
    return document


@pytest.mark.parametrize("path", [SUBSCRIPTION_PATH, SERVICE_ACCOUNTS_PATH, MODELS_PATH])
def test_account_that_could_not_be_read_is_asked_for_by_the_next_hour(here: Simulated, path: str) -> None:
    """Until it answers; meanwhile the moment stays at which it was last read."""
    read_at = here.provider.account_read_at
    here.server.faults.add(path, faults.ErrorStatus(503))
    here.sync(trigger=MANUAL)
    assert (here.provider.account_read_at, here.provider.account_failure) == (read_at, "unavailable")

    here.clock.move(hours=1)

    assert asked_by(here, HOURLY) == [*ACCOUNT, USAGE_PATH]
    assert (here.provider.account_read_at, here.provider.account_failure) == (here.clock(), "")


def test_deleted_key_is_marked_by_the_next_reading_of_the_account(here: Simulated) -> None:
    """At once where somebody asks, else within a day."""
    here.edit(DeleteKey(IVR, on=TODAY))
    here.sync(trigger=HOURLY)
    assert key_of(here, IVR).deleted_at is None

    here.sync(trigger=MANUAL)

    assert key_of(here, IVR).deleted_at == here.clock()


def test_waiting_hourly_sync_reads_the_account_once_somebody_asks(here: Simulated) -> None:
    """ "Sync now" is answered by the run that waits already, and is told everything all the same."""
    waiting = here.run(trigger=HOURLY)

    assert asked_by(here, MANUAL) == [*ACCOUNT, USAGE_PATH]

    waiting.refresh_from_db()
    assert waiting.is_finished
