"""How far the figures of a range reach, and from which day on they may still change; for programs, in two dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.db.models import BigIntegerField, Max, Q

from core.days import EARLIEST_DAY, DateRange
from core.prepared import Given, PreparedQuery
from costs.models import ReadDay, SettledDays
from costs.usage.coverage import coverage_by_provider
from providers.models import Provider


@dataclass(frozen=True)
class Freshness:
    """UTC days; None where there is no such day."""

    data_through: date | None = None  # the last day that has been read of every connected provider
    provisional_from: date | None = None  # the first day that was not read whole, or may be restated


def freshness(providers: Iterable[Provider], days: DateRange, *, today: date) -> Freshness:
    """What is known of ``days``; two queries.

    Disconnected providers are left out, since they are not read any more. Days before a provider's history are never
    read, and days to come are not missing.
    """
    connected = [provider for provider in providers if provider.disconnected_at is None]
    latest = last_read_days(connected)
    provisional: list[date] = []
    asked = DateRange(max(days.first, EARLIEST_DAY), min(days.last, today))
    by_provider = coverage_by_provider(connected, asked, today=today) if asked.first <= asked.last else {}
    for provider in connected if by_provider else ():
        known = by_provider[provider.pk]
        provisional += sorted(known.provisional)[:1]
        provisional += [day for day in known.unread if day >= provider.history_from][:1]
    return Freshness(
        data_through=min(latest.values()) if latest and len(latest) == len(connected) else None,
        provisional_from=min(provisional, default=None),
    )


def last_read_days(providers: Sequence[Provider]) -> dict[int, date]:
    """The last UTC day that was read of each provider that has any, by its id; one query."""
    found: dict[int, date] = {}
    if providers:
        for pk, day in _last_days_of(len(providers)).ask(providers=[provider.pk for provider in providers]):
            found[pk] = max(day, found.get(pk, day))
    return found


@lru_cache(maxsize=32)
def _last_days_of(providers: int) -> PreparedQuery[tuple[int, date]]:
    """Of so many providers."""
    owned = Q(provider__id__in=Given.several("providers", BigIntegerField(), providers))
    single = ReadDay.objects.filter(owned, is_within=False).order_by().values_list("provider_id")
    settled = SettledDays.objects.filter(owned).order_by().values_list("provider_id")
    return PreparedQuery(lambda: single.annotate(Max("day")).union(settled.annotate(Max("last")), all=True))
