"""The write path: windows that are new, windows that have not changed, a small change in a large table.

References, on tables of their own with the same rows: what people write first (update_or_create, bulk_create with
update_conflicts), R (COPY of text and one INSERT … ON CONFLICT into one table, fresh; with a surrogate key, checks and
an index by day), and the product's three tables filled by lean SQL: composite primary keys, no other index, no foreign
key. They stay as they are when the product's tables change, or they would be no measure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from benchmarks.loading import Workspace, World, connect
from benchmarks.measuring import log_position, recorded_statements, rows_scanned, timed
from benchmarks.results import Result
from benchmarks.world import Effort, Row, as_usage, rows_of, today
from costs.fields import ScaledDecimalField
from costs.models import FIGURES, DailyUsage
from costs.usage.writing import Usage, Written, write_usage
from providers.models import Company

MODELS, WINDOW_DAYS = 14, 30
SMALL_CHANGE = 1_500
ONE_BY_ONE = 300  # rows, for what takes milliseconds a row

_KEY = ("project_id", "day", "model")
_COLUMNS = (*_KEY, *FIGURES, "currency", "estimated")
_TYPES = """
    project_id bigint NOT NULL, day date NOT NULL, model varchar(200) NOT NULL, credits bigint, minutes bigint,
    requests bigint, cost bigint, currency varchar(3) NOT NULL, estimated boolean NOT NULL
"""
_SURROGATE = "id bigserial PRIMARY KEY, "
_CHECKS = "".join(f", CHECK ({name} >= 0 OR {name} IS NULL)" for name in FIGURES)
_UPSERT = f"""
    ON CONFLICT (project_id, day, model) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in (*FIGURES, "currency", "estimated"))}
