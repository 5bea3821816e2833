"""The queue as web pages see it: whether its broker answers, and what waits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kombu.exceptions import OperationalError

from administrate.celery import app
from providers.models import SyncRun
from providers.models.provider import unclaimed

# Of connecting and of each answer. It is tried twice, and a page or a probe waits for it: a second in all.
_SECONDS = 0.4


def messages_waiting() -> int | None:
    """How many messages no worker has taken yet; None while the broker can't be reached."""
    try:
        with app.connection_for_write(
            transport_options={"socket_connect_timeout": _SECONDS, "socket_timeout": _SECONDS}
        ) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=1)
            channel: Any = connection.default_channel
            queue = channel.queue_declare(app.conf.task_default_queue)
            return int(queue.message_count)
    except (OperationalError, OSError):
        return None


def syncs_waiting(now: datetime) -> int:
    """Syncs that are wanted and that no worker has begun or that lost theirs."""
    return SyncRun.objects.unfinished().filter(unclaimed(now, "provider__")).count()
