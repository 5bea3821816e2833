"""Switching to agents before keys with a closed month: it stays, and what moves is carried to the next statement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from costs.models import DailyUsage, StatementLine
from costs.statements.adjustments import closed_months, pending_adjustments
from costs.statements.closing import close_month
from elevenlabs_sync.simulator import Agents
from providers.models import Company, Project, Provider, SyncRun
from providers.services.agents import set_agent_attribution
from providers.services.assigning import assign_projects
from tests.elevenlabs_sync.modes import Simulated, simulated
from tests.factories import make_company

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

OCTOBER = date(2026, 10, 1)
DISPATCH = "Meridian Logistics – dispatch"
AGENTS = ("Meridian Logistics – drivers", "Meridian Logistics – customers")


@pytest.fixture
def closed() -> Iterator[Simulated]:
    """October is closed: Acme paid for the key, and Bco has the agents that it serves."""
    with simulated(first_day=OCTOBER, agents=Agents.TOLD) as here:
        assert here.sync().outcome == SyncRun.Outcome.SUCCEEDED
        for names, company in (((DISPATCH,), "Acme"), (AGENTS, "Bco")):
            projects = list(Project.objects.filter(provider=here.provider, name__in=names))
            assign_projects(projects=projects, company=make_company(name=company), now=here.clock())
        close_month(month=OCTOBER, now=here.clock())
        yield here


def switch(here: Simulated) -> SyncRun:
    run = set_agent_attribution(
        provider=here.provider,
        attributes_by=Provider.AttributesBy.AGENT,
        by_conversations=False,
        now=here.clock(),
    )
    assert run is not None
    ended = here.carry_out(run)
    assert ended is not None
    return ended


def test_a_closed_month_stays_and_the_difference_is_carried(closed: Simulated) -> None:
    """What the agents used of the key in October: credited to the one, billed to the other."""
    frozen = list(StatementLine.objects.values())

    assert switch(closed).outcome == SyncRun.Outcome.SUCCEEDED

    moved = sum(row.cost or Decimal(0) for row in DailyUsage.objects.filter(project__name__in=AGENTS, day__month=10))
    months = closed_months()
    assert months is not None
    names = dict(Company.objects.values_list("pk", "name"))
    carried = {names[company_id]: line.cost for company_id, line in pending_adjustments(months)}
    assert carried == {"Acme": -moved, "Bco": moved}
    assert moved > 0
    assert list(StatementLine.objects.values()) == frozen


def test_reading_the_history_shows_its_progress(closed: Simulated) -> None:
    """From the latest days on."""
    closed.progress.clear()

    switch(closed)

    assert closed.progress == [(0, 53), (30, 53), (53, 53)]
