"""What pages read: sums of usage by company, API key, provider or model, as frozen dataclasses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from costs.models import AttributedUsageQuerySet, DailyTotalQuerySet, Restatement
from costs.reports.totals import NOTHING, Totals, Usage, totals_by
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
    usage: Usage,
    *,
    idle: Collection[int | None] | None = None,
    with_archived: bool = False,
    with_unassigned: bool = True,
) -> Breakdown:
    """Spend per company, largest first, and what is unassigned last; two queries.

    Of the companies without usage the current ones are kept – all of them, or those that ``idle`` names – and the
    archived ones where they are asked for. Usage of one company alone has no row of what is unassigned.
    """
    by_company = totals_by(usage, "company_id")
    companies = {company.pk: company for company in Company.objects.all()}
    lines = [
        Line(company, told_apart(company.name, "company"), by_company.get((pk,), NOTHING))
        for pk, company in companies.items()
        if (pk,) in by_company or ((with_archived or company.archived_at is None) and (idle is None or pk in idle))
    ]
    lines.sort(key=lambda line: (-line.totals.sort_amount, line.label.casefold()))
    if with_unassigned:
        lines.append(Line(None, UNASSIGNED, by_company.get((None,), NOTHING)))
    return Breakdown(tuple(lines), _sum(line.totals for line in lines))


def project_breakdown(usage: AttributedUsageQuerySet, projects: Iterable[Project]) -> Breakdown:
    """Spend per project, largest first; one query besides ``projects``, which must hold every project of ``usage``."""
    return breakdown_of_projects(totals_by(usage, "project_id"), projects)


def breakdown_of_projects(by_project: Mapping[tuple[Any, ...], Totals], projects: Iterable[Project]) -> Breakdown:
    """Sums that are already at hand as a breakdown of ``projects``, largest first; no query besides ``projects``."""
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
    usage: DailyTotalQuerySet,
    field: str,
    by_group: Mapping[Any, Totals],
    labels: Mapping[Any, str],
    *,
    weigh: Callable[[Totals], Decimal | int | None],
) -> list[Series]:
    """The days of the five groups that ``weigh`` heaviest, heaviest first, then of all others as "Other"; one query.

    ``by_group`` are the sums of ``usage`` by ``field``. Together the series hold all of it.
    """
    noun = field.removesuffix("_id")
    names = {
        group: told_apart(labels.get(group) or str(group), noun, _COLUMN_WORDS)
        for group, sums in by_group.items()
        if not sums.is_idle
    }
    ranked = sorted(names, key=lambda group: (-(weigh(by_group[group]) or 0), names[group].casefold()))
    largest = ranked[:LARGEST]
    by_day: list[dict[date, Totals]] = [{} for _ in range(len(largest) + 1)]
    for (number, day), sums in totals_by(usage.in_series(field, largest), "series", "day").items():
        by_day[number][day] = sums
    series = [Series(names[group], by_day[number]) for number, group in enumerate(largest)]
    return [*series, Series(OTHER, by_day[-1])] if len(ranked) > LARGEST else series


def days_of(series: Iterable[Series]) -> dict[date, Totals]:
    """The sums of all series, by day; no query."""
    result: dict[date, Totals] = {}
    for one in series:
        for day, sums in one.by_day.items():
            result[day] = result[day] + sums if day in result else sums
    return result


def unassigned_origins(usage: AttributedUsageQuerySet) -> tuple[str, ...]:
    """What of ``usage`` belongs to nobody although every API key has a company today, in words; one query."""
    by_kind = totals_by(usage.filter(company=None), "project__kind")
    return tuple(words for kind, words in _ORIGINS.items() if not by_kind.get((kind,), NOTHING).is_idle)


_ORIGINS = {
    Project.Kind.KEYLESS: "usage without an API key",
    Project.Kind.ACCOUNT: "account totals",
    Project.Kind.KEY: "days on which keys had no company, and deleted keys",
}


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
