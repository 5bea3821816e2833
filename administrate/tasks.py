"""Periodic tasks of the whole installation."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from administrate import retention

logger = logging.getLogger(__name__)


@shared_task
def clean_up() -> None:
    """Once a day; repeating it finds nothing left to do."""
    for cleaned in retention.clean_up(now=timezone.now()):
        if cleaned.number:
            logger.info("Deleted: %s %s", cleaned.number, cleaned.what.lower())
