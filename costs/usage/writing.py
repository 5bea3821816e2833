"""The one write path for usage: what a sync has read, and estimates that follow a new rate.

The rows go into a temporary table, and one statement brings the stored rows in line with them: it inserts what is new
and updates only what differs, so that reading the same figures again writes nothing. The same SQL runs on
PostgreSQL and SQLite; it is put together from the constants below and nothing else. Rows are written in key order:
unordered writers of one table can deadlock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache, partial
from typing import Any

from django.db import connection, transaction

from core import amounts
from core.amounts import DEFAULT_CURRENCY
from core.database import Statement, carry_out, emptied, planned
from core.days import DateRange, as_date
from core.sums import join_halves, sum_halves
from costs.fields import to_scaled_column
from costs.models import FIGURES, DailyUsage, ReadDay, Restatement, is_unknown, is_used
from costs.models.usage import settles
from costs.usage.attribution import PAYERS, attribute_staged, first_uses, locked, stage_payers
from costs.usage.coverage import record_reading
from providers.models import Project, Provider, SyncRun

# Figures older than this no longer change much: an answer that takes most of them away is held for a person.
IMPLAUSIBLE_AFTER = timedelta(days=3)

# What writing asks of a provider: a wide row.
SETTINGS_OF_WRITING = ("credit_rate", "credit_rate_currency", "currency", "keyless_sharing")


@dataclass(frozen=True)
class Usage:
    """A row to store: amounts exact at the scales of DailyUsage, unknown is None.

    Where all of them are unknown something was used that has no price yet.
    """

    project_id: int
    day: date  # UTC
    model: str
    credits: Decimal | None
    minutes: Decimal | None
    requests: int | None
    cost: Decimal | None
    currency: str
    allocated: bool = False  # its figures are a share of what was reported for several together


@dataclass(frozen=True)
class Written:
    """What a write did, in rows; rows that had to become zero count as changed."""

    inserted: int
    changed: int
    unchanged: int


class ImplausibleAnswerError(Exception):
    """The answer would remove most of the stored usage and was not applied; the message is shown to people."""


@transaction.atomic
def write_usage(
    *,
    provider: Provider,
    first: date,
    last: date,
    rows: Sequence[Usage],
    read_at: datetime,
    run: SyncRun | None = None,
    accept_implausible: bool = False,
) -> Written:
    """Make the stored usage of ``provider`` from ``first`` to ``last`` (UTC days, inclusive) equal to ``rows``.

    ``rows`` is all that a whole answer for these days holds, one per project, day and model, none of it empty. A stored
    row that it leaves out becomes zero. The days count as read at ``read_at``, the moment (UTC) of the request.
    Where the provider has a credit rate, a cost that is unknown is estimated from the credits, unless the costs of the
    answer would then add up to more than can be stored. A change of a day that had settled is kept in the restatement
    log, with ``run``. What is written is attributed to its companies.
    Raises ImplausibleAnswerError unless ``accept_implausible``, and TotalTooLargeError; then nothing is written.
    """
    (held,) = locked([provider.pk])
    return write_usage_of_held(
        held=held,
        first=first,
        last=last,
        rows=rows,
        read_at=read_at,
        run=run,
        accept_implausible=accept_implausible,
    )


def write_usage_of_held(
    *,
    held: Provider,
    first: date,
    last: date,
    rows: Sequence[Usage],
    read_at: datetime,
    run: SyncRun | None = None,
    accept_implausible: bool = False,
) -> Written:
    """As write_usage, of a provider that the caller's transaction has locked, and read as ``held`` since.

    Where it raises, that transaction must not be committed.
    """
    with connection.cursor() as cursor:
        _begin_staging()
        _stage(cursor, rows, held if _is_estimable(rows, held) else None)
        written, since = _compare(cursor, held, first, last, staged=len(rows))
        if written.inserted or written.changed:
            if written.changed and not accept_implausible:
                _refuse_implausible(cursor, rows, since=since, today=read_at.date())
            if settles(since) <= read_at:
                _log_restatements(cursor, held, first, last, read_at, run)
            _write_staged(cursor, held, read_at, written)
    record_reading(held, DateRange(first, last), read_at)
    return written


@transaction.atomic
def rewrite_estimates(*, provider: Provider, now: datetime) -> int:
    """Make the stored estimates of ``provider`` what its credit rate makes them, and unknown where it has none.

    Nothing else of a row changes, and no day counts as read. The caller has made sure that what the rate makes of the
    usage can be stored. What is written is attributed to its companies. Returns how many rows have changed.
    """
    (held,) = locked([provider.pk])
    with connection.cursor() as cursor:
        _begin_staging()
        last, staged = (0, date.min, ""), 0
        # Piece by piece in the order of their keys: no cursor can stay open beside a COPY.
        estimable = DailyUsage.objects.for_provider(held).estimable().order_by("project_id", "day", "model")
        while stored := list(estimable.filter(pk__gt=last)[:_CHUNK]):
            last, staged = stored[-1].pk, staged + len(stored)
            _stage(cursor, [_without_cost(row) for row in stored], held)
        written, _since, _used = _count(cursor, staged)
        if written.changed:
            _write_staged(cursor, held, now, written)
    return written.changed


_CHUNK = 5000
# As many rows as an hour brings. Of so few PostgreSQL makes the same plan however many there are.
_FEW = 500
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_STAGING = "staged_usage"
_USAGE = DailyUsage._meta.db_table
_FACTS = (*FIGURES, "currency", "estimated", "allocated")
_ALL = ("project_id", "day", "model", *_FACTS)
_DIFFERS = " OR ".join(f"staged.{name} IS DISTINCT FROM stored.{name}" for name in _FACTS)
_JOIN = f"""
    {_STAGING} AS staged LEFT JOIN {_USAGE} AS stored
    ON stored.project_id = staged.project_id AND stored.day = staged.day AND stored.model = staged.model
