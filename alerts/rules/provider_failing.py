"""A provider's syncs fail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.provider_needs_look import NEEDS_LOOK
from alerts.rules.rule import Finding, Limit, Rule
from alerts.rules.world import World


def find(world: World, limit: Decimal) -> Iterable[Finding]:
    for provider in world.providers:
        since = provider.failing_since
        if since is None or not provider.failure_code or provider.failure_code == NEEDS_LOOK:
            continue
        if provider.paused_at is not None or since > world.now - timedelta(minutes=int(limit)):
            continue
        yield Finding(
            occurrence=f"{provider.pk}:{since.isoformat()}",
            title=f"Syncs of {provider.name} fail",
            sentences=(provider.failure_text or "The last sync failed.", "What was stored before stays."),
            path=provider.get_absolute_url(),
            provider=provider,
            facts={"since": since.isoformat(), "code": provider.failure_code},
        )


RULE = Rule(
    slug="provider.failing",
    label="Syncs fail",
    text="When a provider's syncs have failed for some time.",
    severity=Severity.WARNING,
    find=find,
    limit=Limit(Decimal(90), "min", most=Decimal(10_000)),
)
