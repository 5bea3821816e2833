"""An API key will soon stop working because it was made to end on a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Limit, Rule
from alerts.rules.world import World
from core.wording import day


def find(world: World, limit: Decimal) -> Iterable[Finding]:
    until = world.now + timedelta(days=int(limit))
    for key in world.limited_keys:
        if key.expires_at is not None and key.disabled_at is None and world.now < key.expires_at <= until:
            ends = key.expires_at.date()
            yield Finding(
                occurrence=f"{key.pk}:{ends.isoformat()}",
                title=f"{key.display_name} expires on {day(ends)}",
                sentences=(
                    f"The API key {key.display_name} of {key.provider.name} stops working on {day(ends)}, UTC.",
                ),
                path=key.get_absolute_url(),
                provider=key.provider,
                facts={"key": key.display_name, "expires_at": key.expires_at.isoformat()},
            )


RULE = Rule(
    slug="key.expiring",
    label="API key about to expire",
    text="When an API key ends within some days.",
    severity=Severity.WARNING,
    find=find,
    limit=Limit(Decimal(14), "days before", most=Decimal(365)),
)