"""
_COUNT = f"""
    SELECT COUNT(*), COUNT(stored.day), COUNT(CASE WHEN stored.day IS NOT NULL AND ({_DIFFERS}) THEN 1 END),
        MIN(CASE WHEN stored.day IS NULL OR {_DIFFERS} THEN staged.day END),
        COUNT(CASE WHEN stored.day IS NOT NULL AND {is_used("stored")} THEN 1 END)
    FROM {_JOIN}
"""
# By the key, whoever else used something on these days: PostgreSQL would read the rows of all for a join.
_OF_WINDOW = f"""
    {_USAGE} AS stored
    WHERE stored.project_id {{own}} AND stored.day BETWEEN %(first)s AND %(last)s
"""
_OWN = f"(SELECT id FROM {Project._meta.db_table} WHERE provider_id = %(provider)s)"
_COUNT_STORED = f"SELECT COUNT(*), COUNT(CASE WHEN {is_used('stored')} THEN 1 END) FROM {_OF_WINDOW}"
# From here on only what is new or differs is staged.
_KEEP_DIFFERING = f"""
    DELETE FROM {_STAGING} WHERE EXISTS (
        SELECT 1 FROM {_USAGE} AS stored
        WHERE stored.project_id = {_STAGING}.project_id AND stored.day = {_STAGING}.day
        AND stored.model = {_STAGING}.model AND NOT ({_DIFFERS.replace("staged.", f"{_STAGING}.")})
    )
"""
_INSERT = f"""
    INSERT INTO {_USAGE} ({", ".join(_ALL)}, company_id, split, updated_at)
    SELECT {", ".join(f"staged.{name}" for name in _ALL)}, payer.company_id, payer.split, %s
    FROM {_STAGING} AS staged JOIN {PAYERS} AS payer
        ON payer.project_id = staged.project_id AND payer.starts_on <= staged.day
        AND (payer.ends_on IS NULL OR staged.day <= payer.ends_on)
    WHERE TRUE
    ORDER BY staged.project_id, staged.day, staged.model
