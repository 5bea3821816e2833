"""What the tables of usage take, with their indexes, per stored row.

Reference: the same columns once, in one table with its key as the primary key.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import connection

from benchmarks.results import Result
from costs.models import FIGURES, DailyUsage

SAMPLE_ROWS = 100_000

_INDEXES = "SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes WHERE relname = %s"


def measure() -> Iterator[Result]:
    if connection.vendor != "postgresql":
        return
    rows = DailyUsage.objects.count()
    reference = _lean_bytes_per_row()
    total = 0
    with connection.cursor() as cursor:
        for model in apps.get_app_config("costs").get_models():
            if not model._meta.managed:
                continue  # a view
            table = model._meta.db_table
            cursor.execute("SELECT pg_table_size(%s), pg_total_relation_size(%s)", (table, table))
            heap, whole = cursor.fetchone()
            if not model._default_manager.exists():
                continue
            cursor.execute(_INDEXES, (table,))
            parts = {"table alone": heap, **dict(cursor.fetchall())}
            total += whole
            for name, size in {"": whole, **{f", {part}": size for part, size in parts.items()}}.items():
                yield _result(f"{table}{name}", size, rows, reference)
    yield _result("all of it", total, rows, reference)


def _result(name: str, size: int, rows: int, reference: float) -> Result:
    per_row = size / rows
    return Result("storage", name, per_row, "bytes a row", {"lean": per_row / reference}, {"bytes": size})


def _lean_bytes_per_row() -> float:
    columns = ", ".join(("project_id", "day", "model", *FIGURES, "currency", "estimated"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE TABLE bench_lean AS SELECT {columns} FROM {DailyUsage._meta.db_table}
            ORDER BY project_id, day, model LIMIT {SAMPLE_ROWS}
            """
        )
        cursor.execute("ALTER TABLE bench_lean ADD PRIMARY KEY (project_id, day, model)")
        cursor.execute("SELECT pg_total_relation_size('bench_lean')::float / count(*) FROM bench_lean")
        (size,) = cursor.fetchone()
        cursor.execute("DROP TABLE bench_lean")
    return float(size)
