"""Why a closed month has come to cost something else, as the lines of its adjustment say it.

Known are changes of assignments and restatements since the latest month was closed. What leaves no such trace –
another way of sharing usage without a key, a rate for estimates – is said in general words by the adjustment itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, TruncMonth

from core.days import DateRange
from core.months import days_of, first_of
from costs.models import AttributedUsage, Restatement
from providers.models import AssignmentChange, Company
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


def causes_since(since: datetime, bills: Iterable[Bill]) -> Causes:
    """What has changed ``bills`` since then; at most three queries."""
    bills = sorted(set(bills))
    span = (bills[0][0], days_of(bills[-1][0]).last)
    moved = _moved(since)
    restated = _restated(since, span)
    payers = frozenset(payer for ends in moved.values() for periods in ends for payer in _payers(periods))
    if not moved and not restated:
        return Causes({}, payers)
    keys, companies = _names({*moved, *restated}, span, {*payers, *(pk for _month, pk in bills)})
    found: dict[Bill, list[Cause]] = defaultdict(list)
    for (month, company_id), key in ((bill, key) for bill in bills for key in keys.get(bill[0], ())):
        if key.pk in moved:
            before, after = moved[key.pk]
            found[month, company_id] += _moves(key, before, after, month, company_id, companies)
        if company_id in key.payers:
            days = [line for line in restated.get(key.pk, ()) if first_of(line.day) == month]
            found[month, company_id] += _restatements(key, days)
    return Causes(found, payers)


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


def _restated(since: datetime, span: tuple[date, date]) -> dict[int, list[_Restated]]:
    """By project; one query."""
    found: dict[int, list[_Restated]] = defaultdict(list)
    rows = Restatement.objects.filter(restated_at__gt=since, day__range=span).order_by("day")
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


# --- Names ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Key:
    pk: int
    name: str
    label: str
    payers: frozenset[int]  # of the month


def _names(
    projects: Iterable[int], span: tuple[date, date], companies: Iterable[int]
) -> tuple[Mapping[date, Sequence[_Key]], Mapping[int, str]]:
    """The keys that were used in each month, by name, and the companies' names; one query."""
    text = CharField()
    used = (
        AttributedUsage.objects.filter(project__in=projects, day__range=span)
        .order_by()
        .annotate(month=TruncMonth("day"))
        .values_list(
            "project_id", "project__label", "project__name", "project__hint", "company_id", Cast("month", text)
        )
        .distinct()
    )
    empty = Value("", output_field=text)
    named = (
        Company.objects.filter(pk__in=companies)
        .order_by()
        .values_list("pk", "name", empty, empty, "pk", Value("company", output_field=text))
    )
    names: dict[int, str] = {}
    keys: dict[tuple[date, int, str, str], set[int]] = defaultdict(set)
    for pk, one, other, hint, company_id, month in used.union(named, all=True):
        if month == "company":
            names[pk] = one
        else:
            name = one or other or (f"API key ··{hint}" if hint else A_KEY)
            keys[date.fromisoformat(month[:10]), pk, name, one].add(company_id)
    by_month: dict[date, list[_Key]] = defaultdict(list)
    for (month_day, pk, name, label), payers in sorted(keys.items(), key=lambda item: item[0][2].casefold()):
        by_month[month_day].append(_Key(pk, name, label, frozenset(payers)))
    return by_month, names


def _when(days: DateRange) -> str:
    """ "10–31 Oct": the year stands with the month of the line."""
    first, last = days.first, days.last
    return f"{first.day} {first:%b}" if first == last else f"{first.day}–{last.day} {last:%b}"
