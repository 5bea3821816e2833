"""Exact amounts in and out of the database, on both engines."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Max, Min, Sum
from hypothesis import given
from hypothesis import strategies as st

from costs.fields import ScaledDecimalField, to_scaled
from costs.models import DailyUsage
from tests.factories import make_project, make_usage


@pytest.mark.parametrize(
    ("value", "scale", "expected"),
    [
        ("0", 10, 0),
        ("1", 0, 1),
        ("0.0000000001", 10, 1),
        ("123456.0123456789", 10, 1_234_560_123_456_789),
        ("1.50", 1, 15),
        ("1E+3", 4, 10_000_000),
        ("-2.5", 1, -25),
    ],
)
def test_scaled_integer_is_the_value_times_its_scale(value: str, scale: int, expected: int) -> None:
    """The stored integer is value · 10^scale."""
    assert to_scaled(Decimal(value), scale) == expected


@pytest.mark.parametrize(
    "value", ["0.00000000001", "NaN", "Infinity", "-Infinity", "1." + "0" * 28 + "1", "0." + "1" * 40]
)
def test_value_that_is_not_exact_is_refused_and_never_rounded(value: str) -> None:
    """Surplus digits are refused, however far behind the point they stand."""
    with pytest.raises(ValueError, match="is not exact"):
        to_scaled(Decimal(value), 10)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 12))
def test_every_integer_survives_scaling(number: int, scale: int) -> None:
    """Any 64-bit integer, read as a scaled decimal, is written back as the same integer."""
    assert to_scaled(Decimal(number).scaleb(-scale), scale) == number


@pytest.mark.django_db
@pytest.mark.parametrize("cost", ["0", "0.0000000001", "0.1", "999999.9999999999", "12345.6789012345"])
def test_amount_comes_back_as_it_was_stored(cost: str) -> None:
    """What is read is the exact Decimal that was written."""
    row = make_usage(cost=Decimal(cost))

    row.refresh_from_db()

    assert row.cost == Decimal(cost)
    assert isinstance(row.cost, Decimal)


@pytest.mark.django_db
def test_unknown_stays_unknown() -> None:
    """NULL comes back as None."""
    row = make_usage(cost=None, credits=None)

    row.refresh_from_db()

    assert (row.cost, row.credits) == (None, None)


@pytest.mark.django_db
def test_amounts_are_stored_as_integers() -> None:
    """The column holds an integer: no engine gets a chance to make it a float."""
    make_usage(cost=Decimal("0.1"))

    with connection.cursor() as cursor:
        cursor.execute("SELECT cost FROM costs_dailyusage")
        stored = cursor.fetchone()

    assert stored == (1_000_000_000,)


@pytest.mark.django_db
def test_sums_are_exact() -> None:
    """A thousand times 0.1 is 100, and aggregates of nothing are unknown."""
    project = make_project()
    DailyUsage.objects.bulk_create(
        DailyUsage(
            project=project,
            day="2026-09-20",
            model=f"m{number}",
            cost=Decimal("0.1"),
            currency="usd",
            updated_at="2026-09-21T00:00:00Z",
        )
        for number in range(1000)
    )

    found = DailyUsage.objects.aggregate(Sum("cost"), Min("cost"), Max("cost"), Sum("credits"))

    assert found == {
        "cost__sum": Decimal(100),
        "cost__min": Decimal("0.1"),
        "cost__max": Decimal("0.1"),
        "credits__sum": None,
    }
    assert isinstance(found["cost__sum"], Decimal)


@pytest.mark.django_db
def test_lookups_compare_amounts() -> None:
    """A filter takes the amount, not its integer."""
    make_usage(cost=Decimal("0.30"))

    assert DailyUsage.objects.filter(cost__in=[Decimal("0.3")]).count() == 1
    assert DailyUsage.objects.filter(cost__gt=Decimal("0.2999999999")).count() == 1
    assert DailyUsage.objects.filter(cost__gt=Decimal("0.3")).count() == 0


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), ("0.1", Decimal("0.1")), (3, Decimal(3)), (Decimal(2), 2)]
)
def test_text_and_integers_become_decimals(value: Any, expected: Decimal | None) -> None:
    """What a form or a fixture gives is read exactly."""
    assert ScaledDecimalField(scale=4).to_python(value) == expected


@pytest.mark.parametrize("value", ["much", 0.1, [1]])
def test_what_is_no_exact_number_is_refused(value: Any) -> None:
    """Floats are refused too: their digits are not the ones that were meant."""
    with pytest.raises(ValidationError, match="Enter a number"):
        ScaledDecimalField(scale=4).to_python(value)


def test_migrations_know_the_scale() -> None:
    """The scale is part of the field's description, so that a changed one makes a migration."""
    _name, path, _args, kwargs = ScaledDecimalField(scale=4, null=True).deconstruct()

    assert (path, kwargs) == ("costs.fields.ScaledDecimalField", {"scale": 4, "null": True})
