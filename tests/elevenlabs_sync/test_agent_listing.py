"""The listing of agents, and what hostile answers come to: a sentence, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core.days import utc_now
from elevenlabs_sync.agents import AgentReader, read_agents, read_claims
from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.dividing import Claim
from syncing.errors import MissingPermissionError, UnexpectedResponseError
from syncing.reader import ListedAgent, SyncSession
from tests.elevenlabs_sync.tables import UNITS, answer, cells

DAY = date(2026, 9, 20)


def agent(number: int, **fields: Any) -> dict[str, Any]:
    return {"agent_id": f"agent_{number}", "name": f"Agent {number}", "tags": [], "archived": False} | fields


def page(*agents: Any, cursor: str | None = None) -> dict[str, Any]:
    return {"agents": list(agents), "next_cursor": cursor, "has_more": cursor is not None}


def listed(told: Callable[[str], Any]) -> list[ListedAgent]:
    """By a client that answers so to a cursor."""

    class Client(ElevenLabsClient):
        def __init__(self) -> None:
            pass

        def agents(self, *, cursor: str = "") -> Any:
            return told(cursor)

    session = SyncSession(call=lambda request: request(), clock=utc_now)
    choices: dict[str, Any] = {"agents_first": False, "by_conversations": False, "by_person": False}
    return AgentReader(Client(), session=session, tells_agents=None, **choices).listed()


def test_all_pages_are_read() -> None:
    """Each from the cursor of the one before."""
    pages = {"": page(agent(1), cursor="next"), "next": page(agent(2))}

    assert [found.external_id for found in listed(pages.__getitem__)] == ["agent_1", "agent_2"]


def test_an_agent_that_is_listed_twice_is_taken_once() -> None:
    """Pages shift while they are read: the first entry holds."""
    pages = {"": page(agent(1), cursor="next"), "next": page(agent(1, name="Other"), agent(2))}

    assert [found.name for found in listed(pages.__getitem__)] == ["Agent 1", "Agent 2"]


@pytest.mark.parametrize("next_cursor", [lambda _cursor: "same", lambda cursor: f"{cursor}x"], ids=["same", "other"])
def test_a_listing_that_does_not_end_is_refused(next_cursor: Callable[[str], str]) -> None:
    """Whether its cursors repeat or not."""
    with pytest.raises(UnexpectedResponseError, match="its pages do not end"):
        listed(lambda cursor: page(agent(1), cursor=next_cursor(cursor)))


def test_ten_thousand_agents_and_more_are_counted_to_the_limit() -> None:
    """The page after the last that is taken shows that there are too many."""

    def endless(cursor: str) -> dict[str, Any]:
        first = int(cursor or 0)
        return page(*(agent(number) for number in range(first, first + 100)), cursor=str(first + 100))

    assert len(listed(endless)) == 10_100


def test_a_missing_permission_is_the_one_for_agents() -> None:
    """Where the answer does not name it, the client would name another."""

    def refuse(_cursor: str) -> Any:
        raise MissingPermissionError("workspace_analytics_full_read")

    with pytest.raises(MissingPermissionError, match="convai_read"):
        listed(refuse)


def test_names_and_tags_are_cut_and_made_storable() -> None:
    """They are shown, and nothing more."""
    entry = agent(1, name="<b>" + "x" * 10_000 + "</b>", tags=["vip", "vip", 7, "\0", "y" * 10_000])

    ((found,), cursor) = read_agents(page(entry))

    assert (len(found.name), cursor) == (200, "")
    assert [tag[:3] for tag in found.tags] == ["vip", "�", "yyy"]
    assert max(map(len, found.tags)) == 200


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "field agents is not a list of objects"),
        (page("agent_1"), "field agents is not a list of objects"),
        (page(agent(1, agent_id="")), "field agent_id holds something that is no id"),
        (page(agent(1, agent_id=7)), "field agent_id holds something that is no id"),
        (page(agent(1, agent_id="a" * 201)), "field agent_id holds something that is no id"),
        (page(agent(1, tags="vip")), "field tags is not a list"),
        (page(agent(1)) | {"has_more": True, "next_cursor": 7}, "field next_cursor is no text"),
    ],
)
def test_a_listing_that_can_not_be_understood_names_the_field(document: Any, sentence: str) -> None:
    """It is refused whole: what stands stays."""
    with pytest.raises(UnexpectedResponseError, match=sentence):
        read_agents(document)


def test_an_archived_agent_says_so() -> None:
    """Null and nothing are no."""
    found, _cursor = read_agents(page(agent(1, archived=True), agent(2, archived=None), {"agent_id": "agent_3"}))

    assert [one.is_archived for one in found] == [True, False, False]


def claims(*rows: tuple[str | None, str | None, int]) -> list[Claim]:
    document = answer(
        [cells(hashed_xi_api_key=key, resource_id=resource, total_usage=used) for key, resource, used in rows],
        units={**UNITS, "resource_id": None},
    )
    return read_claims(document, frozenset({"agent_1"}), first=DAY, last=DAY)


def test_resources_that_were_not_asked_for_are_left_out() -> None:
    """A filter may be ignored."""
    found = claims((None, "agent_1", 5), (None, "voice_9", 7), ("key", "agent_1", 3), (None, None, 1))

    assert [(claim.key, claim.part.external_id, claim.part.credits) for claim in found] == [
        (None, "agent_1", Decimal(5)),
        ("key", "agent_1", Decimal(3)),
    ]


def test_an_answer_without_the_column_is_refused() -> None:
    """Then the workspace does not tell."""
    with pytest.raises(UnexpectedResponseError, match="column resource_id is missing"):
        read_claims(answer([cells()]), frozenset({"agent_1"}), first=DAY, last=DAY)
