"""Usage written for the tests of attribution, and what fell to whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from costs.models import AttributedUsage
from costs.usage.writing import Usage, write_usage
from providers.models import Project, Provider
from tests.factories import NOW, TODAY


def owners(**filters: Any) -> list[str | None]:
    """Whose each row is, ordered by day."""
    found = AttributedUsage.objects.filter(**filters).order_by("day", "company__name")
    return [row.company.name if row.company else None for row in found.select_related("company")]


def costs_of(project: Project) -> dict[str | None, Decimal | None]:
    """What of the project's cost falls to each company; of one day, or it would be overwritten."""
    rows = AttributedUsage.objects.filter(project=project).select_related("company")
    return {row.company.name if row.company else None: row.cost for row in rows}


def usage(project: Project, day: date, **overrides: Any) -> Usage:
    fields: dict[str, Any] = {
        "model": "m",
        "credits": Decimal(100),
        "minutes": None,
        "requests": 3,
        "cost": Decimal(2),
        "currency": "usd",
    } | overrides
    return Usage(project_id=project.pk, day=day, **fields)


def write(
    provider: Provider, rows: Sequence[Usage], *, days: int = 1, first: date | None = None, last: date | None = None
) -> None:
    write_usage(
        provider=provider,
        first=first or TODAY - timedelta(days=days - 1),
        last=last or TODAY,
        rows=rows,
        read_at=NOW,
        accept_implausible=True,
    )
