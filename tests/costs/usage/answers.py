"""Answers of a provider as the write path takes them, and what it stores of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from costs.models import DailyUsage
from costs.usage.writing import Usage, Written, write_usage
from providers.models import Project, Provider

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
TODAY = NOW.date()
OLD = TODAY - timedelta(days=10)

Stored = dict[tuple[int, date, str], tuple[Any, ...]]


def usage(project: Project, **overrides: Any) -> Usage:
    fields: dict[str, Any] = {
        "project_id": project.pk,
        "day": OLD,
        "model": "m",
        "credits": Decimal(100),
        "minutes": Decimal("1.5"),
        "requests": 3,
        "cost": Decimal("0.02"),
    } | overrides
    fields.setdefault("currency", "" if fields["cost"] is None else "usd")
    return Usage(**fields)


def write(
    provider: Provider,
    *rows: Usage,
    first: date = OLD,
    last: date = OLD,
    read_at: datetime = NOW,
    accept_implausible: bool = False,
) -> Written:
    return write_usage(
        provider=provider,
        first=first,
        last=last,
        rows=rows,
        read_at=read_at,
        accept_implausible=accept_implausible,
    )


def stored(provider: Provider) -> Stored:
    return {
        (row.project_id, row.day, row.model): (row.credits, row.minutes, row.requests, row.cost, row.currency)
        for row in DailyUsage.objects.for_provider(provider)
    }


def versions(provider: Provider) -> Mapping[int, datetime]:
    return dict(DailyUsage.objects.for_provider(provider).values_list("pk", "updated_at"))
