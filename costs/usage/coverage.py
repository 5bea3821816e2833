"""Which days of a range have been read, and which may still change: what distinguishes zero from unknown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, DateField, DateTimeField, F, Q, Value

from core.days import DateRange
from core.prepared import Given, PreparedQuery
from costs.models import ReadDay, SettledDays, end_of
from costs.models.usage import settles
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
    """What is known of each of several ranges, by provider id; one query.

    Providers of which the same is known – most of a thousand are read every hour – share one Coverage.
    """
    by_pk = {provider.pk: provider for provider in providers}
    found: dict[int, list[_Known]] = {pk: [] for pk in by_pk}
    over, settled = cache(end_of), cache(settles)  # a thousand providers speak of the same few days
    for pk, first, last, read_at in _readings(by_pk, ranges):
        is_over, is_settled = (True, True) if read_at is None else (read_at >= over(first), read_at >= settled(first))
        found[pk].append(_Known(first, last, is_over, is_settled))
    known = {pk: tuple(sorted(rows)) for pk, rows in found.items()}
    return [_covered(by_pk, known, days, today) for days in ranges]


def record_reading(provider: Provider, days: DateRange, read_at: datetime) -> None:
    """Remember that ``days`` were read whole, by an answer that was asked for at ``read_at``.

    The caller holds the lock on ``provider``.
    """
    settled = [day for day in days if read_at >= settles(day)]  # the first ones, or none
    ReadDay.objects.bulk_create(
        (ReadDay(provider=provider, day=day, read_at=read_at, is_within=day in settled) for day in days),
        update_conflicts=True,
        unique_fields=["provider", "day"],
        update_fields=["read_at", "is_within"],
    )
    if not settled:
        return  # nor was any of them, at an earlier moment
    beside = SettledDays.objects.filter(
        provider=provider, first__lte=days.last + timedelta(days=1), last__gte=days.first - timedelta(days=1)
    )
    stood = [(each.first, each.last) for each in beside]
    stands = _joined([*_without(stood, days), *([(settled[0], settled[-1])] if settled else [])])
    if stands != sorted(stood):
        beside.delete()
        SettledDays.objects.bulk_create(
            SettledDays(provider=provider, first=first, last=last) for first, last in stands
        )


def settled_days(provider: Provider) -> frozenset[date]:
    """The days of the provider that were read after they had settled; one query, of few rows however many days."""
    return frozenset(day for first, last in _SETTLED.ask(provider=provider.pk) for day in DateRange(first, last))


_SETTLED: PreparedQuery[tuple[date, date]] = PreparedQuery(
    lambda: (
        SettledDays.objects.filter(provider=Given("provider", BigIntegerField()))
        .order_by()
        .values_list("first", "last")
    )
)


_Span = tuple[date, date]


def _without(spans: Iterable[_Span], days: DateRange) -> Iterator[_Span]:
    """What of ``spans`` lies before or after ``days``."""
    for first, last in spans:
        if first < days.first:
            yield first, min(last, days.first - timedelta(days=1))
        if last > days.last:
            yield max(first, days.last + timedelta(days=1)), last


def _joined(spans: Iterable[_Span]) -> list[_Span]:
    """The same days in as few spans as possible, in order."""
    found: list[_Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + timedelta(days=1):
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


class _Known(NamedTuple):
    """Days in a row of which the same is known."""

    first: date
    last: date
    is_over: bool
    is_settled: bool


def _readings(ids: Collection[int], ranges: Sequence[DateRange]) -> Iterable[tuple[int, date, date, datetime | None]]:
    """Provider id, first and last day, and when it was read: of days by themselves; None: after they had settled."""
    if not ids or not ranges:
        return ()
    firsts, lasts = [each.first for each in ranges], [each.last for each in ranges]
    return _readings_of(len(ids), len(ranges)).ask(providers=list(ids), firsts=firsts, lasts=lasts)


@lru_cache(maxsize=32)
def _readings_of(providers: int, ranges: int) -> PreparedQuery[tuple[int, date, date, datetime | None]]:
    """Of so many providers and ranges: nearly every page asks it, and every request for costs."""
    owned = Q(provider__id__in=Given.several("providers", BigIntegerField(), providers))
    firsts, lasts = (Given.several(name, DateField(), ranges) for name in ("firsts", "lasts"))
    days, spans = Q(), Q()
    for first, last in zip(firsts, lasts, strict=True):
        days |= Q(day__range=(first, last))
        spans |= Q(first__lte=last, last__gte=first)
    never = Value(None, output_field=DateTimeField())
    return PreparedQuery(
        lambda: (
            ReadDay.objects.filter(days, owned, is_within=False)
            .order_by()
            .values_list("provider_id", "day", F("day"), "read_at")
            .union(
                SettledDays.objects.filter(spans, owned).order_by().values_list("provider_id", "first", "last", never),
                all=True,
            )
        )
    )


def _covered(
    providers: Mapping[int, Provider], known: Mapping[int, tuple[_Known, ...]], days: DateRange, today: date
) -> dict[int, Coverage]:
    listed = list(days)
    made: dict[Any, Coverage] = {}
    result = {}
    for pk, provider in providers.items():
        last = min(provider.disconnected_at.date() if provider.disconnected_at else today, today, days.last)
        same = known[pk], last
        if same not in made:
            within = [
                each._replace(first=max(each.first, days.first), last=min(each.last, days.last))
                for each in known[pk]
                if each.first <= days.last and each.last >= days.first
            ]
            made[same] = _coverage(within, listed, last, today)
        result[pk] = made[same]
    return result


def _coverage(known: Sequence[_Known], days: Sequence[date], last: date, today: date) -> Coverage:
    """``last`` is the last day that is to be read."""
    if not days:
        return Coverage()

    def listed(spans: Iterable[_Known]) -> frozenset[date]:
        begins = days[0]
        return frozenset(
            chain.from_iterable(days[(one.first - begins).days : (one.last - begins).days + 1] for one in spans)
        )

    read = listed(known)
    return Coverage(
        read=read,
        finished=listed(one for one in known if one.is_over),
        provisional=listed(one for one in known if not one.is_settled),
        unread=tuple(day for day in days if day <= last and day not in read),
        ended=frozenset(day for day in days if last < day <= today and day not in read),
    )


def joint_coverage(coverages: Iterable[Coverage]) -> Coverage:
    """What is known of several providers' days as one: read where all are, provisional where any may be restated.

    A provider that was disconnected by then has no say.
    """
    each = list({id(one): one for one in coverages}.values())  # many are the same one
    if len(each) < 2:
        return each[0] if each else Coverage()
    read_by_any = frozenset().union(*(one.read for one in each))
    finished_by_any = frozenset().union(*(one.finished for one in each))
    unread = {day for one in each for day in one.unread}
    return Coverage(
        read=read_by_any.intersection(*(one.read | one.ended for one in each)),
        finished=finished_by_any.intersection(*(one.finished | one.ended for one in each)),
        provisional=frozenset().union(*(one.provisional for one in each)),
        unread=tuple(sorted(unread)),
        ended=frozenset.intersection(*(one.ended for one in each)),
    )


def coverage(providers: Iterable[Provider], days: DateRange, *, today: date) -> Coverage:
    """What is known of ``days`` for all of ``providers`` together; one query."""
    return joint_coverage(coverage_by_provider(providers, days, today=today).values())
