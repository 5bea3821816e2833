"""That the numbers of docs/forecast.md stay as good as they are, on a few of its series."""

from __future__ import annotations

import pytest

from backtesting import alarms, forecasts
from backtesting.series import DailyCosts, random_series


@pytest.fixture(scope="module")
def some_series() -> list[DailyCosts]:
    return list(random_series(6))


def test_series_are_the_same_every_time() -> None:
    """Wherever they are made."""
    first, again = (next(random_series(1)) for _time in range(2))

    assert first == again


def test_what_constants_were_chosen_on_is_held_apart() -> None:
    """By seeds of its own: none is in both."""
    held_out, chosen_on = (
        {tuple(one.costs.values()) for one in random_series(3, chosen_on=each)} for each in (False, True)
    )

    assert len(held_out | chosen_on) == 6


def test_forecast_by_weekday_is_nearer_than_what_anybody_would_think_of(some_series: list[DailyCosts]) -> None:
    """After half a month, on average over all of them."""
    report = forecasts.measure(some_series[:3])

    by_weekday = report.of(forecasts.WEEKDAYS, 15).mean
    assert by_weekday < 0.06
    for other in (forecasts.PACE, forecasts.STRAIGHT, forecasts.LAST_MONTH):
        assert by_weekday < report.of(other, 15).mean


def test_what_is_three_times_as_much_is_found_and_little_else(some_series: list[DailyCosts]) -> None:
    """Six series are few: docs/forecast.md has the numbers of all."""
    reports = {one.detector: one for one in alarms.measure(some_series)}

    ours, naive = reports["by weekday and level"], reports["twice the 30-day mean"]
    assert ours.recall["×5"] >= 0.9
    assert ours.recall["×3"] >= 0.7
    assert ours.false_a_quarter <= 1
    assert ours.false_a_quarter < naive.false_a_quarter
