"""Keeps the sums that pages add up. The only writer of CompanySum, ModelSum, KeySum and ChangedSpan.

Sums are made anew from what they are of, for exactly the days that have changed and the weeks and months around them:
days from the attributed usage, weeks and months from the days – those of keys from the usage itself. All of it happens
in the transaction that changes usage or attribution, under the lock on its provider. Nothing is ever added to a sum, so
that none can drift.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Max, Min

from core.database import Statement, all_planned, carry_out
from core.days import DateRange
from core.months import days_of, first_of, months_between
from core.prepared import Given, PreparedQuery
from core.sums import storing_sums
from costs.models import (
    COUNTS,
    FIGURES,
    SUMS,
    AttributedUsage,
    ChangedSpan,
    CompanySum,
    KeySum,
    ModelSum,
    Span,
    SpanSum,
    UsageSum,
)
from providers.models import Project

_PROJECTS: PreparedQuery[int] = PreparedQuery(
    lambda: (
        Project.objects.filter(provider=Given("provider", BigIntegerField())).order_by().values_list("pk", flat=True)
    )
)
# A row with a larger figure is no part of a common sum but a row beside it: 31 others can't add up to 64 bits.
_LARGE = 2**58
_FEW = 7


def refresh(
    *,
    provider_id: int,
    days: Collection[date],
    projects: Collection[int],
    companies: Collection[int | None] | None = None,
    with_models: bool = True,
) -> None:
    """Make the sums of ``days`` anew, after the usage of the provider's ``projects`` or its attribution has changed.

    Where nothing but the attribution has, ``companies`` are those that gained or lost something (None: nobody), and the
    sums by model stay as they are unless the number of parts has changed. Raises TotalTooLargeError where a sum does
    not fit its column.
    """
    if not days or not projects:
        return
    around = _spans_around(days)
    of_companies = Where.any_of("company_id", companies)
    # By number: SQLite looks for what is joined in every row of a view.
    of_provider = Where.any_of("project_id", _PROJECTS.ask(provider=provider_id))
    changed = [*((Span.DAY.value, day) for day in {*days}), *((each.span.value, each.days.first) for each in around)]
    statements = [*_refreshing(CompanySum, provider_id, days, around, of_companies, of_provider)]
    if with_models:
        statements += _refreshing(ModelSum, provider_id, days, around, Where(), of_provider)
    of_projects = Where.any_of("project_id", projects)
    statements += [
        _deletion(KeySum, provider_id, (), around, of_projects),
        _insertion_of_keys(provider_id, around, of_projects),
    ]
    if companies is None and _are_few(days):
        statements = all_planned(statements)
    with storing_sums():
        carry_out([_marks(changed), *_grouping_in_memory(statements)])


def rebuild(provider_id: int) -> None:
    """Make all sums of a provider anew, a month at a time."""
    mark_changed_of(provider_id)
    for model in SUMS:
        model.objects.filter(provider=provider_id).delete()
    projects = set(Project.objects.filter(provider=provider_id).values_list("pk", flat=True))
    used = AttributedUsage.objects.filter(project__provider=provider_id).aggregate(first=Min("day"), last=Max("day"))
    if used["first"] is not None:
        for month in months_between(first_of(used["first"]), first_of(used["last"]))[::-1]:
            refresh(provider_id=provider_id, days=list(days_of(month)), projects=projects)


def mark_changed(spans: Collection[tuple[int, date]]) -> None:
    """Totals of these spans no longer count, until they are made anew."""
    carry_out([_marks(spans)])


def mark_changed_of(provider_id: int) -> None:
    """The same of all spans of a provider, whose sums are about to go."""
    spans = " UNION ".join(f"SELECT span, day FROM {model._meta.db_table} WHERE provider_id = %s" for model in SUMS)
    carry_out([(f"{_MARK} {spans}", [provider_id] * len(SUMS))])


@dataclass(frozen=True)
class Where:
    """A condition of SQL with its parameters; empty: none."""

    sql: str = ""
    params: tuple[Any, ...] = field(default=())

    @classmethod
    def any_of(cls, column: str, values: Collection[Any] | None) -> Where:
        if values is None:
            return cls()
        known = sorted(value for value in values if value is not None)
        parts = [f"{{table}}.{column} {_in(known)}"] if known else []
        parts += [f"{{table}}.{column} IS NULL"] if None in values else []
        return cls(f" AND ({' OR '.join(parts) or 'FALSE'})", tuple(_listed(known)) if known else ())

    def __add__(self, other: Where) -> Where:
        return Where(self.sql + other.sql, self.params + other.params)

    def on(self, table: str) -> str:
        return self.sql.format(table=table)


def _in(values: Sequence[Any]) -> str:
    """SQL for being one of ``values``, whose parameters _listed() gives; to PostgreSQL it is the same of any number."""
    return "= ANY(%s)" if connection.vendor == "postgresql" else f"IN ({', '.join(['%s'] * len(values))})"


def _listed(values: Sequence[Any]) -> Sequence[Any]:
    return [values] if connection.vendor == "postgresql" else values


# --- The statements ---------------------------------------------------------------------------------------------------

_USAGE = AttributedUsage._meta.db_table
_MARK = f"INSERT INTO {ChangedSpan._meta.db_table} (span, day)"
SUMMED = (*FIGURES, *COUNTS)
_EACH_SUM_OF_USAGE = (
    *(f"SUM(used.{name})" for name in FIGURES),
    *(f"COUNT(CASE WHEN {each.format(table='used')} THEN 1 END)" for each in COUNTS.values()),
)
SUMS_OF_USAGE = ", ".join(f"{each} AS {name}" for each, name in zip(_EACH_SUM_OF_USAGE, SUMMED, strict=True))
SUMS_OF_SUMS = ", ".join(f"SUM(used.{name}) AS {name}" for name in SUMMED)
_IS_LARGE = " OR ".join(f"used.{name} > {_LARGE}" for name in FIGURES)


def columns_of(model: type[SpanSum]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields if field.name in model.DIMENSIONS]


def _insert_into(model: type[UsageSum]) -> str:
    columns = ("provider_id", "span", "day", *columns_of(model), "currency", *SUMMED)
    return f"INSERT INTO {model._meta.db_table} ({', '.join(columns)})"


def _days_of_usage(model: type[UsageSum], days: Where, where: Where) -> str:
    """Selects the sums of days from the usage; parameters: the provider, and those of the conditions."""
    dimensions = ", ".join(f"used.{column}" for column in columns_of(model))
    apart = "used.model" if model is CompanySum else "CAST(used.project_id AS varchar(20))"
    return f"""
        SELECT CAST(%s AS bigint), {Span.DAY.value}, used.day, {dimensions}, used.currency, {SUMS_OF_USAGE}
        FROM {_USAGE} AS used WHERE TRUE{days.on("used")}{where.on("used")}
        GROUP BY used.day, {dimensions}, used.currency, CASE WHEN {_IS_LARGE} THEN {apart} ELSE '' END
    """


def _spans_of_days(model: type[UsageSum], targets: int, where: Where) -> str:
    """Selects the sums of weeks and months from those of days.

    Parameters: targets, the provider twice, the first and the last day of all, and those of the condition.
    """
    dimensions = ", ".join(f"used.{column}" for column in columns_of(model))
    return f"""
        WITH target (span, first, last) AS ({_targets(targets)})
        SELECT CAST(%s AS bigint), target.span, target.first, {dimensions}, used.currency, {SUMS_OF_SUMS}
        FROM target JOIN {model._meta.db_table} AS used
            ON used.provider_id = %s AND used.span = {Span.DAY.value} AND used.day BETWEEN target.first AND target.last
        WHERE used.day BETWEEN %s AND %s{where.on("used")}
        GROUP BY target.span, target.first, {dimensions}, used.currency, CASE WHEN {_IS_LARGE} THEN used.id ELSE 0 END
    """


def _targets(count: int) -> str:
    """Selects the spans that _params() gives."""
    if connection.vendor == "postgresql":
        return "SELECT * FROM UNNEST(CAST(%s AS smallint[]), CAST(%s AS date[]), CAST(%s AS date[]))"
    return f"VALUES {', '.join(['(%s, %s, %s)'] * count)}"


def _spans_of_keys(weeks: Sequence[Any], months: Sequence[Any], where: Where) -> str:
    """Selects the sums of weeks and months by key from the usage, whose rows are read and added up once.

    A piece is of one week and one month: a week that begins in one month and ends in another has two.
    Parameters: the first and the last day of all, those of the condition, then the provider and the first days of the
    weeks, and the same of the months.
    """
    dimensions = ", ".join(f"used.{column}" for column in columns_of(KeySum))
    spans = " UNION ALL ".join(
        f"""
        SELECT CAST(%s AS bigint), {span.value}, used.{begins}, {dimensions}, used.currency, {SUMS_OF_SUMS}
        FROM piece AS used WHERE used.{begins} {_in(firsts)}
        GROUP BY used.{begins}, {dimensions}, used.currency, used.large_of
        """
        for span, begins, firsts in ((Span.WEEK, "week", weeks), (Span.MONTH, "month", months))
    )
    sums = ", ".join(f"CAST({each} AS bigint) AS {name}" for each, name in zip(_EACH_SUM_OF_USAGE, SUMMED, strict=True))
    large_of = f"CASE WHEN {_IS_LARGE} THEN used.day END"
    return f"""
        WITH piece AS (
            SELECT {_week("used.day")} AS week, {_month("used.day")} AS month, {dimensions}, used.currency,
                {large_of} AS large_of, {sums}
            FROM {_USAGE} AS used
            WHERE used.day BETWEEN %s AND %s{where.on("used")}
            GROUP BY {_week("used.day")}, {_month("used.day")}, {dimensions}, used.currency, {large_of}
        )
        {spans}
    """


def _week(day: str) -> str:
    """SQL for the Monday of the week of ``day``."""
    if connection.vendor == "postgresql":
        return f"CAST(date_trunc('week', CAST({day} AS timestamp)) AS date)"
    return f"date({day}, '-6 days', 'weekday 1')"


def _month(day: str) -> str:
    """SQL for the first day of the month of ``day``."""
    if connection.vendor == "postgresql":
        return f"CAST(date_trunc('month', CAST({day} AS timestamp)) AS date)"
    return f"date({day}, 'start of month')"


# --- With their parameters --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Target:
    """A week or a month."""

    span: Span
    days: DateRange


def _spans_around(days: Iterable[date]) -> list[_Target]:
    """The weeks and months that ``days`` lie in."""
    listed = set(days)
    weeks = {day - timedelta(days=day.weekday()) for day in listed}
    months = {first_of(day) for day in listed}
    return [
        *(_Target(Span.WEEK, DateRange(monday, monday + timedelta(days=6))) for monday in sorted(weeks)),
        *(_Target(Span.MONTH, days_of(month)) for month in sorted(months)),
    ]


def _marks(spans: Collection[tuple[int, date]]) -> Statement:
    adapt = connection.ops.adapt_datefield_value
    rows = ", ".join(["(%s, %s)"] * len(spans))
    return f"{_MARK} VALUES {rows}", [value for span, day in spans for value in (span, adapt(day))]


def _refreshing(
    model: type[UsageSum],
    provider_id: int,
    days: Collection[date],
    around: Sequence[_Target],
    where: Where,
    of_provider: Where,
) -> Iterator[Statement]:
    """The sums of ``days`` by a model that has any, and of the weeks and months around them."""
    yield _deletion(model, provider_id, days, around, where)
    of_days, of_usage = _among(days), of_provider + where
    yield (
        _insert_into(model) + _days_of_usage(model, of_days, of_usage),
        (provider_id, *of_days.params, *of_usage.params),
    )
    yield (
        _insert_into(model) + _spans_of_days(model, len(around), where),
        (*_params(around), provider_id, provider_id, *_bounds(around), *where.params),
    )


def _insertion_of_keys(provider_id: int, around: Sequence[_Target], where: Where) -> Statement:
    weeks, months = (_firsts(around, span) for span in (Span.WEEK, Span.MONTH))
    return (
        _insert_into(KeySum) + _spans_of_keys(weeks, months, where),
        (*_bounds(around), *where.params, provider_id, *_listed(weeks), provider_id, *_listed(months)),
    )


def _deletion(
    model: type[UsageSum], provider_id: int, days: Collection[date], around: Sequence[_Target], where: Where
) -> Statement:
    starts = {Span.DAY: _adapted(days)} | {span: _firsts(around, span) for span in (Span.WEEK, Span.MONTH)}
    spans = " OR ".join(f"(used.span = {span.value} AND used.day {_in(starts[span])})" for span in model.SPANS)
    params = chain.from_iterable(_listed(starts[span]) for span in model.SPANS)
    statement = (
        f"DELETE FROM {model._meta.db_table} AS used WHERE used.provider_id = %s AND ({spans}){where.on('used')}"
    )
    return statement, (provider_id, *params, *where.params)


def _among(days: Collection[date]) -> Where:
    """As a range where many days are one: the database then needs no list of them."""
    in_order = _adapted(days)
    if not _are_few(days) and (max(days) - min(days)).days + 1 == len(in_order):
        return Where(" AND {table}.day BETWEEN %s AND %s", (in_order[0], in_order[-1]))
    return Where(f" AND {{table}}.day {_in(in_order)}", tuple(_listed(in_order)))


def _are_few(days: Collection[date]) -> bool:
    """As an hour changes: one plan suits them all, where that of a month's depends on how many there are."""
    return len(days) <= _FEW


