"""Celery tasks: evaluating what is watched, sending what waits, and the sweep that finds what a lost message left.

A task may run twice, late or not at all without harm: requests and deliveries are rows.
"""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from alerts.delivery.outbox import send_waiting, work_through
from alerts.evaluation import evaluate_if_asked


@shared_task
def evaluate() -> None:
    """Evaluate budgets and rules where something has changed since the last time."""
    evaluate_if_asked(now=timezone.now())


@shared_task
def deliver(lane: str) -> None:
    """Send what is due to one receiver – or by mail –, one after the other."""
    work_through(lane)


@shared_task
def sweep() -> None:
    evaluate_if_asked(now=timezone.now())
    send_waiting(now=timezone.now())
