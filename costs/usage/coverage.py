"""Which days of a range have been read, which wait for prices, and which may still change: what distinguishes zero from
unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum, IntEnum
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, CharField, DateField, OuterRef, Q, QuerySet, Subquery, Value

from core.days import DateRange
from core.expressions import TableExpression
from core.prepared import Given, PreparedQuery
from costs.models import SETTLES_AFTER, CompanySum, ReadDay, SettledDays, Span
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
    since: date | None = None  # the first day that was read, of any of several providers
    unpriced: frozenset[date] = field(default_factory=frozenset)  # wait for a price; empty where that was not asked

    @property
    def complete(self) -> frozenset[date]:
        """Days that are over, read since, and priced or no longer waited for."""
        return self.finished - self.unpriced

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


def coverage_by_provider(
    providers: Iterable[Provider], days: DateRange, *, today: date, with_prices: bool = False
) -> dict[int, Coverage]:
    """What is known of ``days`` by provider id; one query."""
    return coverage_of_ranges(providers, [days], today=today, with_prices=with_prices)[0]


def coverage_of_ranges(
    providers: Iterable[Provider], ranges: Sequence[DateRange], *, today: date, with_prices: bool = False
) -> list[dict[int, Coverage]]:
    """What is known of each of several ranges, by provider id; one query.

    Providers of which the same is known – most of a thousand are read every hour – share one Coverage.

    ``with_prices`` it is asked as well which days wait for the price of something that was used. A price is waited for
    as long as figures take to settle. After that a day counts without it, and what is made of it says so: what is never
    priced would be waited for for ever. A provider that has priced nothing at all in ``ranges`` is not waited for.
    """
    by_pk = {provider.pk: provider for provider in providers}
    found: dict[int, list[str]] = {pk: [] for pk in by_pk}
    waiting: dict[int, set[date]] = defaultdict(set)
    pricing: set[int] = set()
    for pk, text, says in _told(by_pk, ranges, today - SETTLES_AFTER if with_prices else None):
        if says == _Says.UNPRICED:
            waiting[pk].add(date.fromisoformat(text))
        elif says == _Says.PRICED:
            pricing.add(pk)
        else:
            found[pk].append(text)
    known = {pk: (tuple(sorted(texts)), frozenset(waiting[pk] if pk in pricing else ())) for pk, texts in found.items()}
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


def _parsed(text: str) -> Iterator[_Known]:
    """What _ReadDays or _SettledSpan say."""
    for piece in text.split(","):
        days, state = piece[:-1], piece[-1]
        first, _slash, last = days.partition("/")
        start = date.fromisoformat(first)
        yield _Known(start, date.fromisoformat(last) if last else start, state != _READ_EARLY, state == _READ_SETTLED)


_READ_EARLY, _READ_OVER, _READ_SETTLED = "-", "+", "="


class _DaysAsText(TableExpression):
    """Texts in place of dates: most of a thousand providers say the same, which is then understood once."""

    def __init__(self) -> None:
        super().__init__("id", output_field=CharField())

    @staticmethod
    def day(column: str, connection: Any) -> str:
        return f"TO_CHAR({column}, 'YYYY-MM-DD')" if connection.vendor == "postgresql" else column


class _ReadDays(_DaysAsText):
    """The days of a group: "2026-11-28+,2026-11-29-", each with how far it had gone when it was read."""

    contains_aggregate = True

    def make_sql(self, table: str, connection: Any) -> tuple[str, Sequence[Any]]:
        settled = SETTLES_AFTER.days + 1
        if connection.vendor == "postgresql":
            read_at, after, join = f"{table}.read_at AT TIME ZONE 'UTC'", f"{table}.day + {{}}", "STRING_AGG"
            order = f" ORDER BY {table}.day"
        else:
            read_at, after, join, order = f"{table}.read_at", f"DATE({table}.day, '+{{}} days')", "GROUP_CONCAT", ""
        state = f"""CASE WHEN {read_at} >= {after.format(settled)} THEN '{_READ_SETTLED}'
            WHEN {read_at} >= {after.format(1)} THEN '{_READ_OVER}' ELSE '{_READ_EARLY}' END"""
        return f"{join}({self.day(f'{table}.day', connection)} || {state}, ','{order})", ()

    def get_group_by_cols(self) -> list[Any]:
        return []


class _SettledSpan(_DaysAsText):
    """ "2026-01-01/2026-11-20=": read after they had settled."""

    def make_sql(self, table: str, connection: Any) -> tuple[str, Sequence[Any]]:
        first, last = (self.day(f"{table}.{name}", connection) for name in ("first", "last"))
        return f"{first} || '/' || {last} || '{_READ_SETTLED}'", ()


class _Day(_DaysAsText):
    def make_sql(self, table: str, connection: Any) -> tuple[str, Sequence[Any]]:
        return self.day(f"{table}.day", connection), ()


class _Says(IntEnum):
    """What a row is about."""

    READ = 0
    UNPRICED = 1  # something of the day
    PRICED = 2  # something of a provider of which anything is unpriced


_Told = tuple[int, str, int]


def _told(ids: Collection[int], ranges: Sequence[DateRange], since: date | None) -> Iterable[_Told]:
    """Provider id and which of its days were read, as _parsed() understands them.

    With ``since`` also the days from then on of which something has no price.
    """
    if not ids or not ranges:
        return ()
    firsts, lasts = [each.first for each in ranges], [each.last for each in ranges]
    known = {"providers": list(ids), "firsts": firsts, "lasts": lasts}
    if since is None:
        return _readings(len(ids), len(ranges)).ask(**known)
    return _readings_and_prices(len(ids), len(ranges)).ask(**known, since=since)


def _owned(count: int) -> Q:
    return Q(provider__id__in=Given.several("providers", BigIntegerField(), count))


def _within(ranges: int) -> Q:
    pairs = zip(*(Given.several(name, DateField(), ranges) for name in ("firsts", "lasts")), strict=True)
    return Q(*(Q(day__range=pair) for pair in pairs), _connector=Q.OR)


@lru_cache(maxsize=32)
def _readings(providers: int, ranges: int) -> PreparedQuery[_Told]:
    """Of so many providers and ranges: nearly every page asks it, and every request for costs."""
    return PreparedQuery(lambda: _days_read(providers, ranges).union(_days_settled(providers, ranges), all=True))


@lru_cache(maxsize=32)
def _readings_and_prices(providers: int, ranges: int) -> PreparedQuery[_Told]:
    """The same with what lacks prices."""
    days = CompanySum.objects.of_span(Span.DAY).filter(_within(ranges)).order_by()
    lacking = days.unpriced().filter(_owned(providers), day__gte=Given("since", DateField()))
    # Of each provider the latest alone: to look through them all would be to read the whole range.
    latest = days.filter(provider=OuterRef("pk")).exclude(currency="").order_by("-day").values("day")[:1]
    pricing = Provider.objects.filter(pk__in=lacking.values("provider")).alias(priced=Subquery(latest)).order_by()
    return PreparedQuery(
        lambda: _days_read(providers, ranges).union(
            _days_settled(providers, ranges),
            lacking.values_list("provider_id", _Day(), Value(_Says.UNPRICED.value)).distinct(),
            pricing.exclude(priced=None).values_list("pk", Value(""), Value(_Says.PRICED.value)),
            all=True,
        )
    )


def _days_read(providers: int, ranges: int) -> QuerySet[Any, Any]:
    """Those that may still change."""
    found = ReadDay.objects.filter(_within(ranges), _owned(providers), is_within=False)
    says = Value(_Says.READ.value)
    return found.order_by().values("provider_id").annotate(days=_ReadDays()).values_list("provider_id", "days", says)


def _days_settled(providers: int, ranges: int) -> QuerySet[Any, Any]:
    pairs = zip(*(Given.several(name, DateField(), ranges) for name in ("firsts", "lasts")), strict=True)
    spans = Q(*(Q(first__lte=last, last__gte=first) for first, last in pairs), _connector=Q.OR)
    found = SettledDays.objects.filter(spans, _owned(providers))
    return found.order_by().values_list("provider_id", _SettledSpan(), Value(_Says.READ.value))


def _covered(
    providers: Mapping[int, Provider],
    known: Mapping[int, tuple[tuple[str, ...], frozenset[date]]],
    days: DateRange,
    today: date,
) -> dict[int, Coverage]:
    listed = list(days)
    made: dict[Any, Coverage] = {}
    result = {}
    for pk, provider in providers.items():
        texts, unpriced = known[pk]
        last = min(provider.disconnected_at.date() if provider.disconnected_at else today, today, days.last)
        same = known[pk], last
        if same not in made:
            within = [
                each._replace(first=max(each.first, days.first), last=min(each.last, days.last))
                for each in sorted(chain.from_iterable(map(_parsed, texts)))
                if each.first <= days.last and each.last >= days.first
            ]
            made[same] = replace(_coverage(within, listed, last, today), unpriced=unpriced.intersection(listed))
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
        since=min(read, default=None),
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
        since=min((one.since for one in each if one.since), default=None),
        read=read_by_any.intersection(*(one.read | one.ended for one in each)),
        finished=finished_by_any.intersection(*(one.finished | one.ended for one in each)),
        provisional=frozenset().union(*(one.provisional for one in each)),
        unread=tuple(sorted(unread)),
        ended=frozenset.intersection(*(one.ended for one in each)),
        unpriced=frozenset().union(*(one.unpriced for one in each)),
    )


def coverage(providers: Iterable[Provider], days: DateRange, *, today: date, with_prices: bool = False) -> Coverage:
    """What is known of ``days`` for all of ``providers`` together; one query."""
    return joint_coverage(coverage_by_provider(providers, days, today=today, with_prices=with_prices).values())
