"""What several of the forms answer with: a problem's page, errors at their fields, the queue's state as a message."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone

from providers.models import SyncRun
from providers.services.queueing import enqueue_quietly

QUEUE_UNREACHABLE = "The queue is unreachable at the moment. The sync starts by itself as soon as it is back."


def hand_over(request: HttpRequest, run: SyncRun) -> None:
    """Enqueue ``run`` unless a message for it is on its way already."""
    if run.enqueued_at is None and not enqueue_quietly(run=run, now=timezone.now()):
        messages.warning(request, QUEUE_UNREACHABLE)
