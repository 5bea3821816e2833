"""Making, changing and deleting budgets with their thresholds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from alerts.models import Budget, Threshold
from alerts.models.budget import DEFAULT_ACTUAL, DEFAULT_FORECAST, MOST_THRESHOLDS
from core.audit import audit_event
from core.days import EARLIEST_DAY
from core.wording import day

LONGEST_RANGE_DAYS = 366
TAKEN = "There is already a budget for this, of the same period and currency."


@dataclass(frozen=True, order=True)
class Limit:
    """What a threshold is: a percentage of the budget or – then without one – an amount."""

    kind: str
    percent: Decimal | None = None
    amount: Decimal | None = None

    def said(self, currency: str) -> str:
        threshold = Threshold(kind=self.kind, percent=self.percent, amount=self.amount)
        return f"{threshold.said(currency)} {threshold.get_kind_display()}"


def default_limits() -> list[Limit]:
    return [
        *(Limit(Threshold.Kind.ACTUAL, percent) for percent in DEFAULT_ACTUAL),
        *(Limit(Threshold.Kind.FORECAST, percent) for percent in DEFAULT_FORECAST),
    ]


@transaction.atomic
def save_budget(*, budget: Budget, limits: Iterable[Limit], made_by: User | None = None) -> None:
    """Store a budget that has been made or changed, with exactly these thresholds; raises ValidationError.

    A threshold that stays keeps what it has told of this period. Which of them are due again after another amount is
    for the next evaluation to find.
    """
    wanted = set(limits)
    _check(budget, wanted)
    stored = Budget.objects.with_subjects().filter(pk=budget.pk).first() if budget.pk else None
    old = _facts(stored) if stored else {}
    if stored is None:
        budget.made_by = made_by
    try:
        with transaction.atomic():
            budget.save()
    except IntegrityError:
        raise ValidationError(TAKEN) from None
    kept = {Limit(each.kind, each.percent, each.amount): each.pk for each in budget.thresholds.all()}
    budget.thresholds.exclude(pk__in=[pk for limit, pk in kept.items() if limit in wanted]).delete()
    Threshold.objects.bulk_create(
        Threshold(budget=budget, kind=limit.kind, percent=limit.percent, amount=limit.amount)
        for limit in wanted
        if limit not in kept
    )
    new = _facts(budget)
    changed = [name for name in new if new[name] != old.get(name)]
    if changed:
        audit_event(
            "budget.changed" if stored else "budget.made",
            budget.subject,
            actor=made_by,
            old={name: old[name] for name in changed} if stored else {},
            new={name: new[name] for name in changed},
        )


@transaction.atomic
def delete_budget(*, budget: Budget, made_by: User | None = None) -> None:
    """With its thresholds; alerts that were raised by it stay."""
    audit_event("budget.deleted", budget.subject, actor=made_by, old=_facts(budget))
    budget.delete()


def _check(budget: Budget, limits: set[Limit]) -> None:
    if len(limits) > MOST_THRESHOLDS:
        raise ValidationError({"thresholds": f"A budget has at most {MOST_THRESHOLDS} thresholds."})
    if not limits:
        raise ValidationError({"thresholds": "Enter at least one threshold."})
    if budget.amount is None or not Decimal("0.01") <= budget.amount < Decimal(10) ** 12:
        raise ValidationError({"amount": "Enter an amount above zero."})
    for limit in limits:
        value = limit.percent if limit.percent is not None else limit.amount
        if value is None or not 0 < value < (1000 if limit.percent is not None else Decimal(10) ** 12):
            raise ValidationError({"thresholds": "A threshold is between 0.01 % and 999 %, or an amount above zero."})
    if budget.starts_on < EARLIEST_DAY:
        raise ValidationError({"starts_on": f"A budget begins on {day(EARLIEST_DAY)} at the earliest."})
    if budget.period == Budget.Period.RANGE:
        if budget.ends_on is None or budget.ends_on < budget.starts_on:
            raise ValidationError({"ends_on": "Enter a last day that is not before the first."})
        if (budget.ends_on - budget.starts_on).days >= LONGEST_RANGE_DAYS:
            raise ValidationError({"ends_on": "A range has at most 366 days."})
    else:
        budget.ends_on = None


def _facts(budget: Budget) -> dict[str, Any]:
    limits = sorted((Limit(each.kind, each.percent, each.amount) for each in budget.thresholds.all()), key=str)
    return {
        "amount": str(budget.money),
        "period": budget.get_period_display(),
        "starts": budget.starts_on.isoformat(),
        "ends": budget.ends_on.isoformat() if budget.ends_on else None,
        "thresholds": [limit.said(budget.currency) for limit in limits],
    }
