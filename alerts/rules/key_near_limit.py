"""An API key has used most of what it may use in its period."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Limit, Rule
from alerts.rules.world import World
from core.money import format_number, to_tenth_below
from providers.plan import Plan
from providers.registry import words_of


def find(world: World, limit: Decimal) -> Iterable[Finding]:
    for key in world.limited_keys:
        if not key.credit_limit or key.credits_used is None or key.disabled_at is not None:
            continue
        percent = Decimal(key.credits_used) * 100 / key.credit_limit
        if percent < limit:
            continue
        plan = Plan.of(key.provider.subscription)
        period = plan.resets_at.date() if plan and plan.resets_at else world.month.first
        unit = words_of(key.provider.type).plan_unit
        used, most = format_number(key.credits_used), format_number(key.credit_limit)
        yield Finding(
            occurrence=f"{key.pk}:{period.isoformat()}",
            title=f"{key.display_name} has used {to_tenth_below(percent)} % of its limit",
            sentences=(
                f"The API key {key.display_name} of {key.provider.name} has used {used} of {most} {unit}.",
                "Requests with it are refused when it reaches its limit.",
            ),
            path=key.get_absolute_url(),
            provider=key.provider,
            facts={"key": key.display_name, "used": key.credits_used, "limit": key.credit_limit},
        )


RULE = Rule(
    slug="key.near_limit",
    label="API key near its limit",
    text="When an API key with a limit of its own has used most of it, once a period.",
    severity=Severity.WARNING,
    find=find,
    limit=Limit(Decimal(90), "% of its limit", most=Decimal(100)),
)
