"""Sums of usage by company, API key, provider or model, as frozen dataclasses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from costs.models import AttributedUsageQuerySet, DailyTotalQuerySet, Restatement
from costs.reports.totals import NOTHING, Totals, sums_by, totals_by
from providers.models import Company, Project, Provider

# A stacked chart shows this many groups; the rest is one more.
LARGEST = 5
OTHER = "Other"
UNASSIGNED = "Unassigned"
NO_MODEL = "No model reported"
# What tables say beside names, as rows and as columns; a name that is one of these is told apart from it.
_ROW_WORDS = (UNASSIGNED, NO_MODEL)
_COLUMN_WORDS = ("Day", "Total", "Notes", OTHER)


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


def company_breakdown(
    by_company: Mapping[int | None, Totals],
    *,
    idle: Collection[int | None] | None = None,
    with_archived: bool = False,
    with_unassigned: bool = True,
) -> Breakdown:
    """Sums by company id as a breakdown, largest first, and what is unassigned (None) last; one query.

    Of the companies without usage the current ones are kept – all of them, or those that ``idle`` names – and the
    archived ones with ``with_archived``. Usage of one company alone has no row of what is unassigned.
    """
    companies = {company.pk: company for company in Company.objects.all()}
    lines = [
        Line(company, told_apart(company.name, "company"), by_company.get(pk, NOTHING))
        for pk, company in companies.items()
        if pk in by_company or ((with_archived or company.archived_at is None) and (idle is None or pk in idle))
    ]
    lines.sort(key=lambda line: (-line.totals.sort_amount, line.label.casefold()))
    if with_unassigned:
        lines.append(Line(None, UNASSIGNED, by_company.get(None, NOTHING)))
    return Breakdown(tuple(lines), _sum(line.totals for line in lines))


def company_labels(by_company: Breakdown) -> dict[int | None, str]:
    """The labels of company_breakdown() by company id."""
    return {line.subject and line.subject.pk: line.label for line in by_company.lines}


def project_breakdown(usage: AttributedUsageQuerySet, projects: Iterable[Project]) -> Breakdown:
    """Spend per project, largest first; one query besides ``projects``, which must hold every project of ``usage``."""
    return breakdown_of_projects(sums_by(usage, "project_id"), projects)


def breakdown_of_projects(by_project: Mapping[int, Totals], projects: Iterable[Project]) -> Breakdown:
    """Sums that are already at hand as a breakdown of ``projects``, largest first; no query besides ``projects``."""
    lines = [Line(project, project.display_name, by_project.get(project.pk, NOTHING)) for project in projects]
    lines.sort(key=lambda line: (-line.totals.sort_amount, -(line.totals.credits or 0), line.label.casefold()))
    return Breakdown(tuple(lines), _sum(line.totals for line in lines))


def breakdown_of(by_group: Mapping[Any, Totals], labels: Mapping[Any, str]) -> Breakdown:
    """Sums that are already at hand as a breakdown, largest first, without groups of nothing but zeros; no query."""
    lines = [Line(group, labels.get(group) or str(group), sums) for group, sums in by_group.items() if not sums.is_idle]
    lines.sort(key=lambda line: (-line.totals.sort_amount, -(line.totals.credits or 0), line.label.casefold()))
    return Breakdown(tuple(lines), _sum(line.totals for line in lines))


def provider_breakdown(usage: DailyTotalQuerySet, providers: Iterable[Provider]) -> Breakdown:
    """Spend per provider, in the given order; one query besides ``providers``."""
    by_provider = sums_by(usage, "provider_id")
    lines = [Line(provider, provider.name, by_provider.get(provider.pk, NOTHING)) for provider in providers]
    return Breakdown(tuple(lines), _sum(line.totals for line in lines))


@dataclass(frozen=True)
class Series:
    """One colour of a stacked chart."""

    label: str
    by_day: Mapping[date, Totals]


@dataclass(frozen=True)
class Stack:
    """Usage by day: the largest groups each as a series, all others as one more."""

    series: tuple[Series, ...]
    by_day: Mapping[date, Totals]  # of all usage that was read, also of groups that no series holds


def stack(
    usage: DailyTotalQuerySet,
    field: str,
    by_group: Mapping[Any, Totals],
    labels: Mapping[Any, str],
    *,
    weigh: Callable[[Totals], Decimal | int | None],
) -> Stack:
    """The days of the five groups that ``weigh`` heaviest, heaviest first, then of all others as "Other"; one query.

    ``by_group`` are sums by ``field``. Together the series hold all that was used of these groups.
    """
    noun = field.removesuffix("_id")
    names = {
        group: told_apart(labels.get(group) or str(group), noun, _COLUMN_WORDS)
        for group, sums in by_group.items()
        if not sums.is_idle
    }
    ranked = sorted(names, key=lambda group: (-(weigh(by_group[group]) or 0), names[group].casefold()))
    largest = ranked[:LARGEST]
    by_number: list[dict[date, Totals]] = [{} for _ in range(len(largest) + 1)]
    for (number, day), sums in totals_by(usage.in_series(field, largest), "series", "day").items():
        by_number[number][day] = sums
    series = [Series(names[group], by_number[number]) for number, group in enumerate(largest)]
    rest = Series(OTHER, by_number[-1])
    return Stack(tuple([*series, rest] if len(ranked) > LARGEST else series), days_of([*series, rest]))


def days_of(series: Iterable[Series]) -> dict[date, Totals]:
    """The sums of ``series`` by day; no query."""
    result: dict[date, Totals] = {}
    for one in series:
        for day, sums in one.by_day.items():
            result[day] = result[day] + sums if day in result else sums
    return result


def unassigned_kinds(usage: AttributedUsageQuerySet) -> frozenset[str]:
    """The kinds of project of which some of ``usage`` is unassigned; one query."""
    by_kind = sums_by(usage.filter(company=None), "project__kind")
    return frozenset(kind for kind, sums in by_kind.items() if not sums.is_idle)


def model_labels(providers: Iterable[Provider]) -> dict[str, str]:
    """Display names of models by reported id, as far as the providers know them; of one name, each with its id."""
    names: dict[str, str] = {}
    for provider in providers:
        names |= provider.model_names
    known = Counter(name.casefold() for name in names.values())
    labels = {
        model: f"{name} ({model})" if known[name.casefold()] > 1 else told_apart(name, "model")
        for model, name in names.items()
    }
    return {"": NO_MODEL, **{model: label for model, label in labels.items() if model}}


def told_apart(name: str, noun: str, words: Iterable[str] = _ROW_WORDS) -> str:
    """A name from outside as tables print it: a company called "Unassigned" is "Unassigned (company)"."""
    return f"{name} ({noun})" if name.casefold() in map(str.casefold, words) else name


def restatements(provider: Provider) -> QuerySet[Restatement]:
    """What changed of its settled days, newest first."""
    return Restatement.objects.filter(project__provider=provider).select_related("project", "run")


def _sum(parts: Iterable[Totals]) -> Totals:
    return sum(parts, NOTHING)
