"""Rows of usage are divided between agents so that nothing is lost, nothing is added and nothing is negative."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elevenlabs_sync.dividing import Claim, allocate, divide, keep_standing
from syncing.reader import AGENT, AgentCalls, UsageRow
from tests.fake_reader import usage_row

DAY = date(2026, 11, 20)
FIGURES = ("credits", "minutes", "requests", "cost")
KEYLESS: dict[str, Any] = {"external_id": None, "key_name": ""}


def keyless(**figures: Any) -> UsageRow:
    return usage_row(DAY, **KEYLESS | figures)


def claim(agent: str, key: str | None = None, **figures: Any) -> Claim:
    return Claim(key, usage_row(DAY, external_id=agent, key_name="", kind=AGENT, **figures))


def amounts(rows: Iterable[UsageRow], name: str = "credits") -> dict[str | None, Any]:
    return {row.external_id: getattr(row, name) for row in rows}


def test_a_keyless_row_becomes_the_agents_rows_and_a_rest() -> None:
    """Figure by figure."""
    row = keyless(credits=Decimal(100), requests=7, cost=Decimal("1.5"), currency="usd")
    a = claim("agent_a", credits=Decimal(60), requests=3, cost=Decimal("0.9"), currency="usd")
    b = claim("agent_b", credits=Decimal(30), requests=4, cost=Decimal("0.5"), currency="usd")

    rows = divide([row], [a, b]).rows

    assert amounts(rows) == {"agent_a": 60, "agent_b": 30, None: 10}
    assert amounts(rows, "requests") == {"agent_a": 3, "agent_b": 4, None: 0}
    assert amounts(rows, "cost") == {"agent_a": Decimal("0.9"), "agent_b": Decimal("0.5"), None: Decimal("0.1")}


def test_a_day_and_model_of_which_more_is_claimed_than_there_is_stays_undivided() -> None:
    """Others are divided."""
    other = keyless()._replace(model="large")

    division = divide(
        [keyless(credits=Decimal(10)), other],
        [claim("agent_a", credits=Decimal(11)), claim("agent_a", credits=Decimal(1), model="large")],
    )

    assert division.exceeded == [(DAY, "small")]
    assert {(row.model, row.external_id): row.credits for row in division.rows} == {
        ("small", None): 10,
        ("large", None): 999,
        ("large", "agent_a"): 1,
    }


def test_a_claim_on_a_row_that_is_not_there_is_too_much() -> None:
    """Nothing is made of it."""
    division = divide([], [claim("agent_a")])

    assert (division.rows, division.exceeded) == ([], [(DAY, "small")])


def test_parts_that_were_rounded_up_are_met_within_their_rounding() -> None:
    """Two halves of the smallest amount, each stored as a whole one."""
    unit = Decimal("0.0000000001")
    parts = [claim(f"agent_{name}", cost=unit, currency="usd", credits=Decimal(0)) for name in "ab"]

    division = divide([keyless(credits=Decimal(0), cost=unit, currency="usd")], parts)

    assert not division.exceeded
    assert sum(row.cost or 0 for row in division.rows) == unit


def test_a_figure_that_is_unknown_of_the_row_is_unknown_of_its_parts() -> None:
    """What the agent's own price is counts for nothing: the row has none yet."""
    rows = divide([keyless(cost=None)], [claim("agent_a", cost=Decimal(1), currency="usd", credits=Decimal(5))]).rows

    assert amounts(rows, "cost") == {"agent_a": None, None: None}
    assert {row.currency for row in rows} == {""}


def test_a_row_whose_parts_lack_a_figure_stays_undivided_until_they_have_it() -> None:
    """Nobody knows how much of it is theirs."""
    row = keyless(cost=Decimal(3), currency="usd")

    division = divide([row], [claim("agent_a", cost=None)])

    assert (division.rows, division.unclear) == ([row], [(DAY, "small")])


def test_another_currency_is_not_taken_for_the_rows() -> None:
    """Amounts of two currencies are never subtracted."""
    row = keyless(cost=Decimal(3), currency="usd")

    division = divide([row], [claim("agent_a", cost=Decimal(1), currency="eur")])

    assert (division.rows, division.unclear) == ([row], [(DAY, "small")])


def test_an_agent_that_several_keys_serve_has_one_row() -> None:
    """Each key keeps its rest."""
    rows = [usage_row(DAY, external_id="one"), usage_row(DAY, external_id="two")]
    claims = [claim("agent_a", "one", credits=Decimal(400)), claim("agent_a", "two", credits=Decimal(1000))]

    assert amounts(divide(rows, claims).rows) == {"agent_a": 1400, "one": 600, "two": 0}


def test_what_is_priced_is_not_added_to_what_is_not() -> None:
    """The known cost would be lost in a sum that is unknown."""
    rows = [usage_row(DAY, external_id="one", cost=Decimal(1), currency="usd"), usage_row(DAY, external_id="two")]
    claims = [
        claim("agent_a", "one", cost=Decimal(1), currency="usd"),
        claim("agent_a", "two", credits=Decimal(1)),
    ]

    division = divide(rows, claims)

    assert (division.rows, division.unclear) == (rows, [(DAY, "small")])


AMOUNT = st.none() | st.integers(0, 10**6).map(lambda units: Decimal(units).scaleb(-4))
COUNT = st.none() | st.integers(0, 50)
KEYS = st.sampled_from([None, "one", "two"])


