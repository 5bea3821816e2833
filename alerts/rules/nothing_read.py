"""Nothing was read of a provider for so long that silence is no good news."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Limit, Rule
from alerts.rules.world import World
from core.wording import ago


def find(world: World, limit: Decimal) -> Iterable[Finding]:
    for provider in world.providers:
        since = provider.last_synced_at or provider.created_at
        if provider.paused_at is None and since < world.now - timedelta(hours=int(limit)):
            yield Finding(
                occurrence=f"{provider.pk}:{since.isoformat()}",
                title=f"Nothing was read of {provider.name} for {int(limit)} hours",
                sentences=(
                    f"The last sync that succeeded was {ago(since, world.now)}.",
                    "Budgets and other rules see nothing of what was spent since: that they are silent says nothing.",
                ),
                path=provider.get_absolute_url(),
                provider=provider,
                facts={"since": since.isoformat()},
            )


RULE = Rule(
    slug="provider.nothing_read",
    label="Nothing read",
    text="When no sync of a provider has succeeded for many hours, so that no other alert can be relied on.",
    severity=Severity.URGENT,
    find=find,
    limit=Limit(Decimal(36), "hours", most=Decimal(1000)),
)
