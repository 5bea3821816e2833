"""What a report adds up: some usage, described – and read from whatever holds its sums in the fewest rows.

Whole months and weeks are read as such, the days that are left one by one: from the sums of days, or, of API keys, from
the usage itself. No report asks a table of sums by its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, pairwise
from typing import Any, Final, TypeVar

from django.db.models import BooleanField, CharField, F, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import TruncMonth

from core.days import DateRange
from core.expressions import TableExpression
from core.months import days_of, first_of, following
from costs.models import (
    AttributedUsage,
    AttributedUsageQuerySet,
    ChangedSpan,
    CompanyModelTotal,
    CompanySum,
    CompanyTotal,
    KeySum,
    ModelSum,
    ModelTotal,
    ProviderTotal,
    Span,
    SpanSum,
    SpanSumQuerySet,
    Total,
    UsageSum,
)
from providers.models import Provider

# The smallest first.
_SUMS: Final[tuple[type[UsageSum], ...]] = (CompanySum, ModelSum, KeySum)
# What is read, likewise.
_BY_SIZE: Final[tuple[type[SpanSum], ...]] = (
    ModelTotal,
    CompanyTotal,
    ProviderTotal,
    ModelSum,
    CompanySum,
    CompanyModelTotal,
    KeySum,
)
_LENGTHS: Final = {Span.DAY: timedelta(days=1), Span.WEEK: timedelta(days=7)}

_Rows = TypeVar("_Rows", bound=QuerySet[Any])

# Days as first days of spans, each of which is read as one; None: all that there are.
Division = Mapping[Span, Sequence[date] | None]


@dataclass(frozen=True)
class Usage:
    """Some of the attributed usage; without ``days`` of every day."""

    days: DateRange | None = None
    conditions: tuple[tuple[str, Q], ...] = ()  # with the field that each is about
    markup_percent: Decimal | None = None

    def between(self, first: date, last: date) -> Usage:
        """Of the UTC days ``first`` to ``last``, both inclusive."""
        return replace(self, days=DateRange(first, last))

    def for_provider(self, provider: Provider) -> Usage:
        return self.filter(provider=provider)

    def filter(self, **wanted: Any) -> Usage:
        """Narrowed by company, model, provider or project, as a QuerySet would be."""
        added = tuple((lookup.partition("__")[0], Q(**{lookup: value})) for lookup, value in wanted.items())
        return replace(self, conditions=(*self.conditions, *added))

    def exclude(self, **unwanted: Any) -> Usage:
        added = tuple((lookup.partition("__")[0], ~Q(**{lookup: value})) for lookup, value in unwanted.items())
        return replace(self, conditions=(*self.conditions, *added))

    def where(self, field: str, condition: Q) -> Usage:
        """Narrowed by a condition on ``field``."""
        return replace(self, conditions=(*self.conditions, (field, condition)))

    def with_markup(self, percent: Decimal | None) -> Usage:
        """Sums of cost then hold the mark-up: prices, for readers who may not learn costs."""
        return replace(self, markup_percent=percent)

    def first_day(self) -> date | None:
        """The first day with any usage; one query that an index answers."""
        found = _narrowed(self._sums(()).objects.of_span(Span.DAY), self)
        return found.order_by("day").values_list("day", flat=True).first()

    def rows(self) -> AttributedUsageQuerySet:
        """The usage itself, for what no sum tells."""
        found = _narrowed(AttributedUsage.objects.all(), self)
        return found if self.days is None else found.between(self.days.first, self.days.last)

    def sums_of_days(self, *fields: str) -> SpanSumQuerySet:
        """The sums of days that tell ``fields``, for questions that are not about sums; not narrowed to ``days``."""
        return _narrowed(self._sums(fields).objects.of_span(Span.DAY), self)

    def sums_of_months(self, *fields: str) -> SpanSumQuerySet:
        """The same of months."""
        return _narrowed(self._sums(fields).objects.of_span(Span.MONTH), self)

    def _sums(self, fields: Iterable[str]) -> type[UsageSum]:
        """The smallest table that tells ``fields`` and what this is narrowed by."""
        told = _names(self, fields)
        return next(model for model in _SUMS if told <= _told_by(model))


def sources_of(
    usage: Usage,
    fields: Sequence[str],
    parts: Mapping[str, Division],
    *,
    added: Mapping[str, Combinable] | None = None,
) -> list[QuerySet[Any]]:
    """What holds the sums of ``parts``, with the annotations "part", "month" and ``added`` beside its fields.

    ``parts`` are divisions of days, none of which is in two; ``added`` are expressions of ``fields``. These are at most
    three QuerySets with the same columns; no usage is in two of them.
    """
    sources: list[QuerySet[Any]] = []
    for held in _held(usage, fields):
        rows = held.rows
        if rows.model is AttributedUsage and "provider_id" in fields:
            rows = rows.annotate(provider_id=F("project__provider_id"))
        found = _in_parts(_narrowed(rows, usage), parts, held)
        if found is not None:
            sources.append(found.annotate(month=TruncMonth("day"), **(added or {})))
    return sources


@dataclass(frozen=True)
class _Held:
    """Rows that hold the sums of ``spans``: of all, or of those alone that are marked as changed, or are not."""

    rows: QuerySet[Any]
    spans: Collection[Span]
    marked: bool | None = None

    def spans_of(self, division: Division) -> tuple[_Spans, ...]:
        """Those of ``division`` that these rows can be of."""
        is_told = self.rows.model is not AttributedUsage
        return tuple(
            _Spans(span, None if starts is None else tuple(starts), is_told)
            for span, starts in division.items()
            if span in self.spans and (starts is None or starts)
        )


def _held(usage: Usage, fields: Sequence[str]) -> list[_Held]:
    """The smallest sums that tell ``fields`` and what ``usage`` is narrowed by.

    Where these are totals, what is marked as changed is read from what they are of.
    """
    told = _names(usage, fields)
    smallest = next(model for model in _BY_SIZE if told <= _told_by(model))
    held, marked = list[_Held](), None
    if issubclass(smallest, Total):
        held.append(_Held(smallest.objects.all(), smallest.SPANS, marked=False))
        smallest, marked = smallest.OF, True
    held.append(_Held(smallest.objects.all(), smallest.SPANS, marked))
    if Span.DAY not in smallest.SPANS:
        held.append(_Held(AttributedUsage.objects.annotate(span=Value(Span.DAY.value)), {Span.DAY}, marked))
    return held


def divide(days: Iterable[date]) -> Division:
    """Whole months, whole weeks within other months, and the days that are left."""
    left = set(days)
    found: dict[Span, list[date]] = {span: [] for span in Span}
    for month in sorted({first_of(day) for day in left}):
        of_month = days_of(month)
        if month in left and left.issuperset(of_month):
            found[Span.MONTH].append(month)
            left.difference_update(of_month)
            continue
        monday = month + timedelta(days=-month.weekday() % 7)
        while monday + timedelta(days=6) <= of_month.last:
            week = [monday + timedelta(days=number) for number in range(7)]
            if left.issuperset(week):
                found[Span.WEEK].append(monday)
                left.difference_update(week)
            monday += timedelta(days=7)
    found[Span.DAY] = sorted(left)
    return found


def _told_by(model: type[SpanSum]) -> set[str]:
    return {*model.DIMENSIONS, "currency", *(["provider"] if issubclass(model, UsageSum) else [])}


def _names(usage: Usage, fields: Iterable[str]) -> set[str]:
    """``fields`` and what ``usage`` is narrowed by, by the names that models have for them."""
    return {name.partition("__")[0].removesuffix("_id") for name in (*fields, *(name for name, _q in usage.conditions))}


def _narrowed(rows: _Rows, usage: Usage) -> _Rows:
    for field, condition in usage.conditions:
        if rows.model is AttributedUsage and field == "provider":
            condition = _renamed(condition)
        rows = rows.filter(condition)
    return rows


def _renamed(condition: Q) -> Q:
    """The provider of a row of usage is its project's."""
    children: list[Any] = [
        _renamed(child) if isinstance(child, Q) else (f"project__{child[0]}", child[1])  # type: ignore[index]  # a pair
        for child in condition.children
    ]
    return Q(*children, _connector=condition.connector, _negated=condition.negated)


