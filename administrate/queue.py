"""The queue as web pages see it: whether its broker answers, and what waits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kombu.exceptions import OperationalError

from administrate.celery import app
from providers.models import SyncRun
from providers.models.provider import unclaimed

BROKER_TIMEOUT = 2


def messages_waiting() -> int | None:
    """How many messages no worker has taken yet; None while the broker can't be reached."""
    try:
        with app.connection_for_write(connect_timeout=BROKER_TIMEOUT) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_TIMEOUT)
            channel: Any = connection.default_channel
            queue = channel.queue_declare(app.conf.task_default_queue)
            return int(queue.message_count)
    except (OperationalError, OSError):
        return None


def syncs_waiting(now: datetime) -> int:
    """Syncs that are wanted and that no worker has begun or that lost theirs."""
    return SyncRun.objects.unfinished().filter(unclaimed(now, "provider__")).count()
