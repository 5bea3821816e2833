"""What remains without a key, divided by person where an operator chose that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from costs.models import DailyUsage, StatementLine
from costs.statements.closing import close_month
from elevenlabs_sync.simulator import Agents
from elevenlabs_sync.simulator.routes import USAGE_PATH
from providers.models import Project, SyncRun
from providers.services.assigning import assign_projects
from tests.elevenlabs_sync.modes import Simulated, exported_rows, simulated, totals_by_model
from tests.elevenlabs_sync.worlds import NOW
from tests.factories import make_company
from tests.simulation import faults

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

FIRST_DAY = NOW.date() - timedelta(days=9)
CHOSEN = {"divides_by_person": True}


@pytest.fixture
def here() -> Iterator[Simulated]:
    with simulated(first_day=FIRST_DAY, agents=Agents.TOLD, provider=CHOSEN) as world:
        yield world


def users(kind: str) -> set[str]:
    used = DailyUsage.objects.filter(project__kind=kind).used()
    return set(used.values_list("project__name", flat=True))


def test_people_have_what_no_agent_used(here: Simulated) -> None:
    """By the label that the answer appends; every total stays."""
    run = here.sync()

    assert (run.outcome, run.notes) == (SyncRun.Outcome.SUCCEEDED, [])
    assert users("person") == {"dana@example.com", "kim@example.com"}
    assert users("keyless") == set()
    assert totals_by_model(exported_rows(here.provider)) == totals_by_model(here.expected)


def test_agents_keep_theirs(here: Simulated) -> None:
    """Who made an agent did not use it."""
    here.sync()

    divided = exported_rows(here.provider)
    agents = set(Project.objects.agents().values_list("external_id", flat=True))
    here.provider.divides_by_person = False
    here.provider.save()
    here.sync()
    assert {key: row for key, row in divided.items() if key[0] in agents} == {
        key: row for key, row in exported_rows(here.provider).items() if key[0] in agents
    }


def test_without_the_choice_nobody_is_named() -> None:
    """It is off until somebody chooses it."""
    with simulated(first_day=FIRST_DAY, agents=Agents.TOLD) as here:
        here.sync()

        assert users("person") == set()


def test_when_people_are_not_told_this_time_their_division_stands(here: Simulated) -> None:
    """Where it still adds up, and the run says so."""
    here.sync()
    before = exported_rows(here.provider)
    here.server.faults.add(USAGE_PATH, faults.ErrorStatus(503), times=1, after=2)

    run = here.sync()

    assert run.notes == ["Usage of the web app could not be divided by person this time (unavailable)."]
    assert exported_rows(here.provider) == before


def test_statements_name_no_person() -> None:
    """What a client reads tells nobody of the agency."""
    first_day = NOW.date().replace(month=10, day=1)
    with simulated(first_day=first_day, agents=Agents.TOLD, provider=CHOSEN) as here:
        here.sync()
        people = list(Project.objects.filter(kind=Project.Kind.PERSON))
        assign_projects(projects=people, company=make_company(name="Acme"), now=here.clock())

        close_month(month=first_day, now=here.clock())

    assert set(StatementLine.objects.values_list("key_name", flat=True)) == {"Web app user"}
