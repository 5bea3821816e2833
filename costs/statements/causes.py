"""Why a closed month has come to cost something else, as the lines of its adjustment say it.

Known are changes of assignments and restatements since the latest month was closed. What leaves no such trace –
another way of sharing usage without a key, a rate for estimates – is said in general words by the adjustment itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db.models import Q

from core.days import DateRange
from core.months import days_of, first_of
from costs.models import Restatement
from costs.statements.uses import Used, Uses
from providers.models import AssignmentChange
from providers.models.assignment import describe_shares

Bill = tuple[date, int]  # the closed month, the company's id
Shares = tuple[tuple[int, Decimal], ...]

# A bulk assignment may concern hundreds of keys; so many are named.
MOST_NAMED = 5
A_KEY = "An API key"


@dataclass(frozen=True)
class Cause:
    """``text`` is for the agency, ``client_text`` for the company: without names of keys or of other companies."""

    text: str
    client_text: str


@dataclass(frozen=True)
class Causes:
    of_bill: Mapping[Bill, Sequence[Cause]]
    reassigned: frozenset[int]  # companies that took part in a change of assignments

    def text(self, bill: Bill) -> str:
        return _listed([cause.text for cause in self.of_bill.get(bill, ())])

    def client_text(self, bill: Bill) -> str:
        return _listed([cause.client_text for cause in self.of_bill.get(bill, ())])


@dataclass(frozen=True)
class Traces:
    """What has left one: assignments and restatements since then, by project."""

    moved: Mapping[int, tuple[Sequence[Period], Sequence[Period]]] = field(
        default_factory=dict
    )  # periods, then and now
    restated: Mapping[int, Sequence[_Restated]] = field(default_factory=dict)

    @property
    def projects(self) -> set[int]:
        return {*self.moved, *self.restated}

    @property
    def payers(self) -> frozenset[int]:
        """Companies that took part in a change of assignments."""
        return frozenset(payer for ends in self.moved.values() for periods in ends for payer in _payers(periods))


def traces_since(since: datetime, days: DateRange) -> Traces:
    """Of ``days``, since then; two queries."""
    return Traces(_moved(since), _restated(since, days))


def causes_of(bills: Iterable[Bill], traces: Traces, uses: Uses) -> Causes:
    """What has changed ``bills``; ``uses`` are of the traces' projects, and name these bills' and their companies."""
    keys, companies = _keys(uses.used), uses.names
    found: dict[Bill, list[Cause]] = defaultdict(list)
    for (month, company_id), key in ((bill, key) for bill in sorted(bills) for key in keys.get(bill[0], ())):
        if key.pk in traces.moved:
            before, after = traces.moved[key.pk]
            found[month, company_id] += _moves(key, before, after, month, company_id, companies)
        if company_id in key.payers:
            days = [line for line in traces.restated.get(key.pk, ()) if first_of(line.day) == month]
            found[month, company_id] += _restatements(key, days)
    return Causes(found, traces.payers)


def _listed(texts: Sequence[str]) -> str:
    texts = list(dict.fromkeys(texts))
    more = len(texts) - MOST_NAMED
    return "; ".join([*texts[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])])


# --- Assignments ------------------------------------------------------------------------------------------------------

Period = tuple[date, Shares]


def _moved(since: datetime) -> dict[int, tuple[list[Period], list[Period]]]:
    """The periods of each project that was assigned anew, then and now; one query."""
    changes = AssignmentChange.objects.filter(Q(made_at__gt=since) | Q(undone_at__gt=since))
    events: list[tuple[datetime, Any, Any]] = []
    for made_at, undone_at, before, after in changes.values_list("made_at", "undone_at", "before", "after"):
        if made_at > since:
            events.append((made_at, before, after))
        if undone_at is not None:
            events.append((undone_at, after, before))
    moved: dict[int, tuple[list[Period], list[Period]]] = {}
    for _moment, before, after in sorted(events, key=lambda event: event[0]):
        for project_id in {*before, *after}:
            then, now = _read(before.get(project_id, ())), _read(after.get(project_id, ()))
            known = moved.get(int(project_id))
            moved[int(project_id)] = (known[0] if known else then, now)
    return moved


def _read(periods: Iterable[Any]) -> list[Period]:
    """Of a change's snapshot, oldest first."""
    return sorted(
        (
            date.fromisoformat(starts_on),
            tuple(sorted((company_id, Decimal(percent)) for company_id, percent in shares)),
        )
        for starts_on, _source, shares in periods
    )