def _in_parts(rows: QuerySet[Any], parts: Mapping[str, Division], held: _Held) -> QuerySet[Any] | None:
    """Those of ``held`` that are in any of ``parts``, and told in which of them; None where nothing can be."""
    within = {name: found for name, division in parts.items() if (found := held.spans_of(division))}
    if not within:
        return None
    *named, last = within
    label = _Part(tuple((name, within[name]) for name in named), last) if named else Value(last)
    in_any = _IsWithin(tuple(chain.from_iterable(within.values())), marked=held.marked)
    return rows.filter(in_any).order_by().annotate(part=label)  # type: ignore[no-any-return]  # of any model


@dataclass(frozen=True)
class _Spans:
    """Those that begin on ``starts``; None: all. Usage itself has no column ``span``: it is of days."""

    span: Span
    starts: tuple[date, ...] | None
    is_told: bool

    def make_sql(self, table: str, connection: Any) -> tuple[str, list[Any]]:
        of_span = f"{table}.span = {self.span.value}" if self.is_told else "TRUE"
        if self.starts is None:
            return of_span, []
        # As a range where they follow one another: the database then needs no list of them.
        follow = all(_next(self.span, one) == other for one, other in pairwise(self.starts))
        days = (self.starts[0], self.starts[-1]) if follow else self.starts
        marks = "BETWEEN %s AND %s" if follow else f"IN ({', '.join(['%s'] * len(days))})"
        return f"{of_span} AND {table}.day {marks}", [connection.ops.adapt_datefield_value(day) for day in days]


