"""Two workspaces whose amounts are awkward to add up and whose names are awkward to write, for every download."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from costs.models import AttributedUsage, DailyUsage
from providers.models import Company, Project, Provider
from tests.factories import (
    NOW,
    TODAY,
    derive,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_split,
)

FORMULA = '=HYPERLINK("http://evil")'
AWKWARD = 'Naïve "quoted", 名\nsecond line'
MONTH = (date(2026, 11, 1), TODAY)
THIRD = Decimal("0.3333333333")


@dataclass(frozen=True)
class World:
    """Two workspaces with two currencies, shared and unassigned keys, prices that lack, names that are awkward."""

    production: Provider
    staging: Provider
    acme: Company
    globex: Company


def row_of(key: Project, day: int, model: str, cost: Decimal | None, **overrides: Any) -> DailyUsage:
    """Of a day of November."""
    fields: dict[str, Any] = {
        "credits": THIRD.quantize(Decimal("0.0001")),
        "minutes": Decimal("1.5"),
        "requests": 10,
        "currency": "" if cost is None else "usd",
        "updated_at": NOW,
    } | overrides
    return DailyUsage(project=key, day=date(2026, 11, day), model=model, cost=cost, **fields)


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def make_world() -> World:
    production = make_provider(name="Production", model_names={"tts": AWKWARD})
    staging = make_provider(name="Staging", currency="eur")
    for provider in (production, staging):
        make_read_days(provider=provider, first=date(2026, 8, 1), last=TODAY)
    acme, globex = make_company(name="Acme"), make_company(name=FORMULA)
    first, split, free = (make_project(provider=production, name=name) for name in (FORMULA, AWKWARD, "Free"))
    euros = make_project(provider=staging, name="Euros")
    make_assignment(project=first, company=acme)
    make_split(project=split, shares={acme: "33.33", globex: "66.67"})
    make_assignment(project=euros, company=globex)
    make_assignment(project=euros, company=acme, starts_on=date(2026, 11, 15))
    rows = []
    keys = (first, split, free, make_keyless(provider=production))
    for number, (key, model) in enumerate((key, model) for key in keys for model in ("tts", "stt", "")):
        for day in (2, 9, 14, 15, 21):
            is_priced = (number, day) != (4, 9)
            rows.append(row_of(key, day, model, THIRD * (number + 1) * day if is_priced else None))
    rows += [row_of(euros, day, "tts", Decimal("1.005"), currency="eur", minutes=None) for day in (14, 15, 20)]
    rows.append(row_of(euros, 20, "stt", None))
    DailyUsage.objects.bulk_create(rows)
    derive([*(key.pk for key in keys), euros.pk])
    return World(production, staging, acme, globex)


def used(first: date, last: date, **filters: Any) -> dict[str, Decimal]:
    """What usage cost, exactly, by currency."""
    found: dict[str, Decimal] = {}
    for row in AttributedUsage.objects.filter(day__range=(first, last), **filters).exclude(cost=None):
        found[row.currency] = found.get(row.currency, Decimal(0)) + (row.cost or 0)
    return {currency: amount for currency, amount in found.items() if amount}
