"""Days that had settled were restated: what was billed may have been another amount."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from django.urls import reverse

from alerts.models import Severity
from alerts.rules.rule import Finding, Rule
from alerts.rules.world import World
from core.wording import count
from costs.reports.restated import restated_since

RECENT = timedelta(days=1)


def find(world: World, _limit: Decimal) -> Iterable[Finding]:
    for restated in restated_since(world.now - RECENT):
        yield Finding(
            occurrence=f"{restated.provider.pk}:{restated.latest_at:%Y-%m-%d}",
            title=f"{restated.provider.name} restated settled days",
            sentences=(
                f"{count(restated.rows, 'row')} of {restated.days} changed after they had settled.",
                "Statements that are closed stay; the next one carries the difference.",
            ),
            path=f"{reverse('providers:restatements', args=[restated.provider.pk])}?{restated.days.query}",
            provider=restated.provider,
            facts={"rows": restated.rows, "from": str(restated.days.first), "to": str(restated.days.last)},
        )


RULE = Rule(
    slug="days.restated",
    label="Settled days restated",
    text="When figures of days change that had settled, once a day and provider.",
    severity=Severity.INFO,
    find=find,
    is_event=True,
)
