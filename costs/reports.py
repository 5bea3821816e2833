"""What pages and exports read: exact sums of usage, as frozen dataclasses.

Credits, minutes and requests are None where no row knows them. Money is one exact sum per currency, never added across
currencies; what has no price yet is counted beside it, so that a page can say that a sum is not the whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum

from costs.models import DailyUsage, DailyUsageQuerySet, ReadDay, Restatement
from costs.money import Money, to_cents
from costs.ranges import DateRange
from providers.models import Assignment, Company, Project, Provider

# A stacked chart shows this many groups; the rest is one more.
LARGEST = 5
OTHER = "Other"
NO_MODEL = "No model reported"


@dataclass(frozen=True)
class Totals:
    """The sum of some usage rows."""

    credits: Decimal | None = None
    minutes: Decimal | None = None
    requests: int | None = None
    costs: tuple[Money, ...] = ()
    unpriced_rows: int = 0
    estimated: bool = False  # some of the costs are not reported but come from a rate per 1,000 credits

    def __add__(self, other: Totals) -> Totals:
        amounts: dict[str, Decimal] = defaultdict(Decimal)
        for money in (*self.costs, *other.costs):
            amounts[money.currency] += money.amount
        return Totals(
            credits=_add(self.credits, other.credits),
            minutes=_add(self.minutes, other.minutes),
            requests=_add(self.requests, other.requests),
            costs=tuple(sorted(Money(currency, amount) for currency, amount in amounts.items())),
            unpriced_rows=self.unpriced_rows + other.unpriced_rows,
            estimated=self.estimated or other.estimated,
        )

    @property
    def is_empty(self) -> bool:
        return self == NOTHING

    @property
    def is_idle(self) -> bool:
        """Nothing was used: every figure is zero or unknown."""
        known = (self.credits, self.minutes, self.requests, *(money.amount for money in self.costs))
        return not any(known)

    @property
    def is_unpriced(self) -> bool:
        """There is usage, and no price of any of it is known."""
        return bool(self.unpriced_rows) and not any(money.amount for money in self.costs)

    @property
    def sort_amount(self) -> Decimal:
        """For ordering rows by spend; with several currencies the larger numbers come first."""
        return sum((money.amount for money in self.costs), Decimal(0))


NOTHING = Totals()


def totals(usage: DailyUsageQuerySet) -> Totals:
    """The sum of all of ``usage``."""
    return totals_by(usage).get((), NOTHING)


def totals_by(usage: DailyUsageQuerySet, *fields: str) -> dict[tuple[Any, ...], Totals]:
    """The sums of ``usage`` for each combination of ``fields`` that occurs; one query."""
    priced = ~Q(currency="")
    has_usage = Q(credits__gt=0) | Q(minutes__gt=0) | Q(requests__gt=0)
    groups = (
        usage.order_by()
        .values(*fields, "currency")
        .annotate(
            sum_credits=Sum("credits"),
            sum_minutes=Sum("minutes"),
            sum_requests=Sum("requests"),
            sum_cost=Sum("cost"),
            estimates=Count("pk", filter=Q(estimated=True, cost__gt=0)),
            unpriced=Count("pk", filter=~priced & has_usage),
        )
    )
    result: dict[tuple[Any, ...], Totals] = {}
    for group in groups:
        key = tuple(group[name] for name in fields)
        costs = (Money(group["currency"], group["sum_cost"]),) if group["currency"] else ()
        part = Totals(
            credits=group["sum_credits"],
            minutes=group["sum_minutes"],
            requests=None if group["sum_requests"] is None else int(group["sum_requests"]),
            costs=costs,
            unpriced_rows=group["unpriced"],
            estimated=bool(group["estimates"]),
        )
        result[key] = result.get(key, NOTHING) + part
    return result


@dataclass(frozen=True)
class Line:
    """A row of a table: what it is about, and its sum."""

    subject: Any  # a Company, Project, Provider, model id or day; None in the row of what is unassigned
    label: str
    totals: Totals


@dataclass(frozen=True)
class Breakdown:
    """Rows that add up to a total, exactly."""

    lines: tuple[Line, ...]
    total: Totals

    @property
    def rounding_shows(self) -> bool:
        """Whether the rows as shown, rounded to cents, miss the total as shown."""
        shown: dict[str, Decimal] = defaultdict(Decimal)
        for line in self.lines:
            for money in line.totals.costs:
                shown[money.currency] += to_cents(money.amount)
        return any(shown[money.currency] != to_cents(money.amount) for money in self.total.costs)


@dataclass(frozen=True)
class Day:
    """A day of a range as the pages mark it."""

    day: date
    totals: Totals
    is_read: bool  # False: unknown, not zero
    is_provisional: bool  # may still be restated

    @property
    def reading(self) -> Reading:
        return Reading.WHOLE if self.is_read else Reading.NONE


class Reading(Enum):
    """How much of some days has been read: of NONE, a zero would be a claim that nobody can make."""

    WHOLE = "whole"
    PART = "part"
    NONE = "none"


@dataclass(frozen=True)
class Coverage:
    """Which of a range's days have been read – of several providers: of each – and which of them may still change."""

    read: frozenset[date] = field(default_factory=frozenset)
    provisional: frozenset[date] = field(default_factory=frozenset)
    unread: tuple[date, ...] = ()  # days that have begun; days to come are not missing
    ended: frozenset[date] = field(default_factory=frozenset)  # after the disconnecting: unknown, but not missing

    @property
    def reading(self) -> Reading:
        if self.unread:
            return Reading.PART if self.read else Reading.NONE
        return Reading.NONE if self.ended and not self.read else Reading.WHOLE

    @property
    def row_reading(self) -> Reading:
        """For the rows under a total that already says that it is only a part."""
        return Reading.WHOLE if self.read or not (self.unread or self.ended) else Reading.NONE


