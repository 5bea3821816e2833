"""What the simulator says about voice agents: the listing, page by page.

Source: https://elevenlabs.io/docs/api-reference/agents/list. A cursor is the number of agents that came before.
"""

from datetime import UTC, date, datetime, time
from urllib.parse import parse_qs

from elevenlabs_sync.simulator.answers import Answer, invalid
from elevenlabs_sync.simulator.cast import SimulatedAgent
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace

LARGEST_PAGE = 100
DEFAULT_PAGE = 30


def listing(workspace: SimulatedWorkspace, query: str) -> Answer:
    """The page that a URL's query asks for, of the agents that exist today."""
    fields = {name: values[-1] for name, values in parse_qs(query).items()}
    size, cursor = fields.get("page_size", str(DEFAULT_PAGE)), fields.get("cursor", "0")
    if not size.isdecimal() or not 1 <= int(size) <= LARGEST_PAGE:
        return invalid([{"loc": ["query", "page_size"], "msg": "Input should be from 1 to 100", "type": "value_error"}])
    if not cursor.isdecimal():
        return invalid([{"loc": ["query", "cursor"], "msg": "Not a cursor of this listing", "type": "value_error"}])
    there = [agent for agent in workspace.agent_cast if agent.exists_on(workspace.today)]
    start, end = int(cursor), int(cursor) + int(size)
    has_more = end < len(there)
    return Answer(
        200,
        {
            "agents": [_agent(workspace, agent) for agent in there[start:end]],
            "next_cursor": str(end) if has_more else None,
            "has_more": has_more,
        },
    )


def _agent(workspace: SimulatedWorkspace, agent: SimulatedAgent) -> dict[str, object]:
    return {
        "agent_id": workspace.agent_id(agent),
        "name": agent.name,
        "voice_id": workspace.identifier("voice", agent.slug)[:20],
        "tags": list(agent.tags),
        "created_at_unix_secs": _unix(agent.created_on),
        "updated_at_unix_secs": _unix(agent.created_on),
        "last_call_time_unix_secs": _unix(workspace.today),
        "archived": agent.archived,
        "access_info": {
            "is_creator": True,
            "creator_name": "Dana",
            "creator_email": "dana@example.com",
            "role": "admin",
        },
    }


def _unix(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp())