"""


@dataclass(frozen=True)
class Window:
    first: date
    last: date
    rows: Sequence[Row]
    usage: Sequence[Usage]


@dataclass(frozen=True)
class Speed:
    """Rows a second and bytes of write-ahead log (None on SQLite)."""

    rows_per_second: float
    wal_bytes: int | None


def measure(world: World, effort: Effort) -> Iterator[Result]:
    """Adds a workspace of its own to what is stored, and leaves it there."""
    workspace = connect("Writing", effort.written_keys, Company.objects.order_by("pk"))
    windows = _windows(workspace, effort.written_windows)
    rows = sum(len(window.rows) for window in windows)
    fresh = _speed(windows, lambda window: _write(workspace, window))
    unchanged = _speed(windows, lambda window: _write(workspace, window))
    references = _references(windows)
    yield _result("fresh", fresh, references, rows)
    yield _result("nothing changed", unchanged, references, rows)
    for name, speed in references.items():
        yield _result(f"reference: {name}", speed, {}, rows)
    yield _small_change(world, references)


def _result(name: str, speed: Speed, references: dict[str, Speed], rows: int) -> Result:
    ratios = {other: speed.rows_per_second / reference.rows_per_second for other, reference in references.items()}
    wal = {} if speed.wal_bytes is None else {"wal_bytes": speed.wal_bytes}
    return Result("writing", name, speed.rows_per_second, "rows/s", ratios, {"rows": rows, **wal})


def _windows(workspace: Workspace, count: int) -> list[Window]:
    windows = []
    for number in range(count):
        last = today() - timedelta(days=number * WINDOW_DAYS)
        days = [last - timedelta(days=offset) for offset in reversed(range(WINDOW_DAYS))]
        rows = [
            row
            for key, project in enumerate(workspace.projects)
            for row in rows_of(project.pk, 1_000_000 + key, MODELS, days)
        ]
        windows.append(Window(days[0], last, rows, [as_usage(row) for row in rows]))
    return windows


def _write(workspace: Workspace, window: Window) -> Written:
    return write_usage(
        provider=workspace.provider,
        first=window.first,
        last=window.last,
        rows=window.usage,
        read_at=datetime.now(UTC),
    )


def _speed(windows: Sequence[Window], write: Callable[[Window], object]) -> Speed:
    log = log_position()
    with timed() as run:
        for window in windows:
            write(window)
    end = log_position()
    rows = sum(len(window.rows) for window in windows)
    return Speed(rows / run.seconds, None if log is None or end is None else end - log)


def _small_change(world: World, references: dict[str, Speed]) -> Result:
    """Every figure of the last days of a workspace in the loaded table, about 1,500 rows, is another one."""
    size, workspace = world.size, world.workspaces[-1]
    days = [today() - timedelta(days=n) for n in reversed(range(math.ceil(SMALL_CHANGE / size.rows_a_day)))]
    days = days[-size.days :]
    first_number = (size.workspaces - 1) * size.keys
    usage = [
        replace(as_usage(row), requests=row[5] + 1)
        for key, project in enumerate(workspace.projects)
        for row in rows_of(project.pk, first_number + key, size.models, days)
    ]
    with recorded_statements() as statements, timed() as run, transaction.atomic():
        written = write_usage(
            provider=workspace.provider, first=days[0], last=days[-1], rows=usage, read_at=datetime.now(UTC)
        )
        scanned = rows_scanned()
    if (written.inserted, written.changed) != (0, len(usage)):
        raise AssertionError(f"The stored rows are not those that were loaded: {written}.")
    slowest = sorted(statements, key=lambda statement: -statement.seconds)[:3]
    result = _result("a small change in the large table", Speed(len(usage) / run.seconds, None), references, len(usage))
    details: dict[str, Any] = {
        "ms": run.seconds * 1000,
        "queries": len(statements),
        "slowest": [{"ms": one.seconds * 1000, "sql": " ".join(one.sql.split())[:300]} for one in slowest],
    }
    if scanned is not None:
        large = {model._meta.db_table for model in apps.get_app_config("costs").get_models()}
        details["rows_scanned"] = sum(rows for table, rows in scanned.items() if table in large)
        details["scanned_by_table"] = scanned
    return replace(result, details={**result.details, **details})


# --- References -------------------------------------------------------------------------------------------------------


def _references(windows: Sequence[Window]) -> dict[str, Speed]:
    found = {
        "update_or_create": _update_or_create(windows),
        "bulk_create": _with_table(
            _ORM_TABLE, lambda: _speed(windows, lambda window: _bulk_create(window.usage)), _SURROGATE
        ),
        "R": _with_table("bench_one", lambda: _speed(windows, _copy_and_upsert), _SURROGATE, checks=_CHECKS),
    }
    if connection.vendor == "postgresql":
        found["lean SQL"] = _with_table(
            "bench_one", lambda: _with_table("bench_two", lambda: _lean(windows), "company_id bigint, ")
        )
    return found


_ORM_TABLE = "bench_orm"


class Stored(models.Model):
    """A table of one's own, as one would first write it; exists only while it is measured."""

    project_id = models.BigIntegerField()
    day = models.DateField()
    model = models.CharField(max_length=200)
    credits = ScaledDecimalField(scale=DailyUsage.CREDITS_SCALE, null=True)
    minutes = ScaledDecimalField(scale=DailyUsage.MINUTES_SCALE, null=True)
    requests = models.BigIntegerField(null=True)
    cost = ScaledDecimalField(scale=DailyUsage.COST_SCALE, null=True)
    currency = models.CharField(max_length=3)
    estimated = models.BooleanField(default=False)

    class Meta:
        app_label = "benchmarks"
        managed = False
        db_table = _ORM_TABLE


def _stored() -> models.QuerySet[Any]:
    return models.QuerySet(Stored)


def _bulk_create(usage: Iterable[Usage]) -> None:
    _stored().bulk_create(
        [Stored(**{name: getattr(row, name) for name in (*_KEY, *FIGURES, "currency")}) for row in usage],
        update_conflicts=True,
        unique_fields=list(_KEY),
        update_fields=[*FIGURES, "currency"],
        batch_size=2000,
    )


def _update_or_create(windows: Sequence[Window]) -> Speed:
    window = windows[0]
    few = replace(window, rows=window.rows[:ONE_BY_ONE], usage=window.usage[:ONE_BY_ONE])

    def write(window: Window) -> None:
        for row in window.usage:
            _stored().update_or_create(
                **{name: getattr(row, name) for name in _KEY},
                defaults={name: getattr(row, name) for name in (*FIGURES, "currency")},
            )

    return _with_table(_ORM_TABLE, lambda: _speed([few], write), _SURROGATE)