def company_breakdown(usage: DailyUsageQuerySet, *, include_idle: bool = True) -> Breakdown:
    """Spend per company, largest first, and what is unassigned last; two queries.

    ``include_idle`` keeps current companies without usage.
    """
    by_company = totals_by(usage.attributed(), "company_id")
    companies = {company.pk: company for company in Company.objects.all()}
    lines = [
        Line(company, company.name, by_company.get((pk,), NOTHING))
        for pk, company in companies.items()
        if (pk,) in by_company or (include_idle and company.archived_at is None)
    ]
    lines.sort(key=lambda line: (-line.totals.sort_amount, line.label.casefold()))
    lines.append(Line(None, "Unassigned", by_company.get((None,), NOTHING)))
    return Breakdown(tuple(lines), _sum(line.totals for line in lines))


def project_breakdown(usage: DailyUsageQuerySet, projects: Iterable[Project]) -> Breakdown:
    """Spend per project, largest first; one query besides ``projects``, which must hold every project of ``usage``."""
    by_project = totals_by(usage, "project_id")
    lines = [Line(project, project.display_name, by_project.get((project.pk,), NOTHING)) for project in projects]
    lines.sort(key=lambda line: (-line.totals.sort_amount, -(line.totals.credits or 0), line.label.casefold()))
    return Breakdown(tuple(lines), _sum(line.totals for line in lines))


def breakdown_of(by_group: Mapping[Any, Totals], labels: Mapping[Any, str]) -> Breakdown:
    """Sums that are already at hand as a breakdown, largest first, without groups of nothing but zeros; no query."""
    lines = [Line(group, labels.get(group) or str(group), sums) for group, sums in by_group.items() if not sums.is_idle]
    lines.sort(key=lambda line: (-line.totals.sort_amount, -(line.totals.credits or 0), line.label.casefold()))
    return Breakdown(tuple(lines), _sum(line.totals for line in lines))


