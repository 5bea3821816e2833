"""An API key was disabled by its provider or by somebody of the workspace."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from alerts.models import Severity
from alerts.rules.rule import Finding, Rule
from alerts.rules.world import World
from providers.registry import words_of

# What was disabled long before it was first looked for is no news.
RECENT = timedelta(days=3)


def find(world: World, _limit: Decimal) -> Iterable[Finding]:
    for key in world.limited_keys:
        if key.disabled_at is None or key.disabled_at < world.now - RECENT:
            continue
        words = words_of(key.provider.type)
        reason = words.disabled_reasons.get(key.disabled_reason, "")
        is_urgent = key.disabled_reason in words.urgent_reasons
        yield Finding(
            occurrence=f"{key.pk}:{key.disabled_at:%Y-%m-%d}",
            title=f"{key.display_name} was disabled",
            sentences=(
                f"The API key {key.display_name} of {key.provider.name} was disabled.",
                *([f"{reason}."] if reason else []),
                *(["Whoever has found it may have used it: look at its usage, and replace it."] if is_urgent else []),
            ),
            path=key.get_absolute_url(),
            provider=key.provider,
            severity=Severity.URGENT if is_urgent else None,
            facts={"key": key.display_name, "reason": key.disabled_reason},
        )


RULE = Rule(
    slug="key.disabled",
    label="API key disabled",
    text="When an API key stops working because it was disabled. One that was found in public is urgent.",
    severity=Severity.WARNING,
    find=find,
    is_event=True,
)
