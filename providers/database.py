"""Bringing the database up to date before it is used."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class NotMigratedError(Exception):
    """The database is not at the version of this code; the text is for the person."""


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
