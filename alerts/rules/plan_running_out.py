"""At the pace of its period a plan's included credits are used up before they are renewed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Limit, Rule
from alerts.rules.world import Planned, World
from core.money import format_number
from core.months import first_of, preceding
from core.wording import day
from providers.registry import words_of


def find(world: World, limit: Decimal) -> Iterable[Finding]:
    for planned in world.plans:
        finding = _of(planned, world, limit)
        if finding is not None:
            yield finding


def _of(planned: Planned, world: World, limit: Decimal) -> Finding | None:
    provider, plan = planned.provider, planned.plan
    if not plan.used or not plan.included or plan.resets_at is None or plan.resets_at <= world.now:
        return None
    begins = first_of(plan.resets_at.date())
    for _month in range(plan.period_months):
        begins = preceding(begins)
    began = plan.resets_at.replace(year=begins.year, month=begins.month, day=min(plan.resets_at.day, 28))
    read_at = provider.subscription_read_at or world.now
    passed = read_at - began
    if passed < timedelta(days=int(limit)) or plan.used >= plan.included:
        return None
    lasts = passed * (plan.included - plan.used) / plan.used
    ends = read_at + lasts
    if ends >= plan.resets_at:
        return None
    unit = words_of(provider.type).plan_unit
    return Finding(
        occurrence=f"{provider.pk}:{plan.resets_at:%Y-%m-%d}",
        title=f"{provider.name} will run out of {unit} about {day(ends.date())}",
        sentences=(
            f"{format_number(plan.used)} of {format_number(plan.included)} {unit} of its plan are used.",
            f"At the pace of this period they last until about {day(ends.date())}.",
            f"They are renewed on {day(plan.resets_at.date())}.",
        ),
        path=provider.get_absolute_url(),
        provider=provider,
        facts={"used": plan.used, "included": plan.included, "resets_at": plan.resets_at.isoformat()},
    )


RULE = Rule(
    slug="plan.running_out",
    label="Plan runs out before it is renewed",
    text="When what a plan includes will be used up, at the pace of its period, before it is renewed.",
    severity=Severity.WARNING,
    find=find,
    limit=Limit(Decimal(3), "days of a period before it is said", most=Decimal(60)),
)
