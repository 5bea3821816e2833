"""Everybody who spends, day by day: all companies, providers and large API keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.days import DateRange
from core.sums import ExactSum
from costs.models import KeySum, Span
from costs.reports.spending import DailySpend, Subject
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


def spenders(spend: Mapping[Subject, Mapping[int | None, DailySpend]], providers: Mapping[int, int]) -> list[Spender]:
    """All who spent anything, in each currency; of API keys those of which ``providers`` are given."""
    found = []
    for subject, by_pk in spend.items():
        for pk, of_one in by_pk.items():
            if pk is None or (subject is Subject.PROJECT and pk not in providers):
                continue
            provider_id = {Subject.PROVIDER: pk, Subject.PROJECT: providers.get(pk)}.get(subject)
            for currency, by_day in of_one.costs.items():
                costs = {day: cost for day, cost in by_day.items() if cost}
                if currency and costs:
                    found.append(Spender(subject, pk, provider_id, currency, costs))
    return found


def large_projects(days: DateRange, least: Decimal) -> dict[int, int]:
    """The providers of those that spent most, and at least so much; two queries: by the weeks that sums are kept of."""
    weeks = KeySum.objects.of_span(Span.WEEK).between(days.first, days.last).order_by()
    costs = weeks.values_list("project_id").annotate(sum_cost=ExactSum("cost"))
    large = sorted(((cost, pk) for pk, cost in costs if cost and cost >= least), reverse=True)[:MOST_PROJECTS]
    return dict(Project.objects.filter(pk__in=[pk for _cost, pk in large]).values_list("pk", "provider_id"))
