"""The next invoice of a provider is much larger than the one before it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from alerts.models import RuleMemory, Severity
from alerts.rules.rule import Finding, Limit, Rule
from alerts.rules.world import World
from core.money import Money, to_tenth

SLUG = "invoice.larger"


def find(world: World, limit: Decimal) -> Iterable[Finding]:
    """What was last known of a period's invoice is kept when the next period begins, to compare with."""
    remembered = world.remembered(SLUG)
    for planned in world.plans:
        invoice, provider = planned.plan.next_invoice, planned.provider
        if invoice is None or planned.plan.resets_at is None:
            continue
        period = planned.plan.resets_at.date().isoformat()
        last = _last(remembered.get(str(provider.pk)), str(provider.pk), period, invoice)
        if last is None or last.currency != invoice.currency or last.amount <= 0:
            continue
        grown = (invoice.amount - last.amount) * 100 / last.amount
        if grown >= limit:
            yield Finding(
                occurrence=f"{provider.pk}:{period}",
                title=f"{provider.name}: the next invoice is {to_tenth(grown)} % larger than the last",
                sentences=(f"The next invoice is {invoice} so far; the last one came to {last}.",),
                path=provider.get_absolute_url(),
                provider=provider,
                facts={"next": str(invoice.amount), "last": str(last.amount), "currency": invoice.currency},
            )


def _last(memory: RuleMemory | None, subject: str, period: str, invoice: Money) -> Money | None:
    """The invoice of the period before, as it was last seen."""
    seen = {"period": period, "amount": str(invoice.amount), "currency": invoice.currency}
    known: dict[str, Any] = memory.value if memory else {}
    before = known.get("seen") if known.get("seen", {}).get("period") != period else known.get("before")
    value = {"seen": seen, "before": before}
    if value != known:
        RuleMemory.objects.update_or_create(slug=SLUG, subject=subject, defaults={"value": value})
    return Money(before["currency"], Decimal(before["amount"])) if before else None


RULE = Rule(
    slug=SLUG,
    label="Next invoice much larger",
    text="When the next invoice of a provider is larger than its last one by some share, once a period.",
    severity=Severity.WARNING,
    find=find,
    limit=Limit(Decimal(25), "% larger", most=Decimal(1000)),
)
