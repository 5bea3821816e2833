"""Everybody who spends, day by day: all companies, providers and large API keys in few queries.

Costs alone, without what else sums tell, because there may be thousands of them and who reads this wants nothing more.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.days import DateRange
from core.sums import ExactSum
from costs.models import DailyUsage, KeySum, Span
from costs.reports.spending import Subject
from costs.reports.totals import all_usage
from providers.models import Project

# API keys, agents and so on that are looked at: those that cost most, of all workspaces together.
MOST_PROJECTS = 300


@dataclass(frozen=True)
class Spender:
    """Who spent what on which day, in one currency; a day that is not there cost nothing."""

    subject: Subject
    pk: int
    provider_id: int | None  # None of a company
    currency: str
    costs: dict[date, Decimal]


def spenders(days: DateRange, *, projects_from: Decimal) -> list[Spender]:
    """All that spent anything in ``days``; of projects the largest that spent at least so much. Four queries."""
    found: dict[tuple[Subject, int, int | None, str], dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    sums = all_usage().sums_of_days("company").between(days.first, days.last).exclude(currency="").order_by()
    for company, provider, currency, day, cost in sums.values_list(
        "company_id", "provider_id", "currency", "day"
    ).annotate(sum_cost=ExactSum("cost")):
        if cost:
            found[Subject.PROVIDER, provider, provider, currency][day] += cost
            if company is not None:
                found[Subject.COMPANY, company, None, currency][day] += cost
    providers = _large_projects(days, projects_from)
    usage = DailyUsage.objects.between(days.first, days.last).filter(project__in=providers).exclude(currency="")
    for project, currency, day, cost in (
        usage.order_by().values_list("project_id", "currency", "day").annotate(sum_cost=ExactSum("cost"))
    ):
        if cost:
            found[Subject.PROJECT, project, providers[project], currency][day] = cost
    return [Spender(*who, costs=dict(costs)) for who, costs in found.items()]


def _large_projects(days: DateRange, least: Decimal) -> dict[int, int]:
    """Their providers, by project; two queries: by the weeks that sums are kept of."""
    weeks = KeySum.objects.of_span(Span.WEEK).between(days.first, days.last).order_by()
    costs = weeks.values_list("project_id").annotate(sum_cost=ExactSum("cost"))
    large = sorted(((cost, pk) for pk, cost in costs if cost and cost >= least), reverse=True)[:MOST_PROJECTS]
    return dict(Project.objects.filter(pk__in=[pk for _cost, pk in large]).values_list("pk", "provider_id"))
