"""What one company spent: by model, by API key and by day, and which keys it pays for when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q

from core.days import DateRange
from costs.reports.breakdowns import Breakdown, breakdown_of, model_labels, project_breakdown
from costs.reports.comparison import Change, spend_by
from costs.reports.days import Step
from costs.reports.forecast import Expected, expect
from costs.reports.metrics import COST, Metric
from costs.reports.movements import Moved, Movement, known_parts, moved_by, movements_of_parts, read_parts
from costs.reports.movements import Part as MovedPart
from costs.reports.scope import Scope, scope_of
from costs.reports.series import DailySeries, daily_series, first_use_of
from costs.reports.spending import DailySpend
from costs.reports.totals import Totals, all_usage, main_currency
from providers.models import Assignment, AssignmentShare, Company, Period, Project, Provider


@dataclass(frozen=True)
class Sources:
    """Where a company's usage can come from."""

    company: Company
    providers: tuple[Provider, ...]
    projects: tuple[Project, ...]  # with the annotations of with_presence()


@dataclass(frozen=True)
class Part:
    """A period of a project of which a company pays all or a part."""

    project: Project
    period: Period
    percent: Decimal

    def is_key_on(self, day: date) -> bool:
        return self.project.is_present_key and self.period.holds_on(day)  # type: ignore[attr-defined]  # annotated

    def is_agent_on(self, day: date) -> bool:
        return self.project.is_present_agent and self.period.holds_on(day)  # type: ignore[attr-defined]  # annotated


@dataclass(frozen=True)
class CompanyReport:
    """Every figure is of the scope's days, but for what says otherwise."""

    company: Company
    scope: Scope
    currency: str
    models: Breakdown
    daily: DailySeries  # of ``metric``, by ``grouping``
    grouping: str
    metric: Metric
    movements: tuple[Movement, ...]  # of its API keys and models; without keys, of its models
    moved: Moved
    change: Change
    expected: Expected  # of the current month
    projects: Breakdown | None  # None: not computed
    parts: tuple[Part, ...]  # of each key by time
    has_keys: bool  # something could be, or was, used

    @property
    def total(self) -> Totals:
        return self.models.total

    @property
    def keys(self) -> int:
        """How many API keys the company pays for today."""
        return sum(1 for part in self.parts if part.is_key_on(self.scope.today))

    @property
    def agents(self) -> int:
        return sum(1 for part in self.parts if part.is_agent_on(self.scope.today))


def sources_of(company: Company) -> Sources:
    """The providers and projects assigned to ``company`` at any time, and those whose keyless usage it shares.

    One query.
    """
    assigned = Exists(AssignmentShare.objects.filter(assignment__project=OuterRef("pk"), company=company))
    used = all_usage().filter(project=OuterRef("pk"), company=company)
    shared = Exists(used.sums_of_months())
    found = Project.objects.filter(Q(assigned) | Q(shared, kind=Project.Kind.KEYLESS))
    projects = tuple(found.with_presence().select_related("provider"))
    providers = {project.provider_id: project.provider for project in projects}
    return Sources(company, tuple(providers.values()), projects)


def company_report(
    sources: Sources,
    *,
    days: DateRange,
    today: date,
    provider: Provider | None = None,
    everybody: Sequence[Provider],
    for_client: bool = False,
    step: Step | None = None,
    with_before: bool = False,
    grouping: str = "model",
    metric: Metric = COST,
) -> CompanyReport:
    """Of all ``sources`` or of one provider, the days by model or API key ("key"); ``everybody`` are all providers.

    Ten queries.

    ``for_client`` it says nothing of keys, in three queries less, and where the company is "price only" every cost
    in it is a price: with the company's present mark-up.
    """
    company = sources.company
    scope = scope_of(sources.providers, days=days, today=today, provider=provider, everybody=everybody)
    usage = scope.every_day.filter(company=company)
    if for_client and company.is_price_only:
        usage = usage.with_markup(company.markup_percent)
    spend = spend_by(usage, "model", days, scope.comparison)
    names = model_labels(sources.providers)
    models = breakdown_of(spend.by_group, names)
    currency = main_currency(models.total, scope.providers)
    projects = [each for each in sources.projects if provider is None or each.provider_id == provider.pk]
    by_key = project_breakdown(scope.usage.filter(company=company), projects) if not for_client else None
    field: str
    labels: Mapping[Any, str]
    by_group: Mapping[Any, Totals]
    if by_key and grouping == "key":
        field, labels = "project_id", key_labels(projects)
        by_group = {line.subject.pk: line.totals for line in by_key.lines}
    else:
        grouping, field, labels, by_group = "model", "model", names, spend.by_group
    daily = daily_series(
        usage,
        field,
        by_group,
        labels,
        days=scope.days,
        coverage=scope.coverage,
        window=scope.window,
        step=step,
        with_before=with_before,
        metric=metric,
        currency=currency,
    )
    movements = _movements(scope, company, projects, currency, by_model=spend.changes if for_client else None)
    return CompanyReport(
        company=company,
        scope=scope,
        currency=currency,
        models=models,
        daily=daily,
        change=spend.change,
        expected=expect(
            DailySpend.of(daily.recent),
            scope.complete_recently,
            today=today,
            first_use=first_use_of(usage, daily.recent, scope.window),
            currency=currency,
        ),
        grouping=grouping,
        metric=metric,
        movements=movements,
        moved=moved_by(
            movements, known=[company], projects={project.pk: project for project in projects}, models=names
        ),
        projects=by_key,
        parts=_parts(projects, company) if not for_client else (),
        has_keys=bool(projects) or not models.total.is_empty,
    )


def key_labels(projects: Iterable[Project]) -> dict[int, str]:
    """Names of keys that a chart tells apart: of one name, each with its last characters or its workspace."""
    named = list(projects)
    known = Counter(project.display_name.casefold() for project in named)
    return {
        project.pk: project.display_name
        if known[project.display_name.casefold()] == 1
        else f"{project.display_name} ({project.hint or project.provider.name})"
        for project in named
    }


def _movements(
    scope: Scope,
    company: Company,
    projects: Sequence[Project],
    currency: str,
    *,
    by_model: Mapping[str, Change] | None,
) -> tuple[Movement, ...]:
    """By key and model – two queries –, or ``by_model`` alone: who may not learn of keys."""
    if by_model is not None:
        changes = {MovedPart(company.pk, None, model): change for model, change in by_model.items()}
        return movements_of_parts(known_parts(changes), currency)
    # Of all companies: it says where a key came from or went.
    parts = read_parts(scope.every_day, [project.pk for project in projects], scope.comparison)
    return movements_of_parts(parts, currency, wanted=lambda part: part.company == company.pk)


def _parts(projects: Sequence[Project], company: Company) -> tuple[Part, ...]:
    """What the company pays when; one query."""
    stored = Assignment.objects.filter(project__in=projects).by_project()
    return tuple(
        Part(project, period, percent)
        for project in projects
        if project.pk in stored
        for period in stored[project.pk].in_order
        if (percent := period.percent_of(company.pk)) is not None
    )
