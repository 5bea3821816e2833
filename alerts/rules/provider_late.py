"""A provider has not been synced for longer than it should be."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Rule
from alerts.rules.world import World
from core.wording import ago
from providers.models import Provider


def find(world: World, _limit: Decimal) -> Iterable[Finding]:
    for provider in world.providers:
        if provider.status(world.now) == Provider.Status.LATE:
            since = provider.last_synced_at or provider.created_at
            yield Finding(
                occurrence=f"{provider.pk}:{since.isoformat()}",
                title=f"{provider.name} is late",
                sentences=(f"{provider.name} was last synced {ago(since, world.now)}. Figures may be incomplete.",),
                path=provider.get_absolute_url(),
                provider=provider,
                facts={"since": since.isoformat()},
            )


RULE = Rule(
    slug="provider.late",
    label="Provider late",
    text="When a provider was not synced for two hours, though nothing failed.",
    severity=Severity.INFO,
    find=find,
)
