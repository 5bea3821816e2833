"""Adding up totals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.money import Money
from costs.models import COUNTED
from costs.reports.totals import NOTHING, Totals, total_of

pytestmark = pytest.mark.any_engine

figures = st.none() | st.decimals(0, 10**6, places=4)
costs = st.dictionaries(st.sampled_from(["eur", "usd"]), st.decimals(-(10**6), 10**6, places=10))
totals = st.just(NOTHING) | st.builds(
    Totals,
    credits=figures,
    minutes=figures,
    requests=st.none() | st.integers(0, 10**6),
    costs=costs.map(lambda each: tuple(Money(*item) for item in sorted(each.items()))),
    unpriced_rows=st.integers(0, 3),
    estimated=st.booleans(),
    untold=st.frozensets(st.sampled_from(COUNTED)),
)


@settings(max_examples=50)
@given(parts=st.lists(totals, max_size=4))
def test_totals_of_many_are_those_of_each_added_to_the_other(parts: list[Totals]) -> None:
    """Whatever is unknown of some."""
    assert total_of(parts) == sum(parts, NOTHING)
