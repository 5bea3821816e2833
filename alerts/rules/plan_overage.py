"""A provider has begun to charge for what goes beyond its plan."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Rule
from alerts.rules.world import World


def find(world: World, _limit: Decimal) -> Iterable[Finding]:
    for planned in world.plans:
        overage, provider = planned.plan.overage, planned.provider
        if overage is None or overage.amount <= 0:
            continue
        period = planned.plan.resets_at.date() if planned.plan.resets_at else world.month.first
        yield Finding(
            occurrence=f"{provider.pk}:{period.isoformat()}",
            title=f"{provider.name} is charged for more than its plan includes",
            sentences=(f"So far {overage} is charged beyond the plan in this period.",),
            path=provider.get_absolute_url(),
            provider=provider,
            facts={"overage": str(overage.amount), "currency": overage.currency},
        )


RULE = Rule(
    slug="plan.overage",
    label="Overage has begun",
    text="When a provider begins to charge for more than its plan includes, once a period.",
    severity=Severity.WARNING,
    find=find,
)
