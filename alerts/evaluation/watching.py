"""The rules (alerts.rules) put to work: each finds what is the case, and here it is told once."""

from __future__ import annotations

from datetime import datetime


def evaluate_rules(*, now: datetime) -> None:
    """Nothing yet."""