"""
# A row that is stored has its payers already.
_OR_UPDATE = f"""
    ON CONFLICT (project_id, day, model) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in (*_FACTS, "updated_at"))}
"""
_STAGE_ZEROS = f"""
    INSERT INTO {_STAGING} ({", ".join(_ALL)})
    SELECT stored.project_id, stored.day, stored.model,
        CASE WHEN stored.credits IS NOT NULL THEN 0 END, CASE WHEN stored.minutes IS NOT NULL THEN 0 END,
        CASE WHEN stored.requests IS NOT NULL THEN 0 END,
        CASE WHEN stored.cost IS NOT NULL OR {is_unknown("stored")} THEN 0 END,
        CASE WHEN {is_unknown("stored")} THEN %(currency)s ELSE stored.currency END, stored.estimated, stored.allocated
    FROM {_OF_WINDOW}
    AND {is_used("stored")}
    AND NOT EXISTS (
        SELECT 1 FROM {_STAGING} AS staged
        WHERE staged.project_id = stored.project_id AND staged.day = stored.day AND staged.model = stored.model
    )
"""
_LOG = f"""
    INSERT INTO {Restatement._meta.db_table} (
        project_id, day, model, run_id, restated_at, currency_before, currency_after,
        {", ".join(f"{name}_before, {name}_after" for name in FIGURES)}
    )
    SELECT staged.project_id, staged.day, staged.model, CAST(%(run)s AS bigint), %(restated_at)s,
        COALESCE(stored.currency, ''), staged.currency,
        {", ".join(f"stored.{name}, staged.{name}" for name in FIGURES)}
    FROM {_JOIN}
    WHERE (stored.day IS NULL OR {_DIFFERS})
"""
# Agents and people have parts of what was used with a key or without one: how it is divided may change without
# anything having been used otherwise.
_IS_PART = "project.kind IN ('{}')".format("', '".join(Project.PARTS))
_WITH_PROJECT = f"{_JOIN} JOIN {Project._meta.db_table} AS project ON project.id = staged.project_id"
# What is stored of the days before the cutoff, and what would remain of it. Usage that loses its price still counts
# as usage; rows, not amounts, are left out of the count where they are divided.
_BEFORE_AND_AFTER = f"""
    SELECT
        COUNT(CASE WHEN {is_used("stored")} AND {{counts}} THEN 1 END),
        COUNT(CASE WHEN {is_used("stored")} AND {{counts}} AND {is_used("staged")} THEN 1 END),
        {sum_halves("stored.credits")}, {sum_halves("staged.credits")},
        {sum_halves(f"CASE WHEN NOT {is_unknown('staged')} THEN stored.cost END")}, {sum_halves("staged.cost")}
    FROM {_WITH_PROJECT}
    LEFT JOIN (
        SELECT DISTINCT staged.day, staged.model FROM {_STAGING} AS staged
        JOIN {Project._meta.db_table} AS project ON project.id = staged.project_id
        WHERE {_IS_PART} AND {is_used("staged")}
    ) AS divided ON divided.day = staged.day AND divided.model = staged.model
    WHERE staged.day < %(cutoff)s
""".format(counts=f"divided.day IS NULL AND NOT {_IS_PART}")
# The sums of each day and model of which agents or people have parts, before and after, and how many are unknown.
_TOTALS_OF_DIVIDED = f"""
    SELECT staged.day, staged.model, {
    ", ".join(
        f"{sum_halves(f'stored.{name}')}, {sum_halves(f'staged.{name}')}, "
        f"MAX(CASE WHEN stored.day IS NOT NULL AND {is_used('stored')} AND stored.{name} IS NULL THEN 1 ELSE 0 END), "
        f"MAX(CASE WHEN {is_used('staged')} AND staged.{name} IS NULL THEN 1 ELSE 0 END)"
        for name in FIGURES
    )
}
    FROM {_WITH_PROJECT}
    WHERE staged.day IN ({{days}})
    GROUP BY staged.day, staged.model
    HAVING COUNT(CASE WHEN {_IS_PART} THEN 1 END) > 0
