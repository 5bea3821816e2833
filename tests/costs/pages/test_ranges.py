"""The range that a URL asks for."""

from datetime import date

import pytest

from core.days import DateRange
from costs.pages.ranges import RangeError, from_query, presets, stepped

TODAY = date(2026, 11, 22)


def test_without_parameters_it_is_this_month() -> None:
    """Up to today, both days inclusive."""
    assert from_query({}, today=TODAY) == DateRange(date(2026, 11, 1), TODAY)


def test_both_ends_are_inclusive() -> None:
    """One day is a range of one."""
    chosen = from_query({"from": "2026-10-05", "to": "2026-10-05"}, today=TODAY)

    assert list(chosen) == [date(2026, 10, 5)]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"from": "2026-02-30"},
        {"from": "2026-11-02", "to": "2026-11-01"},
        {"from": "1999-12-31"},
        {"to": "9999-12-31"},
        {"from": "2026-11-01\0"},
        {"from": "1" * 10_000},
    ],
)
def test_a_range_that_cannot_be_used_is_refused_in_a_sentence(query: dict[str, str]) -> None:
    """The text is for the person."""
    with pytest.raises(RangeError, match=r"\.$"):
        from_query(query, today=TODAY)


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 11, 1), date(2026, 11, 22), "1–22 Nov 2026, UTC"),
        (date(2026, 11, 22), date(2026, 11, 22), "22 Nov 2026, UTC"),
        (date(2026, 10, 3), date(2026, 11, 2), "3 Oct – 2 Nov 2026, UTC"),
        (date(2025, 12, 30), date(2026, 1, 4), "30 Dec 2025 – 4 Jan 2026, UTC"),
    ],
)
def test_it_is_printed_without_repeating_itself(first: date, last: date, text: str) -> None:
    """As short as it is clear."""
    assert str(DateRange(first, last)) == text


def test_presets_end_today_or_with_the_last_month() -> None:
    """In January the last month is December of the year before."""
    named = {preset.label: preset.range for preset in presets(date(2026, 1, 1))}

    assert named["This month"] == DateRange(date(2026, 1, 1), date(2026, 1, 1))
    assert named["Last month"] == DateRange(date(2025, 12, 1), date(2025, 12, 31))
    assert len(named["90 days"]) == 90


def test_the_year_to_date_is_offered() -> None:
    """From the first of January."""
    named = {preset.label: preset.range for preset in presets(TODAY)}

    assert named["Year to date"] == DateRange(date(2026, 1, 1), TODAY)


@pytest.mark.parametrize(
    ("days", "direction", "found"),
    [
        ((date(2026, 11, 1), TODAY), -1, (date(2026, 10, 1), date(2026, 10, 31))),
        ((date(2026, 10, 1), date(2026, 10, 31)), 1, (date(2026, 11, 1), TODAY)),
        ((date(2026, 1, 1), TODAY), -1, (date(2025, 1, 1), date(2025, 12, 31))),
        ((date(2025, 12, 1), date(2026, 1, 31)), -1, (date(2025, 10, 1), date(2025, 11, 30))),
        ((date(2026, 11, 16), TODAY), -1, (date(2026, 11, 9), date(2026, 11, 15))),
        ((date(2026, 11, 9), date(2026, 11, 15)), 1, (date(2026, 11, 16), TODAY)),
    ],
)
def test_a_step_is_as_long_as_the_range(days: tuple[date, date], direction: int, found: tuple[date, date]) -> None:
    """Months step by months, the year by years, everything else by its days; none passes today."""
    assert stepped(DateRange(*days), direction, today=TODAY) == DateRange(*found)


@pytest.mark.parametrize(("days", "direction"), [((date(2026, 11, 1), TODAY), 1), ((date(2020, 1, 1), TODAY), -1)])
def test_there_is_no_step_into_what_no_provider_reports(days: tuple[date, date], direction: int) -> None:
    """Neither the future nor the time before 2020."""
    assert stepped(DateRange(*days), direction, today=TODAY) is None
