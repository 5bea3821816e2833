"""Usage as CSV and as FOCUS, by the command that writes them, each in a process of its own.

Reference: the same rows as text from the database itself – COPY on PostgreSQL, a plain cursor and csv.writer on SQLite.
"""

from __future__ import annotations

import csv
import math
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from io import StringIO, TextIOWrapper
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from benchmarks.loading import World
from benchmarks.measuring import in_child, timed
from benchmarks.results import Result
from benchmarks.world import Effort, today
from costs.models import AttributedUsage
from providers.models import Company, Project, Provider

_ROWS = f"""
    SELECT used.day, provider.name, project.external_id, project.name, company.name, used.model, used.credits,
        used.minutes, used.requests, used.cost, used.currency, used.estimated
    FROM {AttributedUsage._meta.db_table} AS used
    JOIN {Project._meta.db_table} AS project ON project.id = used.project_id
    JOIN {Provider._meta.db_table} AS provider ON provider.id = project.provider_id
    LEFT JOIN {Company._meta.db_table} AS company ON company.id = used.company_id
    WHERE used.day >= '%s' AND used.day < '%s' ORDER BY used.day, provider.name, project.external_id, used.model
"""


def measure(world: World, effort: Effort) -> Iterator[Result]:
    """Of as many of the loaded days as make up the rows to export, from yesterday back: today has no prices yet."""
    size = world.size
    days = min(size.days - 1, math.ceil(effort.exported_rows / (size.workspaces * size.rows_a_day)))
    first, end = today() - timedelta(days=days), today()
    rows = AttributedUsage.objects.filter(day__gte=first, day__lt=end).count()
    name = "COPY" if connection.vendor == "postgresql" else "csv.writer"
    with tempfile.TemporaryDirectory(prefix="administrate-bench-") as folder:
        target = Path(folder) / "export.csv"
        reference = rows / in_child(lambda: _write_plainly(target, first, end)).value
        yield Result("exports", f"reference: {name}", reference, "rows/s", {}, {"rows": rows})
        for format_, words in (("csv", "usage CSV"), ("focus", "FOCUS")):
            done = in_child(partial(_export, target, first, end, format_))
            speed = rows / done.value
            details = {"rows": rows, "peak_mb": done.peak_mb}
            yield Result("exports", words, speed, "rows/s", {name: speed / reference}, details)


def _export(target: Path, first: date, end: date, format_: str) -> float:
    words = (f"--from={first}", f"--to={end - timedelta(days=1)}", f"--format={format_}", f"--output={target}")
    with timed() as run:
        call_command("export_usage", *words, stderr=StringIO())
    return run.seconds


def _write_plainly(target: Path, first: date, end: date) -> float:
    sql = _ROWS % (first, end)
    with timed() as run, connection.cursor() as cursor, target.open("wb") as file:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT csv)") as copy:
                file.writelines(copy)
        else:
            cursor.execute(sql)
            csv.writer(TextIOWrapper(file, "utf-8", newline="")).writerows(cursor)
    return run.seconds
