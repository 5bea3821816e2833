"""The clock's schedule, kept in memory alone.

Celery's own keeps it in a pickled file, and whoever can write that file runs code as the service.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from celery.beat import Scheduler

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryScheduler(Scheduler):
    """Every entry is due when the clock starts, so that what was missed while it stood is made up for.

    One tick too many does nothing: what is due is decided by rows of the database.
    """

    def setup_schedule(self) -> None:
        super().setup_schedule()
        entry: Any
        for entry in self.schedule.values():
            entry.last_run_at = _LONG_AGO
