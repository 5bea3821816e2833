"""What the simulator says about voice agents: the listing and the conversations, page by page.

Sources: https://elevenlabs.io/docs/api-reference/agents/list and …/conversations/list. A cursor is the number of
entries that came before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeVar
from urllib.parse import parse_qs

from elevenlabs_sync.simulator.answers import Answer, invalid
from elevenlabs_sync.simulator.cast import SimulatedAgent
from elevenlabs_sync.simulator.usage import Used
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace

Entry = TypeVar("Entry")

LARGEST_PAGE = 100
DEFAULT_PAGE = 30


def listing(workspace: SimulatedWorkspace, query: str) -> Answer:
    """The page that a URL's query asks for, of the agents that exist today."""
    there = [agent for agent in workspace.agent_cast if agent.exists_on(workspace.today)]
    return _page("agents", there, _fields(query), lambda agent: _agent(workspace, agent))


def conversations(workspace: SimulatedWorkspace, query: str) -> Answer:
    """The page that a URL's query asks for, of the conversations between its two moments; the latest come first."""
    fields = _fields(query)
    after, before = fields.get("call_start_after_unix", "0"), fields.get("call_start_before_unix", "4102444800")
    if not after.isdecimal() or not before.isdecimal():
        return invalid([{"loc": ["query", "call_start_after_unix"], "msg": "Not a moment", "type": "value_error"}])
    first, last = (datetime.fromtimestamp(int(moment), tz=UTC).date() for moment in (after, before))
    found = [
        call
        for used in workspace.used(first, last + timedelta(days=1))
        if used.agent is not None
        for call in _calls(workspace, used)
        if int(after) <= int(str(call["start_time_unix_secs"])) < int(before)
    ]
    found.sort(key=lambda call: int(str(call["start_time_unix_secs"])), reverse=True)
    return _page("conversations", found, fields, lambda call: call)


def _calls(workspace: SimulatedWorkspace, used: Used) -> Iterator[dict[str, object]]:
    """One conversation for each 90 of its requests, at least one; together they have what was used."""
    number = max(1, used.requests // 90)
    midnight = _unix(used.day)
    for index in range(number):
        credits_ = int(used.credits) // number + (1 if index < int(used.credits) % number else 0)
        yield {
            "conversation_id": f"conv_{workspace.identifier('conversation', f'{used}|{index}')[:28]}",
            "agent_id": used.agent,
            "agent_name": None,
            "branch_id": None,
            "start_time_unix_secs": midnight + (index + 1) * 80_000 // (number + 1),
            "call_duration_secs": int(used.minutes * 60) // number,
            "cost": credits_,
            "cost_fiat": None if used.cost is None else (used.cost / number).quantize(Decimal("0.000001")),
            "status": "done",
            "direction": "inbound",
            "conversation_initiation_source": "widget",
            "tag_ids": [],
            "message_count": 8,
            "call_successful": "success",
            "transcript_summary": None,
        }


def _fields(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query).items()}


def _page(name: str, there: Sequence[Entry], fields: Mapping[str, str], told: Callable[[Entry], object]) -> Answer:
    size, cursor = fields.get("page_size", str(DEFAULT_PAGE)), fields.get("cursor", "0")
    if not size.isdecimal() or not 1 <= int(size) <= LARGEST_PAGE:
        return invalid([{"loc": ["query", "page_size"], "msg": "Input should be from 1 to 100", "type": "value_error"}])
    if not cursor.isdecimal():
        return invalid([{"loc": ["query", "cursor"], "msg": "Not a cursor of this listing", "type": "value_error"}])
    start, end = int(cursor), int(cursor) + int(size)
    has_more = end < len(there)
    page = {name: [told(entry) for entry in there[start:end]]}
    return Answer(200, {**page, "next_cursor": str(end) if has_more else None, "has_more": has_more})


def _agent(workspace: SimulatedWorkspace, agent: SimulatedAgent) -> dict[str, object]:
    return {
        "agent_id": workspace.agent_id(agent),
        "name": agent.name,
        "voice_id": workspace.identifier("voice", agent.slug)[:20],
        "tags": list(agent.tags),
        "created_at_unix_secs": _unix(agent.created_on),
        "updated_at_unix_secs": _unix(agent.created_on),
        "last_call_time_unix_secs": _unix(workspace.today - timedelta(days=2)),
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
