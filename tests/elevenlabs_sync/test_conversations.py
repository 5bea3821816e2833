"""Usage without a key, shared between agents by their conversations where usage does not name them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from costs.models import ConversationDay, DailyUsage
from elevenlabs_sync.simulator import Agents, Billing, Cost, Credits
from elevenlabs_sync.simulator.routes import CONVERSATIONS_PATH
from providers.models import Project, Provider, SyncRun
from tests.elevenlabs_sync.modes import Simulated, exported_rows, simulated, totals_by_model
from tests.elevenlabs_sync.worlds import NOW
from tests.simulation import faults

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

FIRST_DAY = NOW.date() - timedelta(days=9)
HARBOR = "Harbor Clinic – booking line"
OPTED_IN = {"allocates_by_conversations": True}


@pytest.fixture(params=[Credits(), Cost()], ids=["untold", "by cost"])
def here(request: pytest.FixtureRequest) -> Iterator[Simulated]:
    """A workspace whose usage names no agent, and an operator who chose to share by conversations."""
    billing: Billing = request.param
    with simulated(first_day=FIRST_DAY, agents=Agents.UNTOLD, billing=billing, provider=OPTED_IN) as world:
        yield world


def shares(provider: Provider) -> Any:
    return DailyUsage.objects.for_provider(provider).filter(allocated=True).used()


def test_every_agent_has_its_share_and_totals_stay(here: Simulated) -> None:
    """Nothing is left without a key on days with conversations; what has no price yet has none in any share."""
    run = here.sync()

    assert (run.outcome, run.notes) == (SyncRun.Outcome.SUCCEEDED, [])
    assert {row.project.name for row in shares(here.provider).select_related("project")} >= {HARBOR}
    assert not DailyUsage.objects.for_provider(here.provider).filter(project__kind="keyless").used().exists()
    assert totals_by_model(exported_rows(here.provider)) == totals_by_model(here.expected)


def test_agents_with_shares_say_so(here: Simulated) -> None:
    """Wherever they are named."""
    here.sync()

    agent = Project.objects.get(name=HARBOR)
    assert agent.full_name == f"{HARBOR} (allocated by conversations)"


def test_without_the_choice_nothing_is_asked_or_shared() -> None:
    """It is off until somebody chooses it."""
    with simulated(first_day=FIRST_DAY, agents=Agents.UNTOLD) as here:
        here.sync()

        assert here.exported == here.expected
        assert not asked(here)


def test_usage_that_names_agents_is_divided_exactly_instead() -> None:
    """Whatever was chosen."""
    with simulated(first_day=FIRST_DAY, agents=Agents.TOLD, provider=OPTED_IN) as here:
        here.sync()

        assert not shares(here.provider).exists()
        assert not asked(here)


def asked(here: Simulated) -> list[str]:
    return [request.path for request in here.server.requests if request.path == CONVERSATIONS_PATH]


def test_an_hourly_sync_reads_the_conversations_of_young_days_alone(here: Simulated) -> None:
    """Those of today and of the three days before may still change."""
    here.sync()
    here.server.recording.clear()
    here.clock.move(hours=1)

    here.sync()

    assert len(asked(here)) == 4


def test_conversations_are_asked_for_without_what_was_said(here: Simulated) -> None:
    """And nothing of any single one is kept."""
    here.sync()

    (request, *_others) = [sent for sent in here.server.requests if sent.path == CONVERSATIONS_PATH]
    assert "summary_mode=exclude" in request.query
    kept = ConversationDay.objects.get(day=FIRST_DAY)
    assert {len(sums) for sums in kept.agents.values()} == {4}
    assert "conv_" not in str(kept.agents)


@pytest.mark.parametrize("fault", [faults.ErrorStatus(503), faults.Html(), faults.ErrorStatus(404)])
def test_without_conversations_totals_stay_and_shares_stand(here: Simulated, fault: faults.Fault) -> None:
    """Where they still add up."""
    here.sync()
    before = exported_rows(here.provider)
    here.server.faults.add(CONVERSATIONS_PATH, fault, times=None)

    run = here.sync()

    assert run.outcome == SyncRun.Outcome.SUCCEEDED
    assert exported_rows(here.provider) == before


def test_shares_go_by_the_cost_of_conversations(here: Simulated) -> None:
    """Two agents of one day, in proportion to what theirs cost."""
    here.sync()

    day = FIRST_DAY + timedelta(days=1)
    agents = ConversationDay.objects.get(day=day).agents
    whole = sum(Decimal(cost) for _calls, _seconds, _credits, cost in agents.values())
    costs: dict[str, Decimal] = {}
    for row in shares(here.provider).filter(day=day).select_related("project"):
        costs[row.project.external_id] = costs.get(row.project.external_id, Decimal(0)) + (row.cost or 0)
    for agent, (_calls, _seconds, _credits, cost) in agents.items():
        assert abs(costs[agent] / sum(costs.values()) - Decimal(cost) / whole) < Decimal("0.0001")
