"""manage.py migrate, Django's own, with one thing added: several at once wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import connections

# Any number that no other advisory lock of this database uses.
LOCK = 5_211_726_012


class Command(migrate.Command):
    """On PostgreSQL, two machines that start a new release at once would otherwise both make the same tables."""

    def handle(self, *args: Any, **options: Any) -> None:
        with _one_at_a_time(options["database"]):
            super().handle(*args, **options)


@contextmanager
def _one_at_a_time(alias: str) -> Iterator[None]:
    """Hold an advisory lock of the session, which the server gives back when the process dies."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
