"""What usage and read days are: ranges, completeness, and what the database itself refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from costs.models import DailyUsage, ReadDay, end_of
from tests.factories import (
    NOW,
    TODAY,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)

pytestmark = pytest.mark.django_db


def test_between_takes_both_ends() -> None:
    """A range of days includes its first and its last."""
    project = make_project()
    for offset in range(4):
        make_usage(project=project, day=TODAY - timedelta(days=offset))

    found = DailyUsage.objects.between(TODAY - timedelta(days=2), TODAY - timedelta(days=1))

    assert sorted(row.day for row in found) == [TODAY - timedelta(days=2), TODAY - timedelta(days=1)]


@pytest.mark.parametrize("figure", ["credits", "minutes", "requests", "cost"])
def test_row_with_one_figure_is_used(figure: str) -> None:
    """Any figure above zero counts, whatever the others are."""
    for other in (Decimal(0), None):
        fields: dict[str, Any] = dict.fromkeys(["credits", "minutes", "requests", "cost"], other) | {figure: 1}
        make_usage(**fields)

    assert DailyUsage.objects.used().count() == 2


def test_row_of_zeros_and_unknowns_is_not_used() -> None:
    """What only remembers that something once stood there is left out."""
    make_usage(credits=0, minutes=0, requests=0, cost=0)
    make_usage(credits=0, minutes=None, requests=None, cost=None)

    assert DailyUsage.objects.used().count() == 0


def test_row_of_nothing_but_unknowns_is_used() -> None:
    """Something was used, and no figure says how much."""
    make_usage(credits=None, minutes=None, requests=None, cost=None)

    assert DailyUsage.objects.used().count() == 1


@pytest.mark.parametrize(
    ("read_at", "over", "settled"),
    [
        (datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC), False, False),
        (datetime(2026, 11, 23, tzinfo=UTC), True, False),
        (datetime(2026, 11, 29, 23, 59, 59, 999_999, tzinfo=UTC), True, False),
        (datetime(2026, 11, 30, tzinfo=UTC), True, True),
    ],
    ids=str,
)
def test_day_is_over_at_midnight_and_settles_a_week_later(read_at: datetime, *, over: bool, settled: bool) -> None:
    """To the microsecond, in UTC."""
    reading = ReadDay(day=TODAY, read_at=read_at)

    assert (reading.is_over, reading.is_settled) == (over, settled)


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2028, 2, 28), datetime(2028, 2, 29, tzinfo=UTC)),
        (date(2028, 2, 29), datetime(2028, 3, 1, tzinfo=UTC)),
        (date(2026, 12, 31), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_end_of_a_day_is_the_next_midnight(day: date, end: datetime) -> None:
    """Leap days and years included."""
    assert end_of(day) == end


@pytest.mark.parametrize(
    "fields",
    [
        {"credits": Decimal("-0.0001")},
        {"minutes": Decimal(-1)},
        {"requests": -1},
        {"cost": Decimal("-0.0000000001"), "currency": "usd"},
        {"cost": None, "currency": "usd"},
        {"cost": Decimal(1), "currency": ""},
    ],
    ids=str,
)
def test_database_refuses_what_can_not_be(fields: dict[str, Any]) -> None:
    """Negative figures, and money and its currency without each other."""
    with pytest.raises(IntegrityError), transaction.atomic():
        make_usage(**fields)


def test_database_refuses_a_second_row_of_one_identity() -> None:
    """One project, day and model is one row, whatever its currency."""
    row = make_usage()

    with pytest.raises(IntegrityError), transaction.atomic():
        make_usage(project=row.project, currency="eur")


def test_database_refuses_a_second_reading_of_a_day() -> None:
    """A day of a provider is read once, most recently."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY, last=TODAY)

    with pytest.raises(IntegrityError), transaction.atomic():
        ReadDay.objects.create(provider=provider, day=TODAY, read_at=NOW)


def test_read_days_are_the_providers_own() -> None:
    """Readings are found by provider and range."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY - timedelta(days=3), last=TODAY)
    make_read_days(provider=make_provider(), first=TODAY, last=TODAY)

    found = ReadDay.objects.for_provider(provider).between(TODAY - timedelta(days=1), TODAY)

    assert [reading.day for reading in found] == [TODAY - timedelta(days=1), TODAY]
