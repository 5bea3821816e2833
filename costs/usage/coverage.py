"""Which days of a range have been read, and which may still change: what distinguishes zero from unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from django.db.models import Q

from core.days import DateRange
from costs.models import ReadDay
from providers.models import Provider


class Reading(Enum):
    """How many of some days have been read. With NONE, sums of zero are unknown and must not be shown as 0."""

    WHOLE = "whole"
    PART = "part"
    NONE = "none"


@dataclass(frozen=True)
class Coverage:
    """Which of a range's days have been read – of several providers: of each – and which of them may still change."""

    read: frozenset[date] = field(default_factory=frozenset)
    finished: frozenset[date] = field(default_factory=frozenset)  # over, and read since they ended
    provisional: frozenset[date] = field(default_factory=frozenset)
    unread: tuple[date, ...] = ()  # days that have begun; days to come are not missing
    ended: frozenset[date] = field(default_factory=frozenset)  # after the disconnecting: unknown, but not missing

    @property
    def reading(self) -> Reading:
        """Of days that are all still to come nothing is known either."""
        if self.unread:
            return Reading.PART if self.read else Reading.NONE
        return Reading.WHOLE if self.read else Reading.NONE

    @property
    def row_reading(self) -> Reading:
        """For the rows under a total that already says that it is only a part."""
        return Reading.WHOLE if self.read else Reading.NONE


def coverage_by_provider(providers: Iterable[Provider], days: DateRange, *, today: date) -> dict[int, Coverage]:
    """What is known of ``days`` by provider id; one query."""
    return coverage_of_ranges(providers, [days], today=today)[0]


def coverage_of_ranges(
    providers: Iterable[Provider], ranges: Sequence[DateRange], *, today: date
) -> list[dict[int, Coverage]]:
    """What is known of each of several ranges, by provider id; one query."""
    by_pk = {provider.pk: provider for provider in providers}
    within = Q()
    for days in ranges:
        within |= Q(day__gte=days.first, day__lte=days.last)
    read_days: dict[int, list[ReadDay]] = {pk: [] for pk in by_pk}
    for read_day in ReadDay.objects.filter(within, provider__in=by_pk):
        read_days[read_day.provider_id].append(read_day)
    return [
        {pk: _covered(by_pk[pk], days, of_provider, today) for pk, of_provider in read_days.items()} for days in ranges
    ]


def _covered(provider: Provider, days: DateRange, read_days: Iterable[ReadDay], today: date) -> Coverage:
    """The coverage of ``days`` by ``read_days``, which may hold other days too."""
    within = [read_day for read_day in read_days if days.first <= read_day.day <= days.last]
    read = frozenset(read_day.day for read_day in within)
    last = provider.disconnected_at.date() if provider.disconnected_at else today
    return Coverage(
        read=read,
        finished=frozenset(read_day.day for read_day in within if read_day.is_over),
        provisional=frozenset(read_day.day for read_day in within if not read_day.is_settled),
        unread=tuple(day for day in days if day <= min(last, today) and day not in read),
        ended=frozenset(day for day in days if last < day <= today and day not in read),
    )


def joint_coverage(coverages: Iterable[Coverage]) -> Coverage:
    """What is known of several providers' days as one: read where all are, provisional where any may be restated.

    A provider that was disconnected by then has no say.
    """
    each = list(coverages)
    if not each:
        return Coverage()
    read_by_any = frozenset().union(*(one.read for one in each))
    finished_by_any = frozenset().union(*(one.finished for one in each))
    unread = {day for one in each for day in one.unread}
    return Coverage(
        read=frozenset(day for day in read_by_any if all(day in one.read or day in one.ended for one in each)),
        finished=frozenset(
            day for day in finished_by_any if all(day in one.finished or day in one.ended for one in each)
        ),
        provisional=frozenset().union(*(one.provisional for one in each)),
        unread=tuple(sorted(unread)),
        ended=frozenset.intersection(*(one.ended for one in each)),
    )


def coverage(providers: Iterable[Provider], days: DateRange, *, today: date) -> Coverage:
    """What is known of ``days`` for all of ``providers`` together; one query."""
    return joint_coverage(coverage_by_provider(providers, days, today=today).values())
