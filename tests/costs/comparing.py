"""Workspaces that were read, with what their keys cost by day: for comparisons with the days before."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from providers.models import Company, Project, Provider
from tests.factories import TODAY, make_assignment, make_project, make_provider, make_read_days, make_usage


def day(text: str) -> date:
    return date.fromisoformat(text)


def make_read_provider(*, back: int = 120, **overrides: Any) -> Provider:
    """Read up to now, ``back`` days of it."""
    provider = make_provider(**overrides)
    make_read_days(provider=provider, first=TODAY - timedelta(days=back), last=TODAY)
    return provider


def make_key(provider: Provider, company: Company | None = None) -> Project:
    key = make_project(provider=provider)
    if company:
        make_assignment(project=key, company=company)
    return key


def spend(key: Project, text: str, cost: str | None, **overrides: Any) -> None:
    make_usage(project=key, day=day(text), cost=None if cost is None else Decimal(cost), **overrides)
