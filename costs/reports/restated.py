"""Which providers have restated settled days lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min

from core.days import DateRange
from costs.models import Restatement
from providers.models import Provider


@dataclass(frozen=True)
class Restated:
    """What of one provider's days has changed."""

    provider: Provider
    rows: int
    days: DateRange
    latest_at: datetime


def restated_since(moment: datetime) -> Sequence[Restated]:
    """By provider; two queries."""
    found = (
        Restatement.objects.filter(restated_at__gte=moment)
        .order_by("project__provider")
        .values("project__provider")
        .annotate(rows=Count("pk"), first=Min("day"), last=Max("day"), latest=Max("restated_at"))
    )
    rows = {row["project__provider"]: row for row in found}
    return [
        Restated(
            provider=provider,
            rows=rows[provider.pk]["rows"],
            days=DateRange(rows[provider.pk]["first"], rows[provider.pk]["last"]),
            latest_at=rows[provider.pk]["latest"],
        )
        for provider in Provider.objects.filter(pk__in=rows)
    ]
