"""One provider: what each of its keys and models used in some days, who pays for the keys, how its syncs went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from core.days import DateRange
from costs.models import Restatement
from costs.reports import breakdowns
from costs.reports.breakdowns import Breakdown
from costs.reports.days import Step
from costs.reports.keys import KeyUsage, used_keys
from costs.reports.metrics import Metric
from costs.reports.reconciliation import Reconciliation, reconcile, running_period
from costs.reports.series import DailySeries, daily_series
from costs.reports.totals import all_usage, main_currency, sums_by
from costs.usage.coverage import Coverage, coverage_of_ranges
from costs.usage.estimates import reports_cost
from providers.finding import KnownKey
from providers.models import NO_PERIODS, Assignment, Company, Project, Provider, SyncRun

LATEST_RESTATEMENTS = 20
LATEST_RUNS = 20


@dataclass(frozen=True)
class ProviderReport:
    provider: Provider
    today: date
    coverage: Coverage  # of the days of the report
    currency: str
    keys: tuple[KeyUsage, ...]  # every key, largest first
    companies: Mapping[int, Company]  # every company by id, archived ones too
    models: Breakdown
    model_names: Mapping[str, str]
    daily: DailySeries  # the largest models by day
    restatements: tuple[Restatement, ...]  # the latest, of any day
    runs: tuple[SyncRun, ...]  # the latest, newest first
    may_estimate: bool  # amounts come from a rate that was set, or could: no cost is reported
    period: DateRange | None  # the days of the running billing period
    reconciliation: Reconciliation | None  # of that period

    @property
    def coverages(self) -> Mapping[int, Coverage]:
        return {self.provider.pk: self.coverage}

    @property
    def unassigned_keys(self) -> int:
        return self._unassigned(Project.Kind.KEY)

    @property
    def unassigned_agents(self) -> int:
        return self._unassigned(Project.Kind.AGENT)

    @property
    def has_agents(self) -> bool:
        return any(key.project.kind == Project.Kind.AGENT for key in self.keys)

    def _unassigned(self, kind: Project.Kind) -> int:
        return sum(key.is_present and key.project.kind == kind and not key.is_assigned(self.today) for key in self.keys)

    @property
    def totals_wait(self) -> bool:
        """Whether the totals of the whole account belong to no company."""
        return any(key.project.kind == Project.Kind.ACCOUNT and not key.is_assigned(self.today) for key in self.keys)

    @property
    def has_usage(self) -> bool:
        return any(not line.totals.is_idle for line in self.models.lines)

    @property
    def is_free(self) -> bool:
        """There is usage, and all of it has the price zero."""
        total = self.models.total
        return bool(self.models.lines) and not total.sort_amount and not total.unpriced_rows

    @property
    def current_companies(self) -> list[Company]:
        return [company for company in self.companies.values() if company.archived_at is None]


def provider_report(
    provider: Provider, days: DateRange, *, metric: Metric, now: datetime, step: Step | None = None
) -> ProviderReport:
    """Usage is that of ``days``; ``metric`` is what the largest models are chosen by."""
    period = running_period(provider)
    ranges = [days, *([period.days] if period else [])]
    coverage, *of_period = (known[provider.pk] for known in coverage_of_ranges([provider], ranges, today=now.date()))
    usage = all_usage().for_provider(provider)
    by_model = sums_by(usage.between(days.first, days.last), "model")
    names = breakdowns.model_labels([provider])
    models = breakdowns.breakdown_of(by_model, names)
    currency = main_currency(models.total, [provider])
    return ProviderReport(
        provider=provider,
        today=now.date(),
        coverage=coverage,
        currency=currency,
        keys=_keys(provider, days),
        companies={company.pk: company for company in Company.objects.all()},
        models=models,
        model_names=names,
        daily=daily_series(
            usage,
            "model",
            by_model,
            names,
            days=days,
            coverage=coverage,
            metric=metric,
            currency=currency,
            step=step,
        ),
        restatements=tuple(breakdowns.restatements(provider)[:LATEST_RESTATEMENTS]),
        runs=tuple(provider.runs.all()[:LATEST_RUNS]),
        may_estimate=provider.credit_rate is not None or not reports_cost(provider),
        period=period.days if period else None,
        reconciliation=reconcile(provider=provider, period=period, coverage=of_period[0]) if period else None,
    )


def _keys(provider: Provider, days: DateRange) -> tuple[KeyUsage, ...]:
    projects = Project.objects.for_provider(provider).select_related("provider").with_presence()
    usage = all_usage().for_provider(provider).between(days.first, days.last)
    stored = Assignment.objects.filter(project__provider=provider).by_project()
    return used_keys([KnownKey(project, stored.get(project.pk, NO_PERIODS)) for project in projects], usage)
