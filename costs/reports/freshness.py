"""How far the figures of a range reach, and from which day on they may still change; for programs, in two dates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Max, Min, Q

from core.days import DateRange
from costs.models import ReadDay
from costs.models.usage import SETTLES_AFTER
from providers.models import Provider

_SETTLED_AT = ExpressionWrapper(F("day") + timedelta(days=1) + SETTLES_AFTER, output_field=DateTimeField())


@dataclass(frozen=True)
class Freshness:
    """UTC days; None where there is no such day."""

    data_through: date | None = None  # the last day that has been read of every connected provider
    provisional_from: date | None = None  # the first day that was not read whole, or may be restated


def freshness(providers: Iterable[Provider], days: DateRange, *, today: date) -> Freshness:
    """What is known of ``days``; one query, and one more for each provider whose days have gaps.

    Disconnected providers are left out, since they are not read any more. Days before a provider's history are never
    read, and days to come are not missing.
    """
    connected = [provider for provider in providers if provider.disconnected_at is None]
    told = {
        row["provider"]: row
        for row in ReadDay.objects.filter(provider__in=[provider.pk for provider in connected])
        .order_by()
        .values("provider")
        .annotate(
            latest=Max("day"),
            within=Count("pk", filter=Q(day__gte=days.first, day__lte=days.last)),
            provisional=Min("day", filter=Q(day__gte=days.first, day__lte=days.last, read_at__lt=_SETTLED_AT)),
        )
    }
    latest: list[date | None] = [told[provider.pk]["latest"] if provider.pk in told else None for provider in connected]
    provisional = [row["provisional"] for row in told.values() if row["provisional"] is not None]
    for provider in connected:
        wanted = DateRange(max(days.first, provider.history_from), min(days.last, today))
        row = told.get(provider.pk)
        if wanted.first <= wanted.last and (row is None or row["within"] < len(wanted)):
            read = ReadDay.objects.for_provider(provider).between(wanted.first, wanted.last)
            provisional += sorted(set(wanted) - set(read.values_list("day", flat=True)))[:1]
    return Freshness(
        data_through=None if None in latest else min((day for day in latest if day is not None), default=None),
        provisional_from=min(provisional, default=None),
    )