class _IsWithin(TableExpression):
    """Whether a row is of any of ``spans`` – where ``marked``, of one that is marked as changed, or is not."""

    def __init__(self, spans: tuple[_Spans, ...], *, marked: bool | None) -> None:
        super().__init__("day", spans, marked, output_field=BooleanField())
        self._spans, self._marked = spans, marked

    def make_sql(self, table: str, connection: Any) -> tuple[str, Sequence[Any]]:
        conditions, params = list[str](), list[Any]()
        for spans in self._spans:
            condition, days = spans.make_sql(table, connection)
            conditions.append(f"({condition}{self._of_marks(spans.span, table, connection)})")
            params += days
        return f"({' OR '.join(conditions)})", params

    def _of_marks(self, span: Span, table: str, connection: Any) -> str:
        """The marks as a list that is made once: either engine then finds the few marked days by index."""
        if self._marked is None:
            return ""
        marks = f"SELECT DISTINCT day FROM {ChangedSpan._meta.db_table} WHERE span = {span.value}"
        is_marked = f"= ANY(ARRAY({marks}))" if connection.vendor == "postgresql" else f"IN ({marks})"
        return f" AND {'' if self._marked else 'NOT '}({table}.day {is_marked})"


class _Part(TableExpression):
    """The name of the first of the ``named`` spans that a row is of, or the ``last`` name."""

    def __init__(self, named: tuple[tuple[str, tuple[_Spans, ...]], ...], last: str) -> None:
        super().__init__("day", named, last, output_field=CharField())
        self._named, self._last = named, last

    def make_sql(self, table: str, connection: Any) -> tuple[str, Sequence[Any]]:
        cases, params = list[str](), list[Any]()
        for name, spans in self._named:
            condition, days = _IsWithin(spans, marked=None).make_sql(table, connection)
            cases.append(f"WHEN {condition} THEN %s")
            params += [*days, name]
        return f"CASE {' '.join(cases)} ELSE %s END", [*params, self._last]


def _next(span: Span, start: date) -> date:
    return following(start) if span is Span.MONTH else start + _LENGTHS[span]
