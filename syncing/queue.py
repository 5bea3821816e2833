"""The engine as the apps below reach it: by a message to a worker, or in this process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from math import ceil

from kombu.exceptions import OperationalError

from core import log_context
from providers.models import SyncRun
from providers.registry import Progress, QueueUnreachableError
from syncing import tasks
from syncing.engine import run_sync
from syncing.reader import AGENTS_PER_REQUEST
from syncing.windows import PIECE_DAYS


class CeleryEngine:
    """See providers.registry.SyncEngine."""

    def enqueue(self, run_id: int) -> None:
        try:
            tasks.sync.delay(run_id)
        except (OperationalError, OSError) as error:
            raise QueueUnreachableError from error

    def requests_for(self, first: date, last: date, *, agents: int) -> int:
        windows = ceil(((last - first).days + 1) / PIECE_DAYS)
        return windows * (1 + ceil(agents / AGENTS_PER_REQUEST))

    def sync(self, run_id: int, *, on_progress: Callable[[Progress], None]) -> SyncRun | None:
        with log_context.for_run(run_id):
            return run_sync(run_id, on_progress=on_progress)
