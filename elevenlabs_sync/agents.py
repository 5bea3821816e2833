"""Agents: listing them, and dividing the usage of workspaces billed in credits between them.

What an agent's public widget or phone number uses carries no API key. A second request for the same days – grouped by
resource too, filtered to the known agents – says what each of them used; the main answer, its checks and its totals are
as they would be without. Whether ``resource_id`` names agents at all is no documented fact, so it is found out: where
the endpoint refuses the question, or answers without the column, that is remembered and asked again by night.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from elevenlabs_sync.client import AGENTS_PER_PAGE, AGENTS_PERMISSION, ElevenLabsClient
from elevenlabs_sync.conversations import read_day
from elevenlabs_sync.dividing import Claim, Division, allocate, divide, keep_standing
from elevenlabs_sync.payloads import display_name, objects, read_usage
from elevenlabs_sync.tabular import Table, is_id
from syncing.errors import (
    AnswerTooLargeError,
    MissingPermissionError,
    ProviderError,
    RejectedError,
    UnexpectedResponseError,
)
from syncing.reader import AGENT, AGENTS_PER_REQUEST, PERSON, AgentCalls, ListedAgent, Reading, SyncSession
from syncing.windows import Window

# More agents than that are not taken over anyway (syncing.storing); one page more shows that there are more.
MAX_PAGES = 101
MAX_TAGS = 50
# Conversations are kept, and asked for, so long.
CONVERSATION_DAYS = 100
MAX_NAMED_PLACES = 5
RESOURCE_COLUMN = "resource_id"
USER_COLUMN = "user_id"
LABEL_COLUMN = "user_label"


class AgentReader:
    """Lists the agents of one workspace and divides its usage by them, during one sync.

    ``tells_agents``: what earlier syncs have found out (None: nothing yet). With ``agents_first`` usage of a known
    agent is the agent's whatever key it was made with; else only usage without a key is divided. With
    ``by_conversations`` it is shared in proportion to conversations where it is not told.
    """

    def __init__(
        self,
        client: ElevenLabsClient,
        *,
        session: SyncSession,
        tells_agents: bool | None,
        agents_first: bool,
        by_conversations: bool,
        by_person: bool,
    ) -> None:
        self._client = client
        self._session = session
        self._agents_first = agents_first
        self._by_conversations = by_conversations
        self._by_person = by_person
        self._tells_agents = tells_agents
        self._asks = tells_agents is not False or session.rechecks
        self._called_on: set[date] = set()  # the days of agents' last calls, where this sync has listed them
        self._failure: ProviderError | None = None  # after one the sync does not ask again

    def listed(self) -> list[ListedAgent]:
        """Every agent, each once. Raises UnexpectedResponseError for a listing that does not end, too."""
        agents: dict[str, ListedAgent] = {}
        cursor, seen = "", {""}
        for _page in range(MAX_PAGES):
            page, cursor = read_agents(self._page(cursor))
            for agent in page:
                agents.setdefault(agent.external_id, agent)
            if not cursor:
                self._called_on = {agent.last_called_on for agent in agents.values() if agent.last_called_on}
                return list(agents.values())
            if cursor in seen:
                break
            seen.add(cursor)
        if len(agents) > (MAX_PAGES - 1) * AGENTS_PER_PAGE:
            return list(agents.values())
        raise UnexpectedResponseError("its pages do not end")

    def _page(self, cursor: str) -> Any:
        try:
            return self._session.once(lambda: self._client.agents(cursor=cursor))
        except MissingPermissionError:
            raise MissingPermissionError(AGENTS_PERMISSION) from None

    def divided(self, reading: Reading) -> Reading:
        """The reading of days in credits, divided by agent as far as the workspace reports agents, then by person."""
        by_agent = self._divided_by_agent(reading)
        if not self._by_person or all(row.external_id is not None for row in by_agent.rows):
            return by_agent
        start, end = reading.window.bounds(now=reading.read_at)
        agents = self._agents_of(reading)
        chunks = [agents[at : at + AGENTS_PER_REQUEST] for at in range(0, len(agents), AGENTS_PER_REQUEST)]
        try:
            document = self._session.once(
                lambda: self._client.usage_by_person(start=start, end=end, except_resources=chunks)
            )
            claims = read_persons(document, first=reading.window.first, last=reading.window.last)
        except ProviderError as error:
            remark = f"Usage of the web app could not be divided by person this time ({error.code})."
            rows = keep_standing(by_agent.rows, self._session.standing(reading.window))
            return replace(by_agent, rows=rows, remarks=(*by_agent.remarks, remark))
        ids = {row.external_id for row in by_agent.rows}
        division = divide(
            [row for row in by_agent.rows if row.is_of_key],
            [claim for claim in claims if claim.part.external_id not in ids],
        )
        parts = [row for row in by_agent.rows if not row.is_of_key]
        rows = [*parts, *(row for row in division.rows if not row.is_empty)]
        return replace(by_agent, rows=rows, remarks=(*by_agent.remarks, *_remarks(division, "person")))

    def _agents_of(self, reading: Reading) -> list[str]:
        """The known agents; an id that usage knows as a key's is a key."""
        return sorted(self._session.agent_ids() - {row.external_id for row in reading.rows})

    def _divided_by_agent(self, reading: Reading) -> Reading:
        if not reading.rows:
            return reading
        if self._failure is not None:
            return self._as_before(reading, self._failure)
        if not self._asks:
            return self.allocated(reading)
        agents = self._agents_of(reading)
        if not agents:
            return reading
        try:
            claims = [
                claim
                for start in range(0, len(agents), AGENTS_PER_REQUEST)
                for claim in self._claims(reading.window, reading.read_at, agents[start : start + AGENTS_PER_REQUEST])
            ]
        except ProviderError as error:
            if isinstance(error, AnswerTooLargeError) or not isinstance(error, RejectedError | UnexpectedResponseError):
                self._failure = error
                return self._as_before(reading, error)
            # What does not answer this question never will.
            self._asks = False
            unanswered = reading if self._by_conversations else self._as_before(reading, error)
            return replace(self.allocated(unanswered), tells_agents=False)
        if not claims:
            return reading if self._tells_agents else self._untold(reading)
        self._tells_agents = True
        division = divide(reading.rows, [claim for claim in claims if self._agents_first or claim.key is None])
        return replace(
            reading,
            rows=[row for row in division.rows if not row.is_empty],
            tells_agents=True,
            remarks=(*reading.remarks, *_remarks(division)),
        )

    def _untold(self, reading: Reading) -> Reading:
        """The reading of usage that has named no agent: where one was called in its days, it never will."""
        # Usage of yesterday may still be on its way.
        last = min(reading.window.last, reading.read_at.date() - timedelta(days=2))
        was_called = any(reading.window.first <= day <= last for day in self._called_on)
        if was_called:
            self._asks = False
        return replace(self.allocated(reading), tells_agents=False if was_called else None)

    def allocated(self, reading: Reading) -> Reading:
        """The reading with its usage without a key shared by conversations, where that was chosen."""
        if not self._by_conversations or all(row.external_id is not None for row in reading.rows):
            return reading
        days = dict(self._session.conversations(reading.window))
        read: dict[date, Mapping[str, AgentCalls]] = {}
        oldest = reading.read_at.date() - timedelta(days=CONVERSATION_DAYS)
        used = {row.day for row in reading.rows if row.external_id is None}
        keys = {row.external_id for row in reading.rows}
        try:
            for day in sorted(used - days.keys()):
                if day > oldest:
                    read[day] = days[day] = read_day(self._client, self._session, day)
        except ProviderError as error:
            return self._as_before(replace(reading, conversations=read), error)
        # An id that usage knows as a key's is a key.
        known = {day: agents for day, agents in days.items() if not agents.keys() & keys}
        rows = allocate([row for row in reading.rows if row.day > oldest], known)
        earlier = [row for row in reading.rows if row.day <= oldest]
        if earlier:
            rows += keep_standing(earlier, self._session.standing(reading.window))
        return replace(reading, rows=rows, conversations=read)

    def _as_before(self, reading: Reading, error: ProviderError) -> Reading:
        """With the division that is stored, where it still adds up."""
        remark = (
            f"Usage could not be divided by agent this time ({error.code}): "
            "what changed since the last sync is not divided."
        )
        standing = self._session.standing(reading.window)
        if all(row.is_of_key for row in standing):
            return reading
        return replace(reading, rows=keep_standing(reading.rows, standing), remarks=(*reading.remarks, remark))

    def _claims(self, window: Window, read_at: datetime, agents: Sequence[str]) -> Iterator[Claim]:
        """What these agents used in the window, by halves where the answer is too large."""
        start, end = window.bounds(now=read_at)
        try:
            document = self._session.once(
                lambda: self._client.usage_by_resource(start=start, end=end, resource_ids=agents)
            )
        except AnswerTooLargeError:
            if len(window) == 1:
                raise
            for half in window.halves():
                yield from self._claims(half, read_at, agents)
        else:
            yield from read_claims(document, frozenset(agents), first=window.first, last=window.last)


