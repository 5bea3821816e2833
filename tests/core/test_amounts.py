"""Sharing an amount: the one place that every split and every division goes by."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.amounts import COST, REQUESTS


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (10, ["50", "50"], [5, 5]),
        (1, ["50", "50"], [1, 0]),
        (2, ["33.33", "33.33", "33.34"], [1, 0, 1]),
        (100, ["99.99", "0.01"], [100, 0]),
        (7, ["1", "2", "4"], [1, 2, 4]),
        (0, ["60", "40"], [0, 0]),
        (None, ["60", "40"], [None, None]),
        (9_223_372_036_854_775_807, ["50", "50"], [4_611_686_018_427_387_904, 4_611_686_018_427_387_903]),
    ],
)
def test_amount_is_shared_in_whole_units_and_loses_none(
    amount: int | None, weights: list[str], parts: list[int | None]
) -> None:
    """By largest remainder; of equal remainders the first comes first."""
    assert REQUESTS.shared(amount, [Decimal(weight) for weight in weights]) == parts


def test_smallest_unit_is_that_of_the_figure() -> None:
    """Costs have ten digits."""
    assert COST.shared(Decimal("0.0000000001"), [1, 1]) == [Decimal("0.0000000001"), 0]


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.decimals("0.01", 10**12, allow_nan=False, allow_infinity=False), min_size=1, max_size=6),
)
def test_parts_always_add_up_to_the_whole(units: int, weights: list[Decimal]) -> None:
    """Each within one unit of its exact part."""
    parts = REQUESTS.shared(units, weights)

    assert sum(part for part in parts if part is not None) == units
    assert all(part is not None and part >= 0 for part in parts)