def provider_breakdown(usage: DailyUsageQuerySet, providers: Iterable[Provider]) -> Breakdown:
    """Spend per provider, in the given order; one query besides ``providers``."""
    by_provider = totals_by(usage, "project__provider_id")
    lines = [Line(provider, provider.name, by_provider.get((provider.pk,), NOTHING)) for provider in providers]
    return Breakdown(tuple(lines), _sum(line.totals for line in lines))


def daily(usage: DailyUsageQuerySet, days: DateRange, coverage: Coverage) -> list[Day]:
    """Every day of ``days`` up to the last one that has begun, oldest first; one query."""
    return mark_days({day: sums for (day,), sums in totals_by(usage, "day").items()}, days, coverage)


def mark_days(by_day: Mapping[date, Totals], days: DateRange, coverage: Coverage) -> list[Day]:
    """Every day of ``days`` that has begun, oldest first.

    Unread days before the first one of which anything is known are left out – the provider was not connected for them –
    and so are days without usage after it was disconnected.
    """
    known = coverage.read | set(coverage.unread) | by_day.keys()
    marked = [
        Day(
            day=day,
            totals=by_day.get(day, NOTHING),
            is_read=day in coverage.read,
            is_provisional=day in coverage.provisional,
        )
        for day in days
        if day in known
    ]
    beginning = next((index for index, day in enumerate(marked) if day.is_read or not day.totals.is_empty), 0)
    return marked[beginning:]


def coverages(providers: Iterable[Provider], days: DateRange, *, today: date) -> dict[int, Coverage]:
    """What is known of ``days`` by provider id; one query."""
    by_pk = {provider.pk: provider for provider in providers}
    read_days: dict[int, list[ReadDay]] = {pk: [] for pk in by_pk}
    for read_day in ReadDay.objects.between(days.first, days.last).filter(provider__in=by_pk):
        read_days[read_day.provider_id].append(read_day)
    return {pk: _covered(by_pk[pk], days, of_provider, today) for pk, of_provider in read_days.items()}


def coverages_of(provider: Provider, ranges: Sequence[DateRange], *, today: date) -> list[Coverage]:
    """What is known of each of several ranges of one provider; one query."""
    within = Q()
    for days in ranges:
        within |= Q(day__gte=days.first, day__lte=days.last)
    read_days = list(ReadDay.objects.for_provider(provider).filter(within)) if ranges else []
    return [_covered(provider, days, read_days, today) for days in ranges]


def _covered(provider: Provider, days: DateRange, read_days: Iterable[ReadDay], today: date) -> Coverage:
    """What ``read_days``, which may hold more than ``days``, tell of them."""
    within = [read_day for read_day in read_days if days.first <= read_day.day <= days.last]
    read = frozenset(read_day.day for read_day in within)
    last = provider.disconnected_at.date() if provider.disconnected_at else today
    return Coverage(
        read=read,
        provisional=frozenset(read_day.day for read_day in within if not read_day.is_settled),
        unread=tuple(day for day in days if day <= min(last, today) and day not in read),
        ended=frozenset(day for day in days if last < day <= today and day not in read),
    )


def together(coverages: Iterable[Coverage]) -> Coverage:
    """What is known of several providers' days as one: read where all are, provisional where any may be restated.

    A provider that was disconnected by then has no say.
    """
    each = list(coverages)
    if not each:
        return Coverage()
    read_by_any = frozenset().union(*(one.read for one in each))
    unread = {day for one in each for day in one.unread}
    return Coverage(
        read=frozenset(day for day in read_by_any if all(day in one.read or day in one.ended for one in each)),
        provisional=frozenset().union(*(one.provisional for one in each)),
        unread=tuple(sorted(unread)),
        ended=frozenset.intersection(*(one.ended for one in each)),
    )


def coverage(providers: Iterable[Provider], days: DateRange, *, today: date) -> Coverage:
    """What is known of ``days`` for all of ``providers`` together; one query."""
    return together(coverages(providers, days, today=today).values())


@dataclass(frozen=True)
class Series:
    """One colour of a stacked chart."""

    label: str
    by_day: Mapping[date, Totals]


