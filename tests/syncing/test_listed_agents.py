"""Agents that a listing names: what is taken over, and what is left out with a remark."""

from __future__ import annotations

import pytest

from providers.models import Project, SyncRun
from syncing.reader import ListedAgent
from syncing.storing import store_listed_agents
from tests.factories import NOW, make_project, make_run

pytestmark = pytest.mark.django_db


def agent(external_id: str) -> ListedAgent:
    return ListedAgent(external_id=external_id, name=f"Name of {external_id}", tags=(), is_archived=False)


@pytest.fixture
def run() -> SyncRun:
    return make_run()


def test_a_list_that_is_too_long_is_not_taken_over(run: SyncRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run says so, and what stands stays."""
    monkeypatch.setattr("syncing.storing.MAX_LISTED_AGENTS", 2)
    known = make_project(provider=run.provider, kind=Project.Kind.AGENT, external_id="agent_0", name="Known")

    store_listed_agents(run, [agent(f"agent_{number}") for number in range(3)], label="The service", now=NOW)

    assert list(Project.objects.all()) == [known]
    assert "The service lists 3 agents, more than 2. The list was not taken over." in run.notes


def test_an_agent_with_the_id_of_a_key_is_left_out(run: SyncRun) -> None:
    """The key stays a key; the other agents are taken over."""
    key = make_project(provider=run.provider, external_id="shared", name="A key")

    store_listed_agents(run, [agent("shared"), agent("agent_1")], label="The service", now=NOW)

    key.refresh_from_db()
    assert (key.kind, key.name) == (Project.Kind.KEY, "A key")
    assert Project.objects.filter(kind=Project.Kind.AGENT).get().external_id == "agent_1"
    assert "1 agent with the id of an API key left out of The service's list." in run.notes
