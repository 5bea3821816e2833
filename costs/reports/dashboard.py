"""What was spent in all: on whom, day by day, how that has changed, and what is assigned to no company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.days import DateRange
from costs.reports import breakdowns
from costs.reports.companies import CompanyLine, company_lines
from costs.reports.comparison import Change, spend_by
from costs.reports.days import Step
from costs.reports.forecast import Expected, expect
from costs.reports.metrics import COST
from costs.reports.movements import (
    Moved,
    Movement,
    most_moved,
    moved_by,
    movements_of_companies,
    projects_of,
    read_parts,
)
from costs.reports.scope import Scope, scope_of
from costs.reports.series import DailySeries, daily_series, first_use_of
from costs.reports.spending import DailySpend
from costs.reports.totals import Totals, main_currency, sums_by
from providers.keys import KeyCounts, count_keys_and_agents
from providers.models import Provider

# By what the days can be grouped, and where usage holds it.
GROUPINGS: Mapping[str, str] = {"company": "company_id", "provider": "provider_id", "model": "model"}


@dataclass(frozen=True)
class DashboardReport:
    """Every figure is of the scope's days, but for what says otherwise."""

    scope: Scope
    currency: str
    companies: tuple[CompanyLine, ...]  # with usage or API keys, largest spend first; last what is unassigned
    total: Totals
    change: Change
    keys: KeyCounts
    agents: KeyCounts
    daily: DailySeries
    expected: Expected  # of the current month
    movements: tuple[Movement, ...]  # of companies, the largest first
    moved: Moved  # what these are about
    unassigned_kinds: frozenset[str]  # where every API key has a company: of which kinds the unassigned usage is

    @property
    def unassigned(self) -> Totals:
        return self.companies[-1].totals


def dashboard_report(
    providers: Sequence[Provider],
    *,
    days: DateRange,
    today: date,
    provider: Provider | None = None,
    grouping: str = "company",
    step: Step | None = None,
    with_before: bool = False,
) -> DashboardReport:
    """Of all ``providers`` or of one of them, the days by one of GROUPINGS; six to twelve queries."""
    scope = scope_of(providers, days=days, today=today, provider=provider)
    usage = scope.every_day
    counts = count_keys_and_agents(today, provider=provider)
    spend = spend_by(usage, "company_id", days, scope.comparison)
    companies = breakdowns.all_companies()
    by_company = breakdowns.company_breakdown(
        spend.by_group, idle={**counts.keys.by_company, **counts.agents.by_company}, companies=companies
    )
    currency = main_currency(by_company.total, scope.providers)
    labels: dict[str, Mapping[Any, str]] = {
        "company": breakdowns.company_labels(by_company),
        "provider": {provider.pk: provider.name for provider in providers},
        "model": breakdowns.model_labels(providers),
    }
    field = GROUPINGS[grouping]
    by_group = spend.by_group if grouping == "company" else sums_by(usage.between(days.first, days.last), field)
    daily = daily_series(
        usage,
        field,
        by_group,
        labels[grouping],
        days=scope.days,
        coverage=scope.coverage,
        window=scope.window,
        step=step,
        with_before=with_before,
        metric=COST,
        currency=currency,
    )
    # Of all companies there are as many parts as keys and models: those of the few that moved most are enough.
    moving = most_moved(spend.changes, currency)
    projects = projects_of(moving, usage, scope.comparison)
    parts = read_parts(usage, projects, scope.comparison)
    movements = movements_of_companies(moving, parts, currency)
    explains = not counts.keys.unassigned and not counts.agents.unassigned and not by_company.lines[-1].totals.is_idle
    return DashboardReport(
        scope=scope,
        currency=currency,
        companies=company_lines(by_company, spend, counts),
        total=by_company.total,
        change=spend.change,
        keys=counts.keys,
        agents=counts.agents,
        daily=daily,
        expected=expect(
            DailySpend.of(daily.recent),
            scope.complete_recently,
            today=today,
            first_use=first_use_of(usage, daily.recent, scope.window),
            currency=currency,
        ),
        movements=movements,
        moved=moved_by(
            movements,
            known=companies.values(),
            projects=projects,
            models=breakdowns.model_labels(providers),
        ),
        unassigned_kinds=breakdowns.unassigned_kinds(scope.usage) if explains else frozenset(),
    )
