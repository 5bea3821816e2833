"""An answer of a provider was held back, because it would remove most of what is stored."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Rule
from alerts.rules.world import World

NEEDS_LOOK = "implausible"


def find(world: World, _limit: Decimal) -> Iterable[Finding]:
    for provider in world.providers:
        if provider.failure_code == NEEDS_LOOK and provider.failing_since is not None:
            yield Finding(
                occurrence=f"{provider.pk}:{provider.failing_since.isoformat()}",
                title=f"{provider.name} needs a look",
                sentences=(
                    provider.failure_text,
                    "Nothing of it was applied. Somebody has to accept it, or the next sync brings another answer.",
                ),
                path=provider.get_absolute_url(),
                provider=provider,
                facts={"since": provider.failing_since.isoformat()},
            )


RULE = Rule(
    slug="provider.needs_look",
    label="Answer held back",
    text="When an answer was not applied because it would remove most of what is stored.",
    severity=Severity.WARNING,
    find=find,
)