"""
_REFRESH_DAYS_OF_USE = f"""
    UPDATE {Project._meta.db_table} SET
        first_used_on = (SELECT MIN(day) FROM {_USAGE} AS usage WHERE usage.project_id = {Project._meta.db_table}.id
            AND {is_used("usage")}),
        last_used_on = (SELECT MAX(day) FROM {_USAGE} AS usage WHERE usage.project_id = {Project._meta.db_table}.id
            AND {is_used("usage")})
    WHERE id {{staged}}
"""


def _begin_staging() -> None:
    """Begin with an empty staging table, and with plans that suit it until the transaction ends."""
    columns = """
        project_id bigint, day date, model varchar(200), credits bigint, minutes bigint, requests bigint,
        cost bigint, currency varchar(3), estimated boolean, allocated boolean
    """
    # A few rows against a large table: the planner would hash the whole table instead of using its index.
    # With less memory the rows of a window would be put in order on disk.
    settings = {"enable_hashjoin": "off", "enable_mergejoin": "off", "work_mem": "'64MB'"}
    is_planned = connection.vendor == "postgresql"
    carry_out(
        [
            *emptied(_STAGING, columns),
            *((f"SET LOCAL {name} = {value}", ()) for name, value in settings.items() if is_planned),
        ]
    )


def _stage(cursor: Any, rows: Sequence[Usage], rated: Provider | None) -> None:
    """Put ``rows`` into the temporary table, with estimates at the rate of ``rated`` where their cost is unknown."""
    pieces = (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))
    if connection.vendor == "postgresql":
        copying = cursor.copy(f"COPY {_STAGING} ({', '.join(_ALL)}) FROM STDIN")
        with connection.wrap_database_errors, copying as copy:  # psycopg's own method raises psycopg's own errors
            for piece in pieces:  # so that the server reads one while the next is made
                columns = _columns(piece, rated, cell=str, unknown=r"\N", text=_escaped)
                copy.write("\n".join(map("\t".join, zip(*columns, strict=True))) + "\n")
    else:
        marks = ", ".join(["%s"] * len(_ALL))
        for piece in pieces:
            values = zip(*_columns(piece, rated, cell=int, unknown=None, text=str), strict=True)
            cursor.executemany(f"INSERT INTO {_STAGING} ({', '.join(_ALL)}) VALUES ({marks})", values)


def _columns(
    rows: Sequence[Usage],
    rated: Provider | None,
    *,
    cell: Callable[[Any], Any],
    unknown: str | None,
    text: Callable[[str], str],
) -> Iterator[Sequence[Any]]:
    """The columns _ALL of ``rows``, in the form that an engine takes them: a million rows are many calls less."""
    text, number, day_as_text = cache(text), cache(cell), cache(date.isoformat)
    costs, currencies = [row.cost for row in rows], [row.currency for row in rows]
    estimated = [False] * len(rows)
    if rated and rated.credit_rate is not None:
        for place, row in enumerate(rows):
            if row.cost is None and row.credits is not None:
                costs[place] = estimated_cost(row.credits, rated.credit_rate)
                currencies[place], estimated[place] = rated.credit_rate_currency, True
    figures = partial(to_scaled_column, cell=cell, unknown=unknown)
    yield [number(row.project_id) for row in rows]
    yield [day_as_text(row.day) for row in rows]
    yield [text(row.model) for row in rows]
    yield figures((row.credits for row in rows), DailyUsage.CREDITS_SCALE)
    yield figures((row.minutes for row in rows), DailyUsage.MINUTES_SCALE)
    yield [unknown if row.requests is None else cell(row.requests) for row in rows]
    yield figures(costs, DailyUsage.COST_SCALE)
    yield list(map(text, currencies))
    yield [cell(each) for each in estimated]
    yield [cell(row.allocated) for row in rows]


def _escaped(text: str) -> str:
    """As a cell of COPY, in which a backslash begins an escape and tabs and line ends have a meaning."""
    return text.translate(_ESCAPES)


def _write_staged(cursor: Any, provider: Provider, at: datetime, written: Written) -> None:
    """Bring the stored rows in line with the staged ones, and attribute what has changed; ``provider`` is locked."""
    staged = written.inserted + written.changed + written.unchanged
    if written.unchanged:
        cursor.execute(*_suited(_KEEP_DIFFERING, (), rows=staged))
    cursor.execute(f"SELECT DISTINCT project_id, day FROM {_STAGING}")
    changed = cursor.fetchall()
    periods = stage_payers({project_id for project_id, _day in changed})
    used_before = first_uses(provider)
    # A few payers for many rows: from here on nothing that was staged is looked up in the large table.
    hashing = [("SET LOCAL enable_hashjoin = on", ())] if connection.vendor == "postgresql" else []
    # Whether a row is stored is asked once more for each of them, which new windows are spared.
    storing = f"{_INSERT} {_OR_UPDATE}" if written.changed else _INSERT
    updated_at = connection.ops.adapt_datetimefield_value(at)
    refreshing = _REFRESH_DAYS_OF_USE.format(staged=_among(f"(SELECT project_id FROM {_STAGING})"))
    statements: list[tuple[str, Sequence[Any]]] = [(storing, (updated_at,)), (refreshing, ())]
    carry_out([*hashing, *(_suited(*each, rows=staged) for each in statements)])
    days = {as_date(day) for _project_id, day in changed}
    attribute_staged(provider=provider, periods=periods, days=days, used_before=used_before)


def _without_cost(row: DailyUsage) -> Usage:
    """A stored row without its estimated cost, in the form in which a reader returns it."""
    return Usage(row.project_id, row.day, row.model, row.credits, row.minutes, row.requests, None, "", row.allocated)


def _is_estimable(rows: Sequence[Usage], provider: Provider) -> bool:
    """Whether what ``rows`` would cost, estimates included, can be stored and added up: a rate may be absurd."""
    if provider.credit_rate is None:
        return False
    credits_used = sum((row.credits for row in rows if row.cost is None and row.credits), Decimal(0))
    reported = sum((row.cost for row in rows if row.cost is not None), Decimal(0))
    return reported + estimated_cost(credits_used, provider.credit_rate) <= amounts.COST.largest


def estimated_cost(credits_used: Decimal, rate: Decimal) -> Decimal:
    """What ``credits_used`` cost at ``rate`` per 1,000 credits, rounded half-even to the digits that are stored."""
    return (credits_used * rate / 1000).quantize(Decimal(1).scaleb(-DailyUsage.COST_SCALE), ROUND_HALF_EVEN)


def _log_restatements(
    cursor: Any, provider: Provider, first: date, last: date, read_at: datetime, run: SyncRun | None
) -> None:
    """Log the figures of settled days before and after the change; called before they are overwritten.

    What only moved between keys, agents and people is no restatement: of its day and model the same was used.
    """
    settled = [
        reading.day for reading in ReadDay.objects.for_provider(provider).between(first, last) if reading.is_settled
    ]
    if not settled:
        return
    days = {f"day{number}": connection.ops.adapt_datefield_value(day) for number, day in enumerate(settled)}
    named_days = ", ".join(f"%({name})s" for name in days)
    cursor.execute(_TOTALS_OF_DIVIDED.format(days=named_days), days)
    moved = {
        f"{what}{number}": value
        for number, (day, model, *sums) in enumerate(cursor.fetchall())
        if _are_same(sums)
        for what, value in (("moved_day", day), ("moved_model", model))
    }
    pairs = ", ".join(f"(%(moved_day{name[11:]})s, %({name})s)" for name in moved if name.startswith("moved_model"))
    except_moved = f"AND (staged.day, staged.model) NOT IN (VALUES {pairs})" if pairs else ""
    cursor.execute(
        f"{_LOG} AND staged.day IN ({named_days}) {except_moved}",
        {
            "restated_at": connection.ops.adapt_datetimefield_value(read_at),
            "run": run.pk if run else None,
            **days,
            **moved,
        },
    )


def _are_same(sums: Sequence[Any]) -> bool:
    """Whether a row of _TOTALS_OF_DIVIDED has the same before and after: of each figure three pairs."""
    for start in range(0, len(sums), 6):
        before, after = join_halves(*sums[start : start + 2]), join_halves(*sums[start + 2 : start + 4])
        lacked, lacks = sums[start + 4 : start + 6]
        if (before or 0) != (after or 0) or lacked != lacks:
            return False
    return True


def _compare(cursor: Any, provider: Provider, first: date, last: date, *, staged: int) -> tuple[Written, date]:
    """What writing the staged rows would do, and from which day on; what they leave out of it is staged as zero.

    Costs what there is to compare: nothing in days of which nothing is stored.
    """
    adapt = connection.ops.adapt_datefield_value
    window = {"provider": provider.pk, "first": adapt(first), "last": adapt(last)}
    own = _among(_OWN)
    cursor.execute(_COUNT_STORED.format(own=own), window)
    stored, used = cursor.fetchone()
    if not stored:
        return Written(inserted=staged, changed=0, unchanged=0), first
    written, since, used_again = _count(cursor, staged)
    if used > used_again:
        # Once the rows are in, which is faster.
        cursor.execute(f"CREATE UNIQUE INDEX {_STAGING}_key ON {_STAGING} (project_id, day, model)")
        # A row of which nothing was known has cost nothing: that zero needs a currency. What was unknown stays so.
        cursor.execute(_STAGE_ZEROS.format(own=own), {**window, "currency": provider.currency or DEFAULT_CURRENCY})
        written, since, _used = _count(cursor, staged)
        cursor.execute(f"DROP INDEX {_STAGING}_key")
    return written, since or last


def _among(selected: str) -> str:
    """SQL for being one of ``selected``: of PostgreSQL as a list, or it would read a whole table beside it."""
    return f"= ANY(ARRAY{selected})" if connection.vendor == "postgresql" else f"IN {selected}"


def _suited(statement: str, params: Sequence[Any], *, rows: int) -> Statement:
    """A statement that reads some staged ``rows`` and what is stored of them."""
    return planned(statement, params) if rows <= _FEW else (statement, params)


def _count(cursor: Any, rows: int) -> tuple[Written, date | None, int]:
    """What writing the staged ``rows`` would do, from which day on, and how many of them are stored as used."""
    cursor.execute(*_suited(_COUNT, (), rows=rows))
    staged, known, differing, since, used = cursor.fetchone()
    written = Written(inserted=staged - known, changed=differing, unchanged=known - differing)
    return written, as_date(since) if since else None, used


def _refuse_implausible(cursor: Any, rows: Sequence[Usage], *, since: date, today: date) -> None:
    """``since`` is the first day of which anything would change."""
    cutoff = today - IMPLAUSIBLE_AFTER
    if not rows:
        # With nothing in the answer, all that is staged are the rows that would become zero.
        cursor.execute(f"SELECT COUNT(*) FROM {_STAGING}")
        (standing,) = cursor.fetchone()
        if standing:
            raise ImplausibleAnswerError(
                f"The answer is empty, but {standing} rows of usage stand in these days. They were kept."
            )
        return
    if since >= cutoff:
        return
    cursor.execute(_BEFORE_AND_AFTER, {"cutoff": connection.ops.adapt_datefield_value(cutoff)})
    rows_before, rows_after, *halves = cursor.fetchone()
    credits_before, credits_after, cost_before, cost_after = map(join_halves, halves[::2], halves[1::2])
    for what, before, after in (
        ("rows", rows_before, rows_after),
        ("credits", credits_before, credits_after),
        ("cost", cost_before, cost_after),
    ):
        if before and (after or 0) * 2 < before:
            raise ImplausibleAnswerError(
                f"The answer would remove more than half of the {what} of days that are over three days old. "
                "What stands was kept."
            )