def _adapted(days: Collection[date]) -> list[Any]:
    return [connection.ops.adapt_datefield_value(day) for day in sorted({*days})]


def _firsts(around: Iterable[_Target], span: Span) -> list[Any]:
    """The first days of those of ``span``, as parameters."""
    return [connection.ops.adapt_datefield_value(each.days.first) for each in around if each.span is span]


def _bounds(around: Collection[_Target]) -> tuple[Any, Any]:
    """The first and the last day of all."""
    adapt = connection.ops.adapt_datefield_value
    return adapt(min(each.days.first for each in around)), adapt(max(each.days.last for each in around))


def _params(around: Iterable[_Target]) -> Sequence[Any]:
    adapt = connection.ops.adapt_datefield_value
    targets = [(each.span.value, adapt(each.days.first), adapt(each.days.last)) for each in around]
    if connection.vendor == "postgresql":
        return [list(column) for column in zip(*targets, strict=True)]
    return list(chain.from_iterable(targets))


def _grouping_in_memory(statements: Sequence[Statement]) -> Sequence[Statement]:
    """Let PostgreSQL make groups by hashes: it takes rows that were written just now for a few, and would sort them."""
    if connection.vendor != "postgresql":
        return statements
    return [("SET LOCAL enable_sort = off", ()), *statements, ("SET LOCAL enable_sort = on", ())]
