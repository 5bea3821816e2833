"""What pages read: sums of usage by company, API key, provider or model, as frozen dataclasses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from costs.models import AttributedUsageQuerySet, DailyTotalQuerySet, Restatement
from costs.money import to_cents
from costs.totals import NOTHING, Totals, Usage, totals_by
from providers.models import Assignment, AssignmentShare, Company, Project, Provider

# A stacked chart shows this many groups; the rest is one more.
LARGEST = 5
OTHER = "Other"
NO_MODEL = "No model reported"


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


def company_breakdown(usage: Usage, *, include_idle: bool = True) -> Breakdown:
    """Spend per company, largest first, and what is unassigned last; two queries.

    ``include_idle`` keeps current companies without usage.
    """
    by_company = totals_by(usage, "company_id")
    companies = {company.pk: company for company in Company.objects.all()}
    lines = [
        Line(company, company.name, by_company.get((pk,), NOTHING))
        for pk, company in companies.items()
        if (pk,) in by_company or (include_idle and company.archived_at is None)
    ]
    lines.sort(key=lambda line: (-line.totals.sort_amount, line.label.casefold()))
    lines.append(Line(None, "Unassigned", by_company.get((None,), NOTHING)))
    return Breakdown(tuple(lines), _sum(line.totals for line in lines))


def project_breakdown(usage: AttributedUsageQuerySet, projects: Iterable[Project]) -> Breakdown:
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


def provider_breakdown(usage: DailyTotalQuerySet, providers: Iterable[Provider]) -> Breakdown:
    """Spend per provider, in the given order; one query besides ``providers``."""
    by_provider = totals_by(usage, "provider_id")
    lines = [Line(provider, provider.name, by_provider.get((provider.pk,), NOTHING)) for provider in providers]
    return Breakdown(tuple(lines), _sum(line.totals for line in lines))


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


@dataclass(frozen=True)
class KeyCounts:
    """How many API keys there are; one that is split between companies counts for each of them, and once in all."""

    by_company: Mapping[int | None, int]  # None: unassigned
    unassigned_by_provider: Mapping[int, int]
    total: int

    @property
    def unassigned(self) -> int:
        return self.by_company.get(None, 0)


def keys_in_force(today: date) -> KeyCounts:
    """The API keys by the company that they belong to ``today``; two queries.

    Deleted keys count as long as usage of theirs waits for a company; usage without a key counts nowhere, and neither
    do keys of which only the account's totals are known.
    """
    in_force = (
        Assignment.objects.filter(project=OuterRef("pk"), starts_on__lte=today).order_by("-starts_on").values("pk")[:1]
    )
    keys = list(
        Project.objects.filter(kind=Project.Kind.KEY, provider__source=Provider.Source.ANALYTICS)
        .exclude(deleted_at__isnull=False, first_used_on=None)
        .order_by()
        .annotate(assignment_id=Subquery(in_force))
        .values_list("provider_id", "assignment_id")
    )
    payers: dict[int, list[int]] = defaultdict(list)
    for assignment_id, company_id in AssignmentShare.objects.values_list("assignment", "company"):
        payers[assignment_id].append(company_id)
    by_company: dict[int | None, int] = defaultdict(int)
    unassigned: dict[int, int] = defaultdict(int)
    for provider_id, assignment_id in keys:
        companies = payers.get(assignment_id, [])
        for company_id in companies:
            by_company[company_id] += 1
        by_company[None] += not companies
        unassigned[provider_id] += not companies
    return KeyCounts(dict(by_company), dict(unassigned), len(keys))


def model_labels(providers: Iterable[Provider]) -> dict[str, str]:
    """Display names of models by reported id, as far as the providers know them."""
    labels = {"": NO_MODEL}
    for provider in providers:
        labels |= provider.model_names
    return labels


def restatements(provider: Provider) -> QuerySet[Restatement]:
    """What changed of its settled days, newest first."""
    return Restatement.objects.filter(project__provider=provider).select_related("project", "run")


def _sum(parts: Iterable[Totals]) -> Totals:
    return sum(parts, NOTHING)
