"""Messages to workers: hints that may be lost, since what they are about is a row that the sweep finds."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def hand_over(lanes: Sequence[str], *, countdown: float = 0) -> None:
    """Tell workers that something waits in these lanes."""
    from alerts.tasks import deliver

    for lane in lanes:
        if not _send(deliver, lane, countdown=countdown):
            return


def hand_over_after_commit(lanes: Sequence[str], *, countdown: float = 0) -> None:
    transaction.on_commit(lambda: hand_over(lanes, countdown=countdown), robust=True)


def evaluate_after_commit() -> None:
    from alerts.tasks import evaluate

    transaction.on_commit(lambda: _send(evaluate), robust=True)


def _send(task: object, *arguments: str, countdown: float = 0) -> bool:
    """Without trying again: whoever has just committed does not wait for a queue that is away."""
    try:
        task.apply_async(arguments, countdown=countdown, retry=False)  # type: ignore[attr-defined]
    except (OperationalError, OSError):
        logger.warning("The queue is unreachable; what is watched and what is to be sent wait for the sweep")
        return False
    return True
