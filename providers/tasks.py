"""The beat's side: what happens every hour and every minute, for all provider types."""

from celery import shared_task
from django.utils import timezone

from providers.services.queueing import enqueue_lost_runs, request_hourly_syncs


@shared_task
def enqueue_hourly_syncs() -> None:
    """One sync per active provider whose hour has come."""
    request_hourly_syncs(now=timezone.now())


@shared_task
def sweep() -> None:
    """What the hourly tick missed while nobody was there, and what the queue has lost."""
    request_hourly_syncs(now=timezone.now())
    enqueue_lost_runs(now=timezone.now())
