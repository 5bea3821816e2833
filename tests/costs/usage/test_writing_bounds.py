"""Amounts near the end of what 64 bits hold: written exactly, summed without overflow, estimated where they fit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core.amounts import COST
from costs.models import DailyUsage
from costs.usage.writing import Usage, write_usage
from providers.models import Project
from tests.factories import make_project, make_provider

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
DAY = date(2026, 11, 2)
NEXT_DAY = DAY + timedelta(days=1)


def write(project: Project, *rows: Usage, first: date = DAY, last: date = DAY) -> None:
    write_usage(provider=project.provider, first=first, last=last, rows=rows, read_at=NOW)


def costing(project: Project, day: date = DAY) -> Usage:
    return Usage(project.pk, day, "m", None, None, None, COST.largest, "inr")


def using(project: Project, credits_used: int, model: str = "m") -> Usage:
    return Usage(project.pk, DAY, model, Decimal(credits_used), None, None, None, "")


def test_two_answers_that_together_pass_64_bits_are_read_again() -> None:
    """What stands of a window may have come in several answers; the comparison with a new one adds it all up."""
    project = make_project()
    write(project, costing(project))
    write(project, costing(project, NEXT_DAY), first=NEXT_DAY, last=NEXT_DAY)

    write(project, costing(project), costing(project, NEXT_DAY), last=NEXT_DAY)

    assert list(DailyUsage.objects.values_list("cost", flat=True)) == [COST.largest] * 2


@pytest.mark.parametrize(("credits_used", "expected"), [(461_168_601, Decimal(461_168_601)), (461_168_602, None)])
def test_estimates_are_made_while_their_sum_can_be_stored(credits_used: int, expected: Decimal | None) -> None:
    """An absurd rate leaves the cost unknown, and the usage stored."""
    project = make_project(provider=make_provider(credit_rate=Decimal(1000), credit_rate_currency="inr"))

    write(project, using(project, credits_used), using(project, credits_used, "another"))

    assert list(DailyUsage.objects.values_list("cost", flat=True)) == [expected] * 2
