"""More than a set amount of this month belongs to no company."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.urls import reverse

from alerts.models import Severity
from alerts.rules.rule import Finding, Limit, Rule
from alerts.rules.world import World
from core.money import Money
from core.months import name_of


def find(world: World, limit: Decimal) -> Iterable[Finding]:
    month = world.month
    for money in world.unassigned.costs:
        if money.amount >= limit:
            yield Finding(
                occurrence=f"{month.first:%Y-%m}:{money.currency}",
                title=f"{money} of {name_of(month.first)} is assigned to no company",
                sentences=(
                    f"That is more than {Money(money.currency, limit)}. Assign the API keys that it comes from.",
                ),
                path=f"{reverse('dashboard')}?{month.query}",
                is_about_unassigned=True,
                facts={"amount": f"{money.amount.normalize():f}", "currency": money.currency},
            )


RULE = Rule(
    slug="spend.unassigned",
    label="Unassigned spend",
    text="When more than an amount of this month, in whatever currency, belongs to no company, once a month.",
    severity=Severity.WARNING,
    find=find,
    limit=Limit(Decimal(100), "in the currency of the spend"),
)
