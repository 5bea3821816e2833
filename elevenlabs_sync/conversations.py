"""Reading the conversations of voice agents, of which nothing but sums per agent and day is kept.

The listing carries what people said; it is asked for without summaries, and of each conversation no more is read than
its agent, how long it took and what it cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.payloads import objects
from elevenlabs_sync.tabular import is_id
from syncing.errors import UnexpectedResponseError
from syncing.reader import AgentCalls, SyncSession
from syncing.windows import Window

# Of one day: more than that many conversations are not read to divide a figure.
MAX_PAGES = 500
_LARGEST = 10**12


@dataclass(frozen=True)
class _Call:
    agent: str
    seconds: int
    credits: Decimal | None
    cost: Decimal | None


def read_day(client: ElevenLabsClient, session: SyncSession, day: date) -> dict[str, AgentCalls]:
    """What each agent's conversations of the UTC day were; raises the errors of syncing.errors."""
    of_agent: dict[str, list[_Call]] = defaultdict(list)
    for call in _calls(client, session, day):
        of_agent[call.agent].append(call)
    return {
        agent: AgentCalls(
            calls=len(calls),
            seconds=sum(call.seconds for call in calls),
            credits=_sum([call.credits for call in calls]),
            cost=_sum([call.cost for call in calls]),
        )
        for agent, calls in sorted(of_agent.items())
    }


def _calls(client: ElevenLabsClient, session: SyncSession, day: date) -> Iterator[_Call]:
    start, end = Window(day, day).whole_days
    seen: set[str] = set()
    cursor, cursors = "", {""}
    for _page in range(MAX_PAGES):
        page: Any = session.once(partial(client.conversations, start=start, end=end, cursor=cursor))
        for entry in objects(page, "conversations"):
            identity = entry.get("conversation_id")
            if not isinstance(identity, str) or identity in seen or not _began_on(entry, start.timestamp()):
                continue
            seen.add(identity)
            yield _call(entry)
        following = page.get("next_cursor") if page.get("has_more") is True else None
        if not following:
            return
        if not isinstance(following, str) or following in cursors:
            break
        cursor = following
        cursors.add(cursor)
    raise UnexpectedResponseError("its pages of conversations do not end")


def _began_on(entry: dict[str, Any], start: float) -> bool:
    """A filter may be ignored; what began at an unknown moment is nobody's."""
    began = entry.get("start_time_unix_secs")
    return isinstance(began, int) and start <= began < start + timedelta(days=1).total_seconds()


def _call(entry: dict[str, Any]) -> _Call:
    agent, seconds = entry.get("agent_id"), entry.get("call_duration_secs")
    if not isinstance(agent, str) or not agent or not is_id(agent):
        raise UnexpectedResponseError("field agent_id holds something that is no id")
    if not isinstance(seconds, int) or not 0 <= seconds <= _LARGEST:
        seconds = 0
    return _Call(agent, seconds, _amount(entry.get("cost")), _amount(entry.get("cost_fiat")))


def _amount(value: Any) -> Decimal | None:
    """None where it is no amount that could be."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value) if 0 <= value <= _LARGEST else None


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None
