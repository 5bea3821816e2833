"""The simulated workspace's agents, as the official SDK and the usage endpoints tell them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from elevenlabs import ElevenLabs, GetAgentsPageResponseModel, GetConversationsPageResponseModel
from elevenlabs.types import ColumnFilter

from elevenlabs_sync.simulator import (
    SIMULATED_API_KEY,
    USAGE_ONLY_API_KEY,
    Agents,
    Cost,
    SimulatedWorkspace,
    SimulatorServer,
)
from elevenlabs_sync.simulator.routes import AGENTS_PATH, CONVERSATIONS_PATH
from tests.simulation.calls import TODAY, get, milliseconds, post_cost, post_usage, usage_body

DAY = TODAY - timedelta(days=3)


@pytest.fixture
def workspace() -> SimulatedWorkspace:
    return SimulatedWorkspace(TODAY, agents=Agents.TOLD)


@pytest.fixture
def server(workspace: SimulatedWorkspace) -> Iterator[SimulatorServer]:
    with SimulatorServer(workspace) as running:
        yield running


@pytest.fixture
def client(server: SimulatorServer) -> Iterator[ElevenLabs]:
    made = ElevenLabs(base_url=server.base_url, api_key=SIMULATED_API_KEY)
    yield made
    made._client_wrapper.httpx_client.httpx_client.close()


def unix(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp())


def test_the_sdk_lists_the_agents_page_by_page(client: ElevenLabs) -> None:
    """With their tags."""
    first = client.conversational_ai.agents.list(page_size=3)
    second = client.conversational_ai.agents.list(page_size=3, cursor=first.next_cursor)

    tags = {agent.name: agent.tags for agent in (*first.agents, *second.agents)}
    assert (first.has_more, second.has_more) == (True, second.next_cursor is not None)
    assert tags["Oakfield Bank – reception"] == ["oakfield", "vip", "phone"]


def test_the_sdk_lists_conversations_of_a_day(client: ElevenLabs, workspace: SimulatedWorkspace) -> None:
    """Together they cost the credits that the agents used."""
    found = []
    cursor = None
    while True:
        page = client.conversational_ai.conversations.list(
            call_start_after_unix=unix(DAY),
            call_start_before_unix=unix(DAY + timedelta(days=1)),
            page_size=100,
            summary_mode="exclude",
            cursor=cursor,
        )
        found += page.conversations
        cursor = page.next_cursor
        if not page.has_more:
            break

    used = [row.credits for row in workspace.used(DAY, DAY + timedelta(days=1)) if row.agent]
    assert sum(conversation.cost for conversation in found) == sum(used)


@pytest.mark.parametrize(
    ("path", "shape"),
    [(AGENTS_PATH, GetAgentsPageResponseModel), (CONVERSATIONS_PATH, GetConversationsPageResponseModel)],
)
def test_documents_have_every_field_that_the_sdk_requires(
    server: SimulatorServer, path: str, shape: type[GetAgentsPageResponseModel | GetConversationsPageResponseModel]
) -> None:
    """Strict validation by the SDK's types finds nothing missing or mistyped."""
    assert shape.model_validate_json(get(server, path).text)


def test_the_sdk_reads_usage_by_agent(client: ElevenLabs, workspace: SimulatedWorkspace) -> None:
    """Filtered to one of two agents that one key serves."""
    agent = next(agent for agent in workspace.agent_cast if agent.slug == "meridian-drivers")
    wanted = workspace.agent_id(agent)

    answer = client.workspace.usage.get_usage_by_product_over_time(
        start_time=milliseconds(DAY),
        end_time=milliseconds(DAY + timedelta(days=1)) - 1,
        interval_seconds=86_400,
        group_by=["hashed_xi_api_key", "model", "resource_id"],
        filters=[ColumnFilter(column="resource_id", operation="in", values=[wanted])],
    )

    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    told = {(row["hashed_xi_api_key"], row["resource_id"]): row["total_usage"] for row in rows}
    key = next(key for key in workspace.cast if key.slug == agent.key)
    truth = sum(row.credits for row in workspace.used(DAY, DAY + timedelta(days=1)) if row.agent == wanted)
    assert told == {(workspace.key_hash(key), wanted): truth}


def test_agents_need_their_permission(server: SimulatorServer) -> None:
    """A key that may read usage alone is told which one it lacks."""
    answer = get(server, AGENTS_PATH, key=USAGE_ONLY_API_KEY)

    assert answer.status_code == 401
    assert "convai_read" in answer.text


def test_cost_knows_no_resource() -> None:
    """As at the live endpoint."""
    with SimulatorServer(SimulatedWorkspace(TODAY, agents=Agents.TOLD, billing=Cost())) as server:
        answer = post_cost(server, usage_body(DAY, TODAY) | {"group_by": ["resource_id"]})

    assert answer.status_code == 422


def test_usage_that_names_no_agent_names_something_else() -> None:
    """A resource may be anything."""
    with SimulatorServer(SimulatedWorkspace(TODAY, agents=Agents.UNTOLD)) as server:
        answer = post_usage(server, usage_body(DAY, TODAY) | {"group_by": ["resource_id"]}).json()

    named = {row[answer["columns"].index("resource_id")] for row in answer["rows"]}
    assert named
    assert not any(str(name).startswith("agent_") for name in named)
