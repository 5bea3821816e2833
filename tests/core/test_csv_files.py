"""What the files of millions of rows are made of, beside what they stand for."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.csv_files import csv_cell, csv_text, plain, plain_units


@given(units=st.integers(-(10**19), 10**19), digits=st.integers(1, 10))
def test_units_are_written_as_the_amount_that_they_are(units: int, digits: int) -> None:
    """To the last digit, without padding."""
    assert plain_units(units, digits) == plain(Decimal(units).scaleb(-digits))


def test_unknown_units_are_empty() -> None:
    """Which differs from 0."""
    assert (plain_units(None, 4), plain_units(0, 4)) == ("", "0")


@pytest.mark.parametrize("text", ["", "plain", "a,b", 'say "x"', "two\nlines", "cr\rhere", " space ", "100 %", "'=1"])
def test_cell_is_quoted_as_in_a_line(text: str) -> None:
    """Whatever its neighbours are."""
    assert csv_text([("x", text, "y")]) == f"x,{csv_cell(text)},y\n"