def stacked(
    by_group_and_day: Mapping[tuple[Any, ...], Totals],
    labels: Mapping[Any, str],
    *,
    weigh: Callable[[Totals], Decimal | int | None],
) -> list[Series]:
    """The five groups that ``weigh`` heaviest, heaviest first, then the rest together as "Other"; no query.

    ``by_group_and_day`` is what ``totals_by(usage, <group>, "day")`` returned; together the series hold all of it.
    """
    groups: dict[Any, dict[date, Totals]] = defaultdict(dict)
    for (group, day), sums in by_group_and_day.items():
        if not sums.is_idle:
            groups[group][day] = sums
    named = [Series(labels.get(group) or str(group), by_day) for group, by_day in groups.items()]
    ranked = sorted(
        named,
        key=lambda series: (-sum(weigh(sums) or 0 for sums in series.by_day.values()), series.label.casefold()),
    )
    if len(ranked) <= LARGEST:
        return ranked
    other: dict[date, Totals] = defaultdict(Totals)
    for series in ranked[LARGEST:]:
        for day, sums in series.by_day.items():
            other[day] += sums
    return [*ranked[:LARGEST], Series(OTHER, dict(other))]


def keys_in_force(today: date) -> dict[tuple[int, int | None], int]:
    """How many API keys there are by (provider id, id of the company they belong to ``today`` or None); one query.

    Deleted keys count as long as usage of theirs waits for a company; usage without a key counts nowhere, and neither
    do keys of which only the account's totals are known.
    """
    in_force = (
        Assignment.objects.filter(project=OuterRef("pk"), starts_on__lte=today)
        .order_by("-starts_on")
        .values("shares__company")[:1]
    )
    counts = (
        Project.objects.filter(kind=Project.Kind.KEY, provider__source=Provider.Source.ANALYTICS)
        .exclude(deleted_at__isnull=False, first_used_on=None)
        .order_by()
        .annotate(company_id=Subquery(in_force))
        .values("provider_id", "company_id")
        .annotate(keys=Count("pk"))
    )
    return {(count["provider_id"], count["company_id"]): count["keys"] for count in counts}


def regroup(by_fields: Mapping[tuple[Any, ...], Totals], position: int) -> dict[Any, Totals]:
    """The same sums by one of their fields alone; no query, and exact since they are sums."""
    result: dict[Any, Totals] = {}
    for key, sums in by_fields.items():
        result[key[position]] = result.get(key[position], NOTHING) + sums
    return result


def regroup_counts(keys: Mapping[tuple[int, int | None], int]) -> dict[int | None, int]:
    """The number of keys per company, whatever their provider."""
    result: dict[int | None, int] = defaultdict(int)
    for (_provider, company), number in keys.items():
        result[company] += number
    return dict(result)


def main_currency(totals: Totals, providers: Iterable[Provider]) -> str:
    """The currency that a chart draws: of several the one with the largest amount, of none the providers' own."""
    if totals.costs:
        return max(totals.costs, key=lambda money: money.amount).currency
    return next((provider.currency for provider in providers if provider.currency), "usd")


def model_labels(providers: Iterable[Provider]) -> dict[str, str]:
    """Display names of models by reported id, as far as the providers know them."""
    labels = {"": NO_MODEL}
    for provider in providers:
        labels |= provider.model_names
    return labels


def restatements(provider: Provider) -> QuerySet[Restatement]:
    """What changed of its settled days, newest first."""
    return Restatement.objects.filter(project__provider=provider).select_related("project", "run")


def all_usage() -> DailyUsageQuerySet:
    """Every usage row; pages narrow it down."""
    return DailyUsage.objects.all()


def _add(one: Any, other: Any) -> Any:
    """Unknown plus known is the known part; unknown plus unknown stays unknown."""
    if one is None or other is None:
        return other if one is None else one
    return one + other


def _sum(parts: Iterable[Totals]) -> Totals:
    return sum(parts, NOTHING)