def _payers(periods: Iterable[Period]) -> set[int]:
    return {company_id for _starts_on, shares in periods for company_id, _percent in shares}


def _on(periods: Sequence[Period], day: date) -> Shares:
    return next((shares for starts_on, shares in reversed(periods) if starts_on <= day), ())


def _moves(
    key: _Key,
    before: Sequence[Period],
    after: Sequence[Period],
    month: date,
    company_id: int,
    companies: Mapping[int, str],
) -> Iterator[Cause]:
    """The days of ``month`` on which the company pays another part of the key, in pieces with the same payers."""
    days = ((day, _on(before, day), _on(after, day)) for day in days_of(month))
    for (then, now), piece in groupby(days, key=lambda each: each[1:]):
        first, *rest = (day for day, *_same in piece)
        if _part(then, company_id) == (part := _part(now, company_id)):
            continue
        when = _when(DateRange(first, rest[-1] if rest else first))
        payers = describe_shares((companies.get(pk, "?"), percent) for pk, percent in now)
        own = companies.get(company_id, "?")
        client = f"→ {own}" if part == 100 else f"→ {own} {part.normalize():f} %" if part else "no longer assigned"
        yield Cause(f"{key.name} → {payers}, {when}", f"{key.label or A_KEY} {client}, {when}")


def _part(shares: Shares, company_id: int) -> Decimal:
    return next((percent for pk, percent in shares if pk == company_id), Decimal(0))


# --- Restatements -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Restated:
    day: date
    was_priced_late: bool


def _restated(since: datetime, days: DateRange) -> dict[int, list[_Restated]]:
    """By project; one query."""
    found: dict[int, list[_Restated]] = defaultdict(list)
    rows = Restatement.objects.filter(restated_at__gt=since, day__range=(days.first, days.last)).order_by("day")
    for project_id, day, before, after in rows.values_list("project_id", "day", "cost_before", "cost_after"):
        found[project_id].append(_Restated(day, before is None and after is not None))
    return found


def _restatements(key: _Key, lines: Sequence[_Restated]) -> Iterator[Cause]:
    for was_priced_late, what in ((True, "priced late"), (False, "restated")):
        days = sorted({line.day for line in lines if line.was_priced_late == was_priced_late})
        if not days:
            continue
        span = DateRange(days[0], days[-1])
        when = _when(span) if len(span) == len(days) else f"{len(days)} days of {_when(span)}"
        yield Cause(f"{key.name} {what}, {when}", f"{key.label or A_KEY} {what}, {when}")


# --- Keys -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Key:
    pk: int
    name: str
    label: str
    payers: frozenset[int | None]  # of the month


def _keys(used: Iterable[Used]) -> Mapping[date, Sequence[_Key]]:
    """The keys that were used in each month, by name."""
    payers: dict[tuple[date, int, str, str], set[int | None]] = defaultdict(set)
    for use in used:
        name = use.label or use.name or (f"API key ··{use.hint}" if use.hint else A_KEY)
        payers[use.month, use.project_id, name, use.label].add(use.company_id)
    by_month: dict[date, list[_Key]] = defaultdict(list)
    for (month, pk, name, label), of_key in sorted(payers.items(), key=lambda item: item[0][2].casefold()):
        by_month[month].append(_Key(pk, name, label, frozenset(of_key)))
    return by_month


def _when(days: DateRange) -> str:
    """ "10–31 Oct": the year stands with the month of the line."""
    first, last = days.first, days.last
    return f"{first.day} {first:%b}" if first == last else f"{first.day}–{last.day} {last:%b}"
