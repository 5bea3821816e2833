"""Time, queries, rows read, write-ahead log and memory of a piece of work."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, connections

FORK = multiprocessing.get_context("fork")


@dataclass
class Timed:
    """Seconds by the wall, and of this process's own work."""

    seconds: float = 0
    cpu_seconds: float = 0


@contextmanager
def timed() -> Iterator[Timed]:
    result = Timed()
    wall, cpu = time.perf_counter(), time.process_time()
    yield result
    result.seconds, result.cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu


def cpu_seconds_of(pid: int) -> float:
    """Of another process, as Linux tells it. Elsewhere 0."""
    try:
        _name, _parenthesis, rest = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")
    except OSError:
        return 0.0
    user, system = rest.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def median_seconds(work: Callable[[], object], *, for_seconds: float, at_most: int = 9) -> float:
    """The median of as many runs as fit into ``for_seconds``, at least one and at most so many."""
    times: list[float] = []
    while not times or (len(times) < at_most and sum(times) + times[-1] <= for_seconds):
        with timed() as run:
            work()
        times.append(run.seconds)
    return statistics.median(times)


@dataclass
class Statement:
    sql: str
    params: Any
    seconds: float = 0


@contextmanager
def recorded_statements() -> Iterator[list[Statement]]:
    """What the database is asked meanwhile, on this thread's connection, in order."""
    statements: list[Statement] = []

    def record(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            statements.append(Statement(sql, params, time.perf_counter() - begun))

    with connection.execute_wrapper(record):
        yield statements


@dataclass
class Reads:
    """The rows that the database had to look at, by table, whether or not they got into the answer."""

    by_table: Counter[str] = field(default_factory=Counter)
    heaviest: list[dict[str, Any]] = field(default_factory=list)  # the three statements that read the most

    @property
    def rows(self) -> int:
        return self.by_table.total()


def reads_of(statements: Sequence[Statement]) -> Reads | None:
    """Carry the SELECTs among ``statements`` out again and count what they read; None where no plan tells (SQLite)."""
    if connection.vendor != "postgresql":
        return None
    reads = Reads()
    explained: list[dict[str, Any]] = []
    for statement in statements:
        if not statement.sql.lstrip("(").startswith("SELECT"):  # Django puts the parts of a UNION in parentheses
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement.sql}", statement.params)
            (document,) = cursor.fetchone()
        plan = json.loads(document) if isinstance(document, str) else document
        read = rows_by_table(plan[0]["Plan"])
        reads.by_table += read
        explained.append(
            {"rows": read.total(), "ms": round(statement.seconds * 1000, 2), "sql": _shortened(statement.sql)}
        )
    reads.heaviest = sorted(explained, key=lambda one: -one["rows"])[:3]
    return reads


def rows_by_table(plan: dict[str, Any]) -> Counter[str]:
    """The rows that a plan of EXPLAIN (ANALYZE, FORMAT JSON) has read, those that a filter dropped included."""
    found: Counter[str] = Counter()
    if "Relation Name" in plan:
        dropped = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        found[plan["Relation Name"]] = round((plan["Actual Rows"] + dropped) * plan["Actual Loops"])
    for part in plan.get("Plans", ()):
        found += rows_by_table(part)
    return found


def _shortened(sql: str) -> str:
    """Without the columns' quotes and the names of their table, so that a person can read it."""
    return re.sub(r'"(\w+)"', r"\1", sql)[:1500]


def log_position() -> int | None:
    """Bytes of write-ahead log since the server was made; None on SQLite."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")
        return int(cursor.fetchone()[0])


def rows_scanned() -> dict[str, int] | None:
    """The rows that this transaction has read without an index, by permanent table; None on SQLite."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT stats.relname, stats.seq_tup_read
            FROM pg_stat_xact_user_tables AS stats JOIN pg_class AS class ON class.oid = stats.relid
            WHERE class.relpersistence = 'p' AND stats.seq_tup_read > 0
        """)
        return dict(cursor.fetchall())


@dataclass(frozen=True)
class InChild:
    value: Any
    peak_mb: float  # above what the process held before the work began


def in_child(work: Callable[[], Any]) -> InChild:
    """Carry ``work`` out in a process of its own, so that its memory is its own; raises RuntimeError where it fails."""
    connections.close_all()
    gc.collect()
    receiving, sending = FORK.Pipe(duplex=False)
    child = FORK.Process(target=_work_in_child, args=(work, sending))
    child.start()
    sending.close()
    try:
        value, peak_mb = receiving.recv()
    except EOFError:
        raise RuntimeError("A measured process ended without an answer; its error stands above.") from None
    finally:
        child.join()
    return InChild(value, peak_mb)


def _work_in_child(work: Callable[[], Any], sending: Any) -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
    before = memory_mb("VmRSS")
    value = work()
    connections.close_all()
    sending.send((value, max(0.0, memory_mb("VmHWM") - before)))


def memory_mb(what: str) -> float:
    """Of this process, as Linux tells it: VmRSS is what it holds now, VmHWM the most that it ever held. Elsewhere 0."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = re.search(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
