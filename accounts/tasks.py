"""Tasks that beat sends for this app."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.audit.summing import record_sums


@shared_task
def sum_up_failures() -> None:
    """Once an hour; repeating it finds nothing left to tell."""
    record_sums(now=timezone.now())