@st.composite
def usage_rows(draw: st.DrawFn, *, kind: str, ids: st.SearchStrategy[str | None]) -> UsageRow:
    cost = draw(AMOUNT)
    return UsageRow(
        external_id=draw(ids),
        key_name="",
        day=DAY + timedelta(days=draw(st.integers(0, 1))),
        model=draw(st.sampled_from(["small", "large"])),
        credits=draw(AMOUNT),
        minutes=draw(AMOUNT),
        requests=draw(COUNT),
        cost=cost,
        currency="" if cost is None else "usd",
        kind=kind,
    )


AGENT_ROWS = usage_rows(kind=AGENT, ids=st.sampled_from(["agent_a", "agent_b"]))
CLAIMS = st.lists(
    st.builds(Claim, KEYS, AGENT_ROWS),
    max_size=8,
    unique_by=lambda claim: (claim.key, claim.part.external_id, claim.part.day, claim.part.model),
)
ROWS = st.lists(
    usage_rows(kind="key", ids=KEYS), max_size=8, unique_by=lambda row: (row.external_id, row.day, row.model)
)


def totals(rows: Iterable[UsageRow]) -> dict[tuple[date, str, str], Decimal]:
    sums: dict[tuple[date, str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        for name in FIGURES:
            sums[row.day, row.model, name] += getattr(row, name) or 0
    return {place: amount for place, amount in sums.items() if amount}


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, claims=CLAIMS)
def test_whatever_is_claimed_every_total_stays(rows: list[UsageRow], claims: list[Claim]) -> None:
    """Of each day, model and figure; nothing is negative, and nobody has two rows of a day and model."""
    divided = divide(rows, claims).rows

    assert totals(divided) == totals(rows)
    assert all((getattr(row, name) or 0) >= 0 for row in divided for name in FIGURES)
    assert len({(row.external_id, row.day, row.model) for row in divided}) == len(divided)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS)
def test_claims_that_are_true_are_all_met(rows: list[UsageRow]) -> None:
    """Where each row is claimed whole, nothing is left of it."""
    known = [row for row in rows if None not in (row.credits, row.minutes, row.requests, row.cost)]
    claims = [Claim(row.external_id, row._replace(external_id="agent_a", kind=AGENT)) for row in known]

    division = divide(known, claims)

    assert not division.exceeded
    assert not division.unclear
    assert all(row.is_empty for row in division.rows if row.is_of_key)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, claims=CLAIMS, others=ROWS)
def test_a_division_is_kept_where_it_still_adds_up(
    rows: list[UsageRow], claims: list[Claim], others: list[UsageRow]
) -> None:
    """Of the same rows again it is the same; of other rows their totals count."""
    divided = [row for row in divide(rows, claims).rows if not row.is_empty]

    assert totals(keep_standing(rows, divided)) == totals(rows)
    assert totals(keep_standing(others, divided)) == totals(others)


def test_the_same_rows_keep_the_division_that_stands() -> None:
    """The second answer may lack for an hour without anything moving."""
    row = keyless(credits=Decimal(10))
    standing = divide([row], [claim("agent_a", credits=Decimal(4))]).rows

    assert keep_standing([row], standing) == standing
    assert keep_standing([row._replace(credits=Decimal(11))], standing) == [row._replace(credits=Decimal(11))]


# By conversations -----------------------------------------------------------------------------------------------------


def calls(*, seconds: int = 60, used: str | None = None, cost: str | None = None) -> AgentCalls:
    return AgentCalls(1, seconds, None if used is None else Decimal(used), None if cost is None else Decimal(cost))


@pytest.mark.parametrize(
    ("a", "b", "shares"),
    [
        (calls(cost="3", used="1"), calls(cost="1", used="9"), {"agent_a": 75, "agent_b": 25}),
        (calls(cost="3", used="1"), calls(used="9"), {"agent_a": 10, "agent_b": 90}),
        (calls(seconds=40, used="1"), calls(seconds=60), {"agent_a": 40, "agent_b": 60}),
        (calls(seconds=40, cost="0"), calls(seconds=60, cost="0"), {"agent_a": 40, "agent_b": 60}),
    ],
    ids=["cost", "credits", "seconds", "costs of zero"],
)
def test_shares_go_by_cost_or_else_credits_or_else_seconds(
    a: AgentCalls, b: AgentCalls, shares: dict[str, int]
) -> None:
    """By what is told of every agent of the day."""
    rows = allocate([keyless(credits=Decimal(100))], {DAY: {"agent_a": a, "agent_b": b}})

    assert amounts(rows) == shares
    assert all(row.allocated for row in rows)


def test_keys_and_days_without_conversations_are_not_shared() -> None:
    """There is nothing to share them by."""
    rows = [keyless(), usage_row(DAY, external_id="one")]

    assert allocate(rows, {DAY + timedelta(days=1): {"agent_a": calls()}}) == rows
    assert allocate(rows[1:], {DAY: {"agent_a": calls()}}) == rows[1:]
    assert allocate(rows, {DAY: {"agent_a": calls(seconds=0)}}) == rows


def test_usage_without_any_figure_yet_is_everybodys() -> None:
    """Billed by cost and not priced: each share is unknown."""
    rows = allocate([keyless(credits=None)], {DAY: {"agent_a": calls(), "agent_b": calls()}})

    assert amounts(rows, "cost") == {"agent_a": None, "agent_b": None}


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, seconds=st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
def test_shares_add_up_to_the_row(rows: list[UsageRow], seconds: list[int]) -> None:
    """Whatever the proportions: largest remainder, of requests in whole numbers."""
    agents = {f"agent_{number}": calls(seconds=amount) for number, amount in enumerate(seconds)}

    shared = allocate(rows, {DAY: agents})

    assert totals(shared) == totals(rows)
    assert all((getattr(row, name) or 0) >= 0 for row in shared for name in FIGURES)
