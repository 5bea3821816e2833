"""Days as people and URLs write them."""

from datetime import date

import pytest

from core.days import parse_day


def test_day_is_written_in_one_way() -> None:
    """YYYY-MM-DD."""
    assert parse_day("2028-02-29") == date(2028, 2, 29)


@pytest.mark.parametrize("text", ["20261101", "2026-W01-1", "2026-11-1", " 2026-11-01", "2026-02-29", "", "1 Nov 2026"])
def test_other_ways_are_refused(text: str) -> None:
    """Also those that ISO 8601 knows: nobody means them here."""
    with pytest.raises(ValueError, match=r"."):
        parse_day(text)
