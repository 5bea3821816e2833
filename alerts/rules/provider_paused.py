"""A provider was paused by itself, because its key was refused for days."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Rule
from alerts.rules.world import World


def find(world: World, _limit: Decimal) -> Iterable[Finding]:
    for provider in world.providers:
        if provider.paused_at is not None and provider.pause_reason:
            yield Finding(
                occurrence=f"{provider.pk}:{provider.paused_at.isoformat()}",
                title=f"{provider.name} was paused",
                sentences=(provider.pause_reason, "Nothing is read any more until somebody replaces the key."),
                path=provider.get_absolute_url(),
                provider=provider,
                facts={"since": provider.paused_at.isoformat()},
            )


RULE = Rule(
    slug="provider.paused",
    label="Provider paused by itself",
    text="When syncing a provider was paused because its key was refused for three days.",
    severity=Severity.URGENT,
    find=find,
)
