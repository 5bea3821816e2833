"""Celery task that beat sends every few minutes; it may run twice, late or not at all without harm."""

from celery import shared_task

from costs.usage.totals import add_up


@shared_task
def add_up_companies() -> None:
    """Totals of companies, models and providers, of the days that have changed since the last time."""
    add_up()
