"""How a budget stands, as pages show it: what the latest evaluation found, in words and as a bar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from alerts.evaluation.budget_news import period_name
from alerts.models import Budget
from core.days import DateRange
from core.money import Money, to_tenth_below
from core.wording import day


@dataclass(frozen=True)
class BudgetStanding:
    """A budget beside what was spent; texts are for people, and shares of the bar are percentages from 0 to 100."""

    budget: Budget
    period: str
    days: str
    is_known: bool
    spent: str
    percent: str  # "83.0 %"
    expected: str  # empty where there is no forecast
    note: str
    state: str  # "over", "near" or "within"
    state_label: str
    spent_share: int
    expected_share: int

    @property
    def tightness(self) -> Decimal:
        """How much of it is spent or foreseen: what to look at first."""
        return max(self.budget.spent or Decimal(0), self.budget.expected or Decimal(0)) / self.budget.amount


def bar(standing: BudgetStanding) -> SafeString:
    """Spent, and beyond it what is foreseen; a picture of what stands beside it in words."""
    return mark_safe(render_to_string("budgets/_bar.html", {"standing": standing}).strip())  # noqa: S308 - a template escapes


def standing_of(budget: Budget) -> BudgetStanding:
    if budget.spent is None or budget.evaluated_from is None:
        return _unknown(budget, "Compared within a minute")
    period = budget.period_on(budget.evaluated_from)
    if period is None:  # it begins later now
        return _unknown(budget, f"Begins on {day(budget.starts_on)}")
    ratio = budget.spent / budget.amount
    foreseen = budget.expected / budget.amount if budget.expected is not None else None
    state, label = _state(ratio, foreseen)
    return BudgetStanding(
        budget=budget,
        period=period_name(budget, period),
        days=period.days,
        is_known=True,
        spent=str(Money(budget.currency, budget.spent)),
        percent=f"{to_tenth_below(ratio * 100)} %",
        expected=str(Money(budget.currency, budget.expected)) if budget.expected is not None else "",
        note=_note(budget),
        state=state,
        state_label=label,
        spent_share=_share(ratio),
        expected_share=_share(foreseen or Decimal(0)),
    )


def _unknown(budget: Budget, note: str) -> BudgetStanding:
    period = DateRange(budget.starts_on, budget.ends_on) if budget.ends_on else None
    return BudgetStanding(
        budget=budget,
        period=period.days if period else f"From {day(budget.starts_on)}",
        days="",
        is_known=False,
        spent="",
        percent="",
        expected="",
        note=note,
        state="within",
        state_label="Not compared yet",
        spent_share=0,
        expected_share=0,
    )


def _state(ratio: Decimal, foreseen: Decimal | None) -> tuple[str, str]:
    if ratio >= 1:
        return "over", "Over budget"
    if foreseen is not None and foreseen > 1:
        return "near", "Will pass it"
    if ratio >= Decimal("0.8"):
        return "near", "Nearly spent"
    return "within", "Within budget"


def _note(budget: Budget) -> str:
    reaches: date | None = budget.reaches
    parts = [f"Figures through {day(reaches)}" if reaches else "Not read yet"]
    if budget.is_partial:
        parts.append("some usage has no price yet")
    return ", ".join(parts)


def _share(ratio: Decimal) -> int:
    return int(min(max(ratio * 100, Decimal(0)), Decimal(100)))
