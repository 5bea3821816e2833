"""Signs of life: the clock leaves one whenever it ticks, each worker one every half minute.

They are rows, because the web has no other way to see processes on other machines, and the queue may be away. A sign
that can't be written is left out: it never stops the work.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from administrate import __version__
from administrate.models import Heartbeat
from core.database import in_one_line

logger = logging.getLogger(__name__)

EVERY_SECONDS = 30

# A worker that has been silent for so long was taken away without a word.
FORGOTTEN_AFTER = timedelta(days=1)


def give_sign_of_life(kind: Heartbeat.Kind, name: str = "") -> None:
    """Note that the clock, or the worker of this name, is at work now."""
    now = timezone.now()
    try:
        _renew_connection()
        Heartbeat.objects.bulk_create(
            [Heartbeat(kind=kind, name=name, version=__version__, seen_at=now)],
            update_conflicts=True,
            unique_fields=["kind", "name"],
            update_fields=["version", "seen_at"],
        )
        Heartbeat.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("No sign of life could be left in the database: %s", in_one_line(error))
    finally:
        _renew_connection()


def _renew_connection() -> None:
    """Close a broken or old connection, as Django does after each request, unless a transaction is open on it."""
    if not connection.in_atomic_block:
        close_old_connections()


class WorkerPulse:
    """A thread of a worker's main process that gives its signs of life until it is stopped."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End it and take the worker off the list: it went in order."""
        self._stopped.set()
        self._thread.join(timeout=5)
        try:
            Heartbeat.objects.workers().filter(name=self._name).delete()
        except (DatabaseError, InterfaceError):
            logger.debug("The worker's last sign of life stays")

    def _run(self) -> None:
        while True:
            give_sign_of_life(Heartbeat.Kind.WORKER, self._name)
            if self._stopped.wait(EVERY_SECONDS):
                return
