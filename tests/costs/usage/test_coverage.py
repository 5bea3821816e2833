"""Which days were read is known without looking at each, and is the same as if one did."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import DjangoAssertNumQueries

from core.days import DateRange
from costs.models import ReadDay, SettledDays
from costs.models.usage import settles
from costs.usage.coverage import Coverage, coverage_of_ranges, joint_coverage, record_reading
from providers.models import Provider
from tests.factories import NOW, TODAY, make_provider

pytestmark = pytest.mark.django_db

FIRST = TODAY - timedelta(days=40)


def day(offset: int) -> date:
    return FIRST + timedelta(days=offset)


def by_each_day(days: DateRange, today: date) -> Coverage:
    rows = [row for row in ReadDay.objects.all() if days.first <= row.day <= days.last]
    read = frozenset(row.day for row in rows)
    return Coverage(
        read=read,
        since=min(read, default=None),
        finished=frozenset(row.day for row in rows if row.is_over),
        provisional=frozenset(row.day for row in rows if not row.is_settled),
        unread=tuple(each for each in days if each <= today and each not in read),
    )


@settings(
    max_examples=30,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    readings=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12), st.integers(0, 100)), max_size=8),
    asked=st.tuples(st.integers(0, 45), st.integers(0, 20)),
)
def test_what_is_known_is_what_each_day_says(
    db: None, readings: list[tuple[int, int, int]], asked: tuple[int, int]
) -> None:
    """After any readings, one later than the other, and of any range."""
    Provider.objects.all().delete()
    provider, read_at = make_provider(), datetime.combine(FIRST, NOW.timetz())
    for start, length, later in readings:
        read_at += timedelta(hours=later)
        record_reading(provider, DateRange(day(start), day(start + length)), read_at)
    days = DateRange(day(asked[0]), day(asked[0] + asked[1]))

    (found,) = coverage_of_ranges([provider], [days], today=TODAY)

    assert found == {provider.pk: by_each_day(days, TODAY)}
    spans = list(SettledDays.objects.values_list("first", "last"))
    assert all(one[1] + timedelta(days=1) < other[0] for one, other in pairwise(spans))
    assert {each for span in spans for each in DateRange(*span)} == {
        each.day for each in ReadDay.objects.all() if settles(each.day) <= each.read_at
    }


@pytest.mark.parametrize("ended", [timedelta(days=1), timedelta(days=8)])
@pytest.mark.parametrize("beside", [timedelta(microseconds=-1), timedelta(0), timedelta(microseconds=1)])
def test_day_is_over_and_settled_at_midnight(ended: timedelta, beside: timedelta) -> None:
    """To the microsecond, as the row itself says it."""
    provider = make_provider()
    read_at = datetime.combine(TODAY, time(), tzinfo=UTC) + ended + beside
    ReadDay.objects.create(provider=provider, day=TODAY, read_at=read_at)

    (found,) = coverage_of_ranges([provider], [DateRange(TODAY, TODAY)], today=TODAY)

    assert found == {provider.pk: by_each_day(DateRange(TODAY, TODAY), TODAY)}


def test_settled_days_are_read_as_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Two years of them are a row; the last eight days are a row each."""
    provider = make_provider()

    record_reading(provider, DateRange(TODAY - timedelta(days=730), TODAY), NOW)

    assert SettledDays.objects.get().last == TODAY - timedelta(days=8)
    assert ReadDay.objects.filter(is_within=False).count() == 8
    with django_assert_num_queries(1):
        coverage_of_ranges([provider], [DateRange(TODAY, TODAY), DateRange(FIRST, TODAY)], today=TODAY)


def test_hole_in_settled_days_stays_a_hole() -> None:
    """A day that nobody has read is unread, whatever lies around it."""
    provider = make_provider()
    record_reading(provider, DateRange(day(0), day(9)), NOW)
    record_reading(provider, DateRange(day(11), day(20)), NOW)

    (found,) = coverage_of_ranges([provider], [DateRange(day(5), day(15))], today=TODAY)

    assert found[provider.pk].unread == (day(10),)


def test_providers_of_which_the_same_is_known_share_it() -> None:
    """So that a thousand cost what one does."""
    providers = [make_provider() for _number in range(5)]
    for provider in providers:
        record_reading(provider, DateRange(FIRST, TODAY), NOW)

    (found,) = coverage_of_ranges(providers, [DateRange(FIRST, TODAY)], today=TODAY)

    assert len({id(each) for each in found.values()}) == 1
    assert joint_coverage(found.values()) == found[providers[0].pk]
