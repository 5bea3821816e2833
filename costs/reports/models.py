"""What each model cost, and of one: which companies, API keys and days its cost comes from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.days import DateRange
from costs.reports import breakdowns
from costs.reports.breakdowns import Breakdown, Line
from costs.reports.comparison import Change, spend_by
from costs.reports.days import Step
from costs.reports.metrics import Metric
from costs.reports.scope import Scope, scope_of
from costs.reports.series import DailySeries, daily_series
from costs.reports.totals import Totals, main_currency, sums_by, total_of
from providers.models import Company, Project, Provider


@dataclass(frozen=True)
class ModelLine:
    model: str  # the reported id; empty: usage without one
    label: str
    totals: Totals
    change: Change


@dataclass(frozen=True)
class ModelsReport:
    """Every model that was used, largest spend first."""

    scope: Scope
    currency: str
    lines: tuple[ModelLine, ...]
    total: Totals
    change: Change


@dataclass(frozen=True)
class ModelReport:
    """One model, as used by all companies or by one of them."""

    model: str
    label: str
    company: Company | None
    scope: Scope
    currency: str
    companies: Breakdown
    keys: tuple[int, ...]  # largest spend first
    projects: Breakdown  # of those of the keys that were chosen
    daily: DailySeries  # by company
    change: Change

    @property
    def total(self) -> Totals:
        return self.companies.total


def models_report(
    providers: Sequence[Provider], *, days: DateRange, today: date, provider: Provider | None = None
) -> ModelsReport:
    """Of all ``providers`` or of one of them; three queries."""
    scope = scope_of(providers, days=days, today=today, provider=provider)
    spend = spend_by(scope.every_day, "model", days, scope.comparison)
    models = breakdowns.breakdown_of(spend.by_group, breakdowns.model_labels(providers))
    return ModelsReport(
        scope=scope,
        currency=main_currency(models.total, scope.providers),
        lines=tuple(
            ModelLine(line.subject, line.label, line.totals, spend.change_of(line.subject)) for line in models.lines
        ),
        total=models.total,
        change=spend.change,
    )


def model_report(
    model: str,
    providers: Sequence[Provider],
    *,
    days: DateRange,
    today: date,
    metric: Metric,
    provider: Provider | None = None,
    company: Company | None = None,
    step: Step | None = None,
    chosen: Callable[[Sequence[int]], Collection[int]] = lambda keys: keys,
) -> ModelReport:
    """Of all ``providers`` or of one of them, of all companies or of one; ``metric`` ranks the days' series.

    Of its API keys those are looked up that are ``chosen`` of all. Six queries, or seven.
    """
    scope = scope_of(providers, days=days, today=today, provider=provider)
    usage = scope.every_day.filter(model=model)
    if company is not None:
        usage = usage.filter(company=company)
    spend = spend_by(usage, "company_id", days, scope.comparison)
    companies = breakdowns.company_breakdown(spend.by_group, idle=(), with_unassigned=company is None)
    currency = main_currency(companies.total, scope.providers)
    labels = breakdowns.company_labels(companies)
    by_project = sums_by(usage.between(days.first, days.last), "project_id")
    keys = sorted(by_project, key=lambda pk: (-by_project[pk].sort_amount, -(by_project[pk].credits or 0), pk))
    return ModelReport(
        model=model,
        label=breakdowns.model_labels(providers).get(model) or model,
        company=company,
        scope=scope,
        currency=currency,
        companies=companies,
        keys=tuple(keys),
        projects=Breakdown(_lines(by_project, chosen(keys), providers), total_of(by_project.values())),
        daily=daily_series(
            usage,
            "company_id",
            spend.by_group,
            labels,
            days=scope.days,
            coverage=scope.coverage,
            step=step,
            metric=metric,
            currency=currency,
        ),
        change=spend.change,
    )


def _lines(by_project: Mapping[int, Totals], keys: Collection[int], providers: Sequence[Provider]) -> tuple[Line, ...]:
    """Of ``keys``, each with its one of ``providers``, which are all; one query."""
    known = {provider.pk: provider for provider in providers}
    projects = Project.objects.in_bulk(keys)
    for project in projects.values():
        project.provider = known[project.provider_id]
    return tuple(Line(projects[pk], projects[pk].display_name, by_project[pk]) for pk in keys)