def _with_table(table: str, work: Callable[[], Speed], more: str = "", *, checks: str = "") -> Speed:
    """Carry ``work`` out while there is ``table``: the columns of a stored row, unique by project, day, model."""
    key = "UNIQUE" if "PRIMARY" in more else "PRIMARY KEY"
    if connection.vendor == "sqlite":
        more = more.replace("bigserial", "integer")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} ({more}{_TYPES}, {key} (project_id, day, model){checks})")
        if checks:
            cursor.execute(f"CREATE INDEX {table}_day ON {table} (day, project_id)")
    try:
        return work()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {table}")


@transaction.atomic
def _copy_and_upsert(window: Window) -> None:
    with connection.cursor() as cursor:
        _stage(cursor, window)
        cursor.execute(f"""
            INSERT INTO bench_one ({", ".join(_COLUMNS)})
            SELECT {", ".join(_COLUMNS)} FROM bench_staged WHERE TRUE ORDER BY project_id, day, model {_UPSERT}
        """)
        cursor.execute("DROP TABLE bench_staged")


def _lean(windows: Sequence[Window]) -> Speed:
    with connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE TABLE bench_sums (provider_id bigint NOT NULL, company_id bigint, {_TYPES.partition(",")[2]},
                UNIQUE NULLS NOT DISTINCT (provider_id, day, company_id, model, currency))
        """)
        cursor.execute("CREATE TEMPORARY TABLE bench_payers AS " + _PAYERS)
        cursor.execute("CREATE UNIQUE INDEX ON bench_payers (project_id)")
        cursor.execute("ANALYZE bench_payers")
    try:
        return _speed(windows, _fill_three)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_sums, bench_payers")


_PAYERS = """
    SELECT project.id AS project_id, project.provider_id, share.company_id
    FROM providers_project AS project
    LEFT JOIN providers_assignment AS period ON period.project_id = project.id
    LEFT JOIN providers_assignmentshare AS share ON share.assignment_id = period.id
"""


@transaction.atomic
def _fill_three(window: Window) -> None:
    with connection.cursor() as cursor:
        _stage(cursor, window)
        cursor.execute(f"""
            INSERT INTO bench_one ({", ".join(_COLUMNS)})
            SELECT {", ".join(_COLUMNS)} FROM bench_staged ORDER BY project_id, day, model {_UPSERT}
        """)
        cursor.execute(f"""
            INSERT INTO bench_two (company_id, {", ".join(_COLUMNS)})
            SELECT payer.company_id, {", ".join(f"staged.{name}" for name in _COLUMNS)}
            FROM bench_staged AS staged JOIN bench_payers AS payer ON payer.project_id = staged.project_id
            ORDER BY staged.project_id, day, model
        """)
        cursor.execute(f"""
            INSERT INTO bench_sums (provider_id, company_id, {", ".join(_COLUMNS[1:])})
            SELECT payer.provider_id, payer.company_id, day, model, {", ".join(f"SUM({name})" for name in FIGURES)},
                currency, FALSE
            FROM bench_staged AS staged JOIN bench_payers AS payer ON payer.project_id = staged.project_id
            GROUP BY payer.provider_id, payer.company_id, day, model, currency
        """)
        cursor.execute("DROP TABLE bench_staged")


def _stage(cursor: Any, window: Window) -> None:
    """The window's rows as they are in a temporary table, by the fastest way that the engine has."""
    cursor.execute(f"CREATE TEMPORARY TABLE bench_staged ({_TYPES})")
    if connection.vendor == "postgresql":
        text = "".join("\t".join("\\N" if cell is None else str(cell) for cell in row) + "\tf\n" for row in window.rows)
        with cursor.copy(f"COPY bench_staged ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
            copy.write(text)
    else:
        marks = ", ".join(["%s"] * len(_COLUMNS))
        cursor.executemany(
            f"INSERT INTO bench_staged ({', '.join(_COLUMNS)}) VALUES ({marks})",
            [(row[0], row[1].isoformat(), *row[2:], False) for row in window.rows],
        )
