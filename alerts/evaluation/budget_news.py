"""What is said when a budget's threshold was passed: to colleagues, to the company's own viewers, to programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from django.urls import reverse

from alerts.evaluation.freshness import freshness_sentences, unassigned_sentence
from alerts.models import Budget, Passing, Severity, Threshold
from alerts.services.raising import News
from core.days import DateRange
from core.money import Money, to_tenth_below
from core.months import name_of
from core.wording import day
from costs.reports.spending import unassigned
from costs.reports.totals import Totals

if TYPE_CHECKING:
    from alerts.evaluation.budgets import Standing


class Unassigned:
    """What belongs to no company, by period; looked up once each, and only where something is told."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._by_period: dict[DateRange, Totals] = {}

    def of(self, period: DateRange) -> Totals:
        if period not in self._by_period:
            self._by_period[period] = unassigned(DateRange(period.first, min(period.last, self._today)))
        return self._by_period[period]


def budget_news(standing: Standing, threshold: Threshold, passing: Passing, unassigned: Unassigned) -> News:
    budget, period = standing.budget, standing.period
    what = f"{threshold.said(budget.currency)} of the {period_name(budget, period)} budget {_is(threshold)}"
    freshness = freshness_sentences(standing.coverage, period)
    own = (*_figures(standing), *freshness)
    client_what, client_sentences = _for_clients(standing, threshold, what, own, freshness)
    page = _page(budget, period)
    return News(
        key=f"budget:{budget.pk}:{period.first.isoformat()}:{passing.pk}",
        kind="budget.threshold_passed" if threshold.kind == Threshold.Kind.ACTUAL else "budget.forecast_passed",
        severity=Severity.URGENT if _is_overspent(standing, threshold) else Severity.WARNING,
        title=f"{budget.subject}: {what}",
        sentences=(*own, unassigned_sentence(unassigned.of(period), period_name(budget, period))),
        path=page,
        client_title=client_what[:1].upper() + client_what[1:] if budget.company else "",
        client_sentences=client_sentences if budget.company else (),
        client_path=page if budget.company else "",
        company=budget.company,
        provider=budget.provider,
        facts={
            "budget": budget.pk,
            "subject": budget.subject,
            "period": {"from": period.first.isoformat(), "to": period.last.isoformat()},
            "currency": budget.currency,
            "amount": str(budget.amount),
            "spent": f"{standing.spent.normalize():f}",
            "forecast": f"{standing.expected.normalize():f}" if standing.expected is not None else None,
            "threshold": {
                "kind": threshold.kind,
                "percent": f"{threshold.percent.normalize():f}" if threshold.percent is not None else None,
                "amount": f"{passing.limit.normalize():f}",
            },
            "data_through": standing.reaches.isoformat() if standing.reaches else None,
            "provisional_from": standing.provisional_from.isoformat() if standing.provisional_from else None,
        },
    )


def _for_clients(
    standing: Standing, threshold: Threshold, what: str, own: tuple[str, ...], freshness: Iterable[str]
) -> tuple[str, tuple[str, ...]]:
    """The same to the company's own viewers; to those of a "price only" one by percent alone: a budget is of cost."""
    budget = standing.budget
    if budget.company is None or not budget.company.is_price_only:
        return what, own
    if threshold.percent is None:
        what = f"a threshold of the {period_name(budget, standing.period)} budget {_is(threshold)}"
    percent = to_tenth_below(standing.spent * 100 / budget.amount)
    return what, (f"{percent} % of the budget is spent.", *freshness)


def period_name(budget: Budget, period: DateRange) -> str:
    """ "November 2026", "Q4 2026", "3 Oct – 2 Nov 2026"."""
    if budget.period == Budget.Period.MONTH:
        return name_of(period.last.replace(day=1))
    if budget.period == Budget.Period.QUARTER:
        return f"Q{(period.last.month + 2) // 3} {period.last.year}"
    return period.days


def _is(threshold: Threshold) -> str:
    return "is spent" if threshold.kind == Threshold.Kind.ACTUAL else "is forecast to be spent"


def _is_overspent(standing: Standing, threshold: Threshold) -> bool:
    return threshold.kind == Threshold.Kind.ACTUAL and standing.spent >= standing.budget.amount


def _figures(standing: Standing) -> list[str]:
    budget = standing.budget
    percent = to_tenth_below(standing.spent * 100 / budget.amount)
    lines = [f"{Money(budget.currency, standing.spent)} of {budget.money} is spent ({percent} %)."]
    if standing.expected is not None:
        foreseen = Money(budget.currency, standing.expected)
        lines.append(f"As days lately went it will be {foreseen} by {day(standing.period.last)}.")
    if standing.is_partial:
        lines.append("Some usage has no price yet and is not in these figures.")
    return lines


def _page(budget: Budget, period: DateRange) -> str:
    of = budget.company or budget.provider or budget.project
    return f"{of.get_absolute_url() if of else reverse('dashboard')}?{period.query}"
