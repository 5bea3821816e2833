"""Dividing rows of usage between what used it: a pure function of two answers, figure by figure.

The first answer's rows are what was used; claims say, from a second answer, how much of a row one agent (or person)
used. The parts of a row and its rest always add up to the row. Nothing here fetches or stores.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.amounts import COST, CREDITS, MINUTES, REQUESTS, Figure
from syncing.reader import AGENT, AgentCalls, ConversationDays, UsageRow

Place = tuple[date, str]  # a UTC day and a model's id

_FIGURES: dict[str, Figure] = {"credits": CREDITS, "minutes": MINUTES, "requests": REQUESTS, "cost": COST}


@dataclass(frozen=True)
class Claim:
    """How much of the row of ``key`` (None: used without one), of the part's day and model, belongs to ``part``."""

    key: str | None
    part: UsageRow


@dataclass(frozen=True)
class Division:
    """``rows`` are ordered by day, model and id; of each divided row the rest is kept, be it all zeros.

    Undivided stay the places of ``exceeded``, where claims are more than there is, and those of ``unclear``, where a
    figure is known of the whole and not of its parts – usually because a part has no price yet.
    """

    rows: list[UsageRow]
    exceeded: list[Place]
    unclear: list[Place]


class _ExceededError(Exception):
    pass


class _UnclearError(Exception):
    pass


def divide(rows: Sequence[UsageRow], claims: Iterable[Claim]) -> Division:
    """Divide ``rows`` – at most one for each key, day and model – by ``claims``.

    At each day and model either all claims are met, exactly, or none is. Over the parts and the rest each figure adds
    up to that of the row; what is unknown of the row is unknown of every part. No figure is ever negative.
    """
    rows_at: dict[Place, list[UsageRow]] = defaultdict(list)
    for row in rows:
        rows_at[row.day, row.model].append(row)
    claims_at: dict[Place, list[Claim]] = defaultdict(list)
    for claim in claims:
        if not claim.part.is_empty:
            claims_at[claim.part.day, claim.part.model].append(claim)

    division = Division([], [], [])
    for place in sorted({*rows_at, *claims_at}):
        at_place = rows_at.get(place, [])
        try:
            at_place = _divided(at_place, claims_at.get(place, []))
        except _ExceededError:
            division.exceeded.append(place)
        except _UnclearError:
            division.unclear.append(place)
        division.rows.extend(sorted(at_place, key=lambda row: (row.kind, row.external_id or "")))
    return division


def _divided(rows: list[UsageRow], claims: list[Claim]) -> list[UsageRow]:
    """The parts and the rests of the rows of one day and model."""
    by_key: dict[str | None, list[UsageRow]] = defaultdict(list)
    for claim in claims:
        by_key[claim.key].append(claim.part)
    if by_key.keys() - {row.external_id for row in rows}:
        raise _ExceededError
    rests: list[UsageRow] = []
    parts: dict[tuple[str, str | None], list[UsageRow]] = defaultdict(list)
    for row in rows:
        *of_row, rest = _split(row, by_key.get(row.external_id, []))
        rests.append(rest)
        for part in of_row:
            parts[part.kind, part.external_id].append(part)
    return rests + [merged for same in parts.values() if not (merged := _merged(same)).is_empty]


def _split(row: UsageRow, parts: list[UsageRow]) -> list[UsageRow]:
    """The parts, as large as ``row`` allows, and last its rest."""
    if not parts:
        return [row]
    if row.currency and any(part.cost and part.currency != row.currency for part in parts):
        raise _UnclearError
    figures: dict[str, list[Decimal | None]] = {}
    for name, figure in _FIGURES.items():
        whole = getattr(row, name)
        figures[name] = _amounts(whole, [getattr(part, name) for part in parts], figure)
    return [
        owner._replace(
            credits=credits_,
            minutes=minutes,
            requests=None if requests is None else int(requests),
            cost=cost,
            currency="" if cost is None else row.currency,
        )
        for owner, credits_, minutes, requests, cost in zip([*parts, row], *figures.values(), strict=True)
    ]


def _amounts(whole: Decimal | int | None, parts: list[Decimal | int | None], figure: Figure) -> list[Decimal | None]:
    """One figure of the parts and of the rest, which add up to ``whole``."""
    if whole is None:
        return [None] * (len(parts) + 1)
    if whole and None in parts:
        raise _UnclearError
    amounts = [Decimal(part or 0) for part in parts]
    rest = Decimal(whole) - sum(amounts, Decimal(0))
    if rest < 0:
        _take_off(amounts, -rest, figure)
        rest = Decimal(0)
    return [*amounts, rest]


