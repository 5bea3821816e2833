"""Bringing the database up to date before it is used, and what each connection to it is told."""

from __future__ import annotations

import fcntl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, starmap
from secrets import token_hex
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.core.management import call_command
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

READ_ONLY = "25006"


class NotMigratedError(Exception):
    """The database is not at the version of this code; the text is for the person."""


def is_out_of_order(error: BaseException | None) -> bool:
    """Whether ``error`` says that the database is away or takes no changes for now, which passes by itself."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    # What PostgreSQL in read-only mode (a standby that was not promoted yet) says is an "internal error" in Python.
    return isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", "") == READ_ONLY


def in_one_line(error: Exception) -> str:
    """What the database said, without the statement and the hints that may follow."""
    return str(error).strip().partition("\n")[0]


def suit_to_short_statements(*, connection: BaseDatabaseWrapper, **_signal: object) -> None:
    """Tell PostgreSQL, as a new connection is made, what suits statements that take a few milliseconds.

    Compiling one takes many times as long as carrying it out, and so does starting workers that share it; with a few
    megabytes more, sums of some ten thousand rows are hashed, where they would be put in order on disk.
    """
    if connection.vendor == "postgresql":
        connection.connection.execute("SET jit = off; SET max_parallel_workers_per_gather = 0; SET work_mem = '32MB'")


Statement = tuple[str, Sequence[Any]]


def carry_out(statements: Iterable[Statement]) -> None:
    """One after the other, each with its parameters; PostgreSQL is handed all at once, in one message."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            for statement, params in statements:
                cursor.execute(statement, params)
            return
        texts, values = zip(*statements, strict=True)
        cursor.execute(";\n".join(texts), list(chain.from_iterable(values)))


def planned(statement: str, params: Sequence[Any]) -> Statement:
    """The same as one that PostgreSQL plans once, or some times, where a connection carries it out more than once.

    For statements that are carried out again and again, whose planning takes as long as they do and whose plan does not
    depend on the parameters. Their number must be small: a connection forgets none.
    """
    if connection.vendor != "postgresql":
        return statement, params
    connection.ensure_connection()
    names = _names_of_planned.setdefault(connection.connection, {})
    if statement not in names:
        names[statement] = ""  # most connections carry out no second one
        return statement, params
    if not names[statement]:
        name = f"planned_{token_hex(8)}"
        first, *others = statement.split("%s")
        numbered = first + "".join(f"${number}{text}" for number, text in enumerate(others, 1))
        with connection.cursor() as cursor:
            cursor.execute(f"PREPARE {name} AS {numbered}")
        names[statement] = name
    marks = f"({', '.join(['%s'] * len(params))})" if params else ""
    return f"EXECUTE {names[statement]}{marks}", params


def all_planned(statements: Iterable[Statement]) -> list[Statement]:
    """Likewise, at once for good: by itself PostgreSQL might go on planning what has parameters."""
    if connection.vendor != "postgresql":
        return list(statements)
    return [("SET LOCAL plan_cache_mode = force_generic_plan", ()), *starmap(planned, statements)]


# What each connection has prepared, which lasts as long as it does whatever becomes of the transaction.
_names_of_planned: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()


def emptied(table: str, columns: str, *, repeatedly: bool = False) -> list[Statement]:
    """A temporary table of this connection without rows, which it keeps from one transaction to the next.

    To PostgreSQL making and dropping one is more work than the few hundred rows that it is mostly filled with. Who
    changes the columns of one changes its name: where a pool hands connections on, an older version's may be there.
    Used ``repeatedly`` within a transaction it is better cut off: rows deleted in it would go on being read over.
    """
    is_postgresql = connection.vendor == "postgresql"
    at_commit = " ON COMMIT DELETE ROWS" if is_postgresql else ""
    clear = "TRUNCATE" if repeatedly and is_postgresql else "DELETE FROM"
    create = f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns}){at_commit}"
    return [(create, ()), (f"{clear} {table}", ())]


def is_only_one(number: int, *, waits: bool = False) -> bool:
    """Whether this transaction alone has claimed ``number``, until it ends; one that ``waits`` is, in the end.

    On SQLite it always is: there one transaction writes at a time.
    """
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        if waits:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (number,))
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (number,))
        ((is_claimed,),) = cursor.fetchall()
    return bool(is_claimed)


def is_migrated() -> bool:
    """Whether every migration of this code was applied; raises django.db.OperationalError while it can't be reached."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def ensure_migrated() -> None:
    """Migrate the embedded default's own database where needed; elsewhere that is the operator's act.

    Raises NotMigratedError in production.
    """
    if is_migrated():
        return
    if not settings.EMBEDDED:
        raise NotMigratedError("The database is not up to date. Run: manage.py migrate")
    with _one_at_a_time():
        call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Several first commands may run at once."""
    with (settings.DATA_DIR / "migrate.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