def read_agents(document: Any) -> tuple[list[ListedAgent], str]:
    """A page of ``GET /v1/convai/agents``, and the cursor of the next one; empty after the last."""
    agents = [_agent(entry) for entry in objects(document, "agents")]
    cursor, has_more = document.get("next_cursor"), document.get("has_more")
    if not has_more or cursor is None or not agents:
        return agents, ""
    if not isinstance(cursor, str) or not cursor:
        raise UnexpectedResponseError("field next_cursor is no text")
    return agents, cursor


def _agent(entry: dict[str, Any]) -> ListedAgent:
    agent_id, tags = entry.get("agent_id"), entry.get("tags")
    if not isinstance(agent_id, str) or not agent_id or not is_id(agent_id):
        raise UnexpectedResponseError("field agent_id holds something that is no id")
    if tags is not None and not isinstance(tags, list):
        raise UnexpectedResponseError("field tags is not a list")
    names = [name for tag in (tags or [])[:MAX_TAGS] if (name := display_name(tag))]
    return ListedAgent(
        external_id=agent_id,
        name=display_name(entry.get("name")),
        tags=tuple(dict.fromkeys(names)),
        is_archived=entry.get("archived") is True,
        last_called_on=_day(entry.get("last_call_time_unix_secs")),
    )