def _take_off(amounts: list[Decimal], excess: Decimal, figure: Figure) -> None:
    """Make the largest ``amounts`` smaller where each, and their sum, was rounded to the digits that are stored."""
    rounding = 0 if figure is REQUESTS else figure.unit * (len(amounts) + 1) / 2
    if excess > rounding:
        raise _ExceededError
    for index in sorted(range(len(amounts)), key=lambda index: -amounts[index]):
        taken = min(amounts[index], excess)
        amounts[index] -= taken
        excess -= taken


def _merged(parts: list[UsageRow]) -> UsageRow:
    """What one agent used with several keys, as one row."""
    first, *others = parts
    if not others:
        return first
    sums: dict[str, Decimal | None] = {}
    for name in _FIGURES:
        amounts = [getattr(part, name) for part in parts]
        known = [amount for amount in amounts if amount is not None]
        if None in amounts and any(known):  # added up, what is known would be lost
            raise _UnclearError
        sums[name] = None if None in amounts else sum(map(Decimal, known), Decimal(0))
    requests = sums["requests"]
    return first._replace(
        credits=sums["credits"],
        minutes=sums["minutes"],
        requests=None if requests is None else int(requests),
        cost=sums["cost"],
        currency="" if sums["cost"] is None else next(part.currency for part in parts if part.currency),
    )


def allocate(rows: Sequence[UsageRow], days: ConversationDays) -> list[UsageRow]:
    """``rows`` with what was used without a key shared between agents, in proportion to their conversations of the day.

    By cost where it is told of every conversation of the day, else by credits, else by seconds; figure by figure by
    largest remainder, ties to the lower id. What is unknown of a row is unknown of every share. Days without
    conversations stay as they are.
    """
    shared: list[UsageRow] = []
    for row in rows:
        weights = _weights(days.get(row.day, {})) if row.external_id is None else []
        shared.extend(_shares(row, weights) if weights else [row])
    return shared


def _weights(agents: Mapping[str, AgentCalls]) -> list[tuple[str, Decimal | int]]:
    """By agent id, in order; empty where nothing tells the agents apart."""
    for measure in ("cost", "credits", "seconds"):
        amounts = {agent: getattr(calls, measure) for agent, calls in agents.items()}
        if None not in amounts.values() and any(amounts.values()):
            return [(agent, amount) for agent, amount in sorted(amounts.items()) if amount]
    return []


def _shares(row: UsageRow, weights: list[tuple[str, Decimal | int]]) -> list[UsageRow]:
    credits_, minutes, requests, cost = (
        figure.shared(getattr(row, name), [weight for _agent, weight in weights]) for name, figure in _FIGURES.items()
    )
    shares = [
        row._replace(
            external_id=agent,
            key_name="",
            kind=AGENT,
            allocated=True,
            credits=credits_[index],
            minutes=minutes[index],
            requests=None if (number := requests[index]) is None else int(number),
            cost=cost[index],
        )
        for index, (agent, _weight) in enumerate(weights)
    ]
    # Of usage without any price yet every share says so.
    return [share for share in shares if not share.is_empty or row.is_empty]


def keep_standing(rows: Sequence[UsageRow], standing: Iterable[UsageRow]) -> list[UsageRow]:
    """``rows`` with the division that ``standing`` – what is stored of these days – has, where it still holds.

    For when the second answer could not be had. It holds for a day and model as long as all figures add up to the same
    and no key has more than in ``rows``; anywhere else ``rows`` stay undivided.
    """
    rows_at: dict[Place, list[UsageRow]] = defaultdict(list)
    for row in rows:
        rows_at[row.day, row.model].append(row)
    standing_at: dict[Place, list[UsageRow]] = defaultdict(list)
    for row in standing:
        standing_at[row.day, row.model].append(row)
    kept: list[UsageRow] = []
    for place in sorted(rows_at):
        fresh, stored = rows_at[place], standing_at.get(place, [])
        kept.extend(stored if _still_holds(fresh, stored) else fresh)
    return kept


def _still_holds(fresh: list[UsageRow], stored: list[UsageRow]) -> bool:
    of_key = {row.external_id: row for row in fresh}
    keys = [row for row in stored if row.is_of_key]
    if len(keys) == len(stored) or any(row.external_id not in of_key for row in keys):
        return False
    if any(_total(fresh, name) != _total(stored, name) for name in _FIGURES):
        return False
    return all(
        (getattr(row, name) or 0) <= (getattr(of_key[row.external_id], name) or 0) for row in keys for name in _FIGURES
    )


def _total(rows: list[UsageRow], name: str) -> tuple[Decimal, bool, set[str]]:
    """The sum of what is known, whether something is not, and the currencies."""
    amounts = [getattr(row, name) for row in rows]
    known = sum((Decimal(amount) for amount in amounts if amount is not None), Decimal(0))
    return known, None in amounts, {row.currency for row in rows if row.currency}
