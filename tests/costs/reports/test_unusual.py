"""What is called unusual, and how long: by hand, and by what must hold of any series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from costs.reports.unusual import ACCEPTED_AFTER, Accepted, End, Episode, Series, find, follow, judge

MONDAY = date(2026, 6, 1)
FIRST = MONDAY - timedelta(weeks=9)
WEEK = (Decimal(100), Decimal(110), Decimal(90), Decimal(100), Decimal(100), Decimal(20), Decimal(10))


def series(changes: Mapping[date, int] | None = None, *, days: int = 30, **fields: object) -> Series:
    """Nine weeks alike before MONDAY and ``days`` after it, but for ``changes``; all that came before has settled."""
    end = MONDAY + timedelta(days=days)
    all_days = [FIRST + timedelta(days=number) for number in range((end - FIRST).days)]
    costs = {day: WEEK[day.weekday()] for day in all_days} | {
        day: Decimal(cost) for day, cost in (changes or {}).items()
    }
    settled = frozenset(day for day in all_days if day < MONDAY)
    found = Series(costs, complete=frozenset(all_days), settled=settled, first_use=FIRST)
    return replace(found, **fields)  # type: ignore[arg-type]


def later(days: int) -> date:
    return MONDAY + timedelta(days=days)


def test_day_is_expected_to_cost_what_its_weekday_does() -> None:
    """Not what the day before did."""
    saturday = judge(series(), later(5))

    assert saturday is not None
    assert (saturday.expected, saturday.level) == (Decimal(20), Decimal(1))


def test_weeks_alike_hold_nothing_unusual() -> None:
    """Weekends neither."""
    assert find(series(), since=MONDAY) is None


def test_three_times_as_much_is_unusual_on_its_day() -> None:
    """And over when two days were ordinary again."""
    episode = find(series({MONDAY: 300}), since=MONDAY)

    assert episode is not None
    assert (episode.first.day, episode.last_day, episode.end) == (MONDAY, MONDAY, End.CALM)
    assert (episode.actual, episode.expected, episode.impact) == (Decimal(300), Decimal(100), Decimal(200))


def test_weekday_money_on_a_sunday_is_unusual() -> None:
    """Though it would not be on any other day."""
    episode = find(series({later(6): 100}), since=MONDAY)

    assert episode is not None
    assert episode.first.expected == 10


def test_small_amounts_are_not_worth_a_word() -> None:
    """However many times the expected: what Admins set is the least."""
    assert find(series({later(6): 40}), since=MONDAY, least=Decimal(50)) is None


def test_nothing_is_unusual_before_three_weeks_have_settled() -> None:
    """There is nothing to compare with."""
    few = frozenset(MONDAY - timedelta(days=number) for number in range(1, 21))

    assert judge(series({MONDAY: 300}, settled=few), MONDAY) is None


def test_one_calm_day_does_not_end_it() -> None:
    """The days between belong to it."""
    episode = find(series({MONDAY: 300, later(2): 300}), since=MONDAY)

    assert episode is not None
    assert (episode.last_day, len(episode.days), episode.end) == (later(2), 3, End.CALM)


def test_what_goes_on_for_two_weeks_is_accepted() -> None:
    """It is how things are now."""
    changes = {later(number): int(3 * WEEK[later(number).weekday()]) for number in range(30)}

    episode = find(series(changes), since=MONDAY)

    assert episode is not None
    assert (episode.end, len(episode.judged), episode.ratio) == (End.ACCEPTED, ACCEPTED_AFTER, Decimal(3))


def test_accepted_level_is_what_is_expected_from_then_on() -> None:
    """The weeks before count as if it had always been."""
    found = judge(series({later(1): 330}, accepted=(Accepted(MONDAY, Decimal(3)),)), later(1))

    assert found is not None
    assert (found.expected, found.impact) == (Decimal(330), Decimal(0))


def test_nothing_is_learnt_from_an_episode_while_it_goes_on() -> None:
    """Its level is the one from its beginning."""
    changes = {later(number): 500 for number in range(3)}
    settled = series().settled | {later(0), later(1)}

    episode = follow(series(changes, settled=settled), first=MONDAY, level=Decimal(1))

    assert episode is not None
    assert [one.expected for one in episode.days[:3]] == [100, 110, 90]


def test_it_has_doubled_when_a_day_costs_twice_as_much_too_much() -> None:
    """Another day like the first is no news."""
    alike = find(series({MONDAY: 300, later(1): 310}), since=MONDAY)
    doubled = find(series({MONDAY: 300, later(1): 510}), since=MONDAY)

    assert alike is not None
    assert not alike.has_doubled
    assert doubled is not None
    assert doubled.has_doubled


def test_going_back_to_what_was_ordinary_is_nothing_unusual() -> None:
    """After a quiet week."""
    quiet = {MONDAY - timedelta(days=number): 1 for number in range(1, 8)}

    assert find(series(quiet), since=MONDAY) is None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=20, max_size=20), st.integers(1, 500))
def test_episodes_are_made_of_days_that_are_really_more(costs: list[int], least: int) -> None:
    """Whatever the days cost: the first at least by what was asked for, and the last one goes on."""
    changes = {later(number): cost for number, cost in enumerate(costs)}

    episode = find(series(changes, days=20), since=MONDAY, least=Decimal(least))

    if episode is not None:
        assert isinstance(episode, Episode)
        assert episode.first.impact >= least
        assert episode.days[-1].impact > 0
        assert episode.impact == episode.actual - episode.expected
