"""What the files of millions of rows are made of, beside what they stand for."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.csv_files import csv_cell, csv_text, plain, units_text


@given(units=st.integers(-(10**19), 10**19), digits=st.integers(1, 10))
def test_units_are_written_as_the_amount_that_they_are(units: int, digits: int) -> None:
    """To the last digit, without padding."""
    assert units_text(digits)(units) == plain(Decimal(units).scaleb(-digits))


def test_unknown_units_are_empty() -> None:
    """Which differs from 0."""
    assert [units_text(4)(None), units_text(4)(0), units_text(4, point=True)(0)] == ["", "0", "0.0"]


@pytest.mark.parametrize("text", ["", "plain", "a,b", 'say "x"', "two\nlines", "cr\rhere", " space ", "100 %", "'=1"])
def test_cell_is_quoted_as_in_a_line(text: str) -> None:
    """Whatever its neighbours are."""
    assert csv_text([("x", text, "y")]) == f"x,{csv_cell(text)},y\n"
