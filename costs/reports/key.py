"""One API key, agent or person: what it used by day and model, who paid for it when, the rule that speaks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from core.days import DateRange
from costs.reports import breakdowns
from costs.reports.breakdowns import Breakdown
from costs.reports.calls import Calls, calls_of
from costs.reports.days import Step
from costs.reports.metrics import Metric
from costs.reports.series import DailySeries, daily_series
from costs.reports.totals import Totals, all_usage, main_currency, sums_by, totals
from costs.usage.coverage import Coverage, coverage
from providers.models import NO_PERIODS, Assignment, AssignmentRule, Company, Periods, Project
from providers.services.rules import first_match


@dataclass(frozen=True)
class KeyReport:
    project: Project
    today: date
    days: DateRange
    coverage: Coverage  # of ``days``
    currency: str
    models: Breakdown
    daily: DailySeries  # the largest models by day
    workspace: Totals  # what all of its workspace used
    periods: Periods
    companies: Mapping[int, Company]  # every company by id, archived ones too
    rule: AssignmentRule | None  # the first that speaks of it
    calls: Calls | None  # an agent's, where its conversations were read

    @property
    def coverages(self) -> Mapping[int, Coverage]:
        return {self.project.provider_id: self.coverage}

    @property
    def total(self) -> Totals:
        return self.models.total

    @property
    def current_companies(self) -> list[Company]:
        return [company for company in self.companies.values() if company.archived_at is None]


def key_report(
    project: Project, days: DateRange, *, metric: Metric, now: datetime, step: Step | None = None
) -> KeyReport:
    """Usage is that of ``days``; seven queries, an agent's eight. By ``metric`` the largest models are chosen."""
    provider = project.provider
    covered = coverage([provider], days, today=now.date())
    usage = all_usage().filter(project=project)
    by_model = sums_by(usage.between(days.first, days.last), "model")
    names = breakdowns.model_labels([provider])
    models = breakdowns.breakdown_of(by_model, names)
    currency = main_currency(models.total, [provider])
    return KeyReport(
        project=project,
        today=now.date(),
        days=days,
        coverage=covered,
        currency=currency,
        models=models,
        daily=daily_series(
            usage, "model", by_model, names, days=days, coverage=covered, metric=metric, currency=currency, step=step
        ),
        workspace=totals(all_usage().for_provider(provider).between(days.first, days.last)),
        periods=Assignment.objects.filter(project=project).by_project().get(project.pk, NO_PERIODS),
        companies={company.pk: company for company in Company.objects.all()},
        rule=first_match(project, list(AssignmentRule.objects.in_force())),
        calls=calls_of(project, days),
    )