def _day(seconds: Any) -> date | None:
    """None where it is no moment that could be."""
    is_moment = isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds < 10**11
    return datetime.fromtimestamp(seconds, tz=UTC).date() if is_moment else None


def read_claims(document: Any, agents: frozenset[str], *, first: date, last: date) -> list[Claim]:
    """What each of ``agents`` used by day, key and model, from an answer grouped by resource too.

    Other resources are left out: a filter may be ignored. Raises UnexpectedResponseError where the answer lacks the
    column, or what read_usage needs.
    """
    return [
        Claim(row.external_id, row._replace(external_id=agent, key_name="", kind=AGENT))
        for agent, rows in _by_cell(document, RESOURCE_COLUMN).items()
        if agent in agents
        for row in read_usage({**document, "rows": rows}, first=first, last=last)
    ]


def read_persons(document: Any, *, first: date, last: date) -> list[Claim]:
    """What each person used without a key by day and model, from an answer grouped by user too.

    Raises UnexpectedResponseError as read_claims does.
    """
    labels = Table.of(document).optional(LABEL_COLUMN)
    claims: list[Claim] = []
    for person, rows in _by_cell(document, USER_COLUMN).items():
        if not is_id(person):
            raise UnexpectedResponseError(f"column {USER_COLUMN} holds something that is no id")
        label = display_name(rows[0][labels.position]) if labels else ""
        claims += [
            Claim(None, row._replace(external_id=person, key_name=label, kind=PERSON))
            for row in read_usage({**document, "rows": rows}, first=first, last=last)
            if row.external_id is None
        ]
    return claims


def _by_cell(document: Any, name: str) -> dict[str, list[Any]]:
    """The rows of a tabular answer by their text in one column; those without any are left out."""
    column = Table.of(document).needed(name)
    rows: dict[str, list[Any]] = {}
    for cells in document["rows"]:
        if isinstance(text := cells[column.position], str) and text:
            rows.setdefault(text, []).append(cells)
    return rows


def _remarks(division: Division, what: str = "agent") -> Iterator[str]:
    for places, reason in (
        (division.exceeded, f"the {what}s' usage is more than there is"),
        (division.unclear, f"a figure is known of the whole, but not of the {what}s' part"),
    ):
        if places:
            named = ", ".join(f"{day.isoformat()} ({model or 'no model'})" for day, model in places[:MAX_NAMED_PLACES])
            more = f" and {len(places) - MAX_NAMED_PLACES} more" if len(places) > MAX_NAMED_PLACES else ""
            yield f"Not divided by {what}, because {reason}: {named}{more}."
