"""Sums of usage by company, API key, provider or model, as frozen dataclasses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from costs.models import AttributedUsageQuerySet, Restatement
from costs.reports.selection import Usage
from costs.reports.totals import NOTHING, Totals, sums_by, total_of
from providers.models import Company, Project, Provider

OTHER = "Other"
UNASSIGNED = "Unassigned"
NO_MODEL = "No model reported"
# What tables say beside names, as rows and as columns; a name that is one of these is told apart from it.
_ROW_WORDS = (UNASSIGNED, NO_MODEL)
_COLUMN_WORDS = ("Day", "Week", "Month", "Total", "Notes", OTHER)


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
    companies: Mapping[int, Company] | None = None,
) -> Breakdown:
    """Sums by company id as a breakdown, largest first, and what is unassigned (None) last.

    ``companies`` are all of them, by id; without them one query.

    Of the companies without usage the current ones are kept – all of them, or those that ``idle`` names – and the
    archived ones with ``with_archived``. Usage of one company alone has no row of what is unassigned.
    """
    companies = all_companies() if companies is None else companies
    lines = [
        Line(company, told_apart(company.name, "company"), by_company.get(pk, NOTHING))
        for pk, company in companies.items()
        if pk in by_company or ((with_archived or company.archived_at is None) and (idle is None or pk in idle))
    ]
    lines.sort(key=lambda line: (-line.totals.sort_amount, line.label.casefold()))
    if with_unassigned:
        lines.append(Line(None, UNASSIGNED, by_company.get(None, NOTHING)))
    return Breakdown(tuple(lines), total_of(line.totals for line in lines))


def all_companies() -> dict[int, Company]:
    """Archived ones too, by id; one query."""
    return {company.pk: company for company in Company.objects.all()}


def company_labels(by_company: Breakdown) -> dict[int | None, str]:
    """The labels of company_breakdown() by company id."""
    return {line.subject and line.subject.pk: line.label for line in by_company.lines}


def project_breakdown(usage: Usage | AttributedUsageQuerySet, projects: Iterable[Project]) -> Breakdown:
    """Spend per project, largest first, one query; ``projects`` must hold every one of ``usage``."""
    return breakdown_of_projects(sums_by(usage, "project_id"), projects)


def breakdown_of_projects(by_project: Mapping[int, Totals], projects: Iterable[Project]) -> Breakdown:
    """Sums that are already at hand as a breakdown of ``projects``, largest first; no query besides ``projects``."""
    lines = [Line(project, project.display_name, by_project.get(project.pk, NOTHING)) for project in projects]
    lines.sort(key=lambda line: (-line.totals.sort_amount, -(line.totals.credits or 0), line.label.casefold()))
    return Breakdown(tuple(lines), total_of(line.totals for line in lines))


def breakdown_of(by_group: Mapping[Any, Totals], labels: Mapping[Any, str]) -> Breakdown:
    """Sums that are already at hand as a breakdown, largest first, without groups of nothing but zeros; no query."""
    lines = [Line(group, labels.get(group) or str(group), sums) for group, sums in by_group.items() if not sums.is_idle]
    lines.sort(key=lambda line: (-line.totals.sort_amount, -(line.totals.credits or 0), line.label.casefold()))
    return Breakdown(tuple(lines), total_of(line.totals for line in lines))


def provider_breakdown(usage: Usage, providers: Iterable[Provider]) -> Breakdown:
    """Spend per provider, in the given order; one query besides ``providers``."""
    by_provider = sums_by(usage, "provider_id")
    lines = [Line(provider, provider.name, by_provider.get(provider.pk, NOTHING)) for provider in providers]
    return Breakdown(tuple(lines), total_of(line.totals for line in lines))


def unassigned_kinds(usage: Usage) -> frozenset[str]:
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


def column_label(name: str, noun: str) -> str:
    """The same at the head of a column."""
    return told_apart(name, noun, _COLUMN_WORDS)


def restatements(provider: Provider) -> QuerySet[Restatement]:
    """What changed of its settled days, newest first."""
    return Restatement.objects.filter(project__provider=provider).select_related("project", "run")
