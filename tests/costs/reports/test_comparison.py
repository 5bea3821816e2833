"""Which days are compared, and by how much sums have changed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from core.days import DateRange
from core.money import Money
from costs.models import ReadDay
from costs.reports.comparison import Change, compare, previous_range, spend_by
from costs.reports.totals import Totals, all_usage
from costs.usage.coverage import coverage
from providers.models import Provider
from providers.services.managing import disconnect_provider
from tests.costs.comparing import day, make_key, make_read_provider, spend
from tests.factories import (
    NOW,
    TODAY,
    make_company,
    make_provider,
    make_read_days,
)


def days(first: str, last: str) -> DateRange:
    return DateRange(date.fromisoformat(first), date.fromisoformat(last))


def waiting(today: date) -> frozenset[date]:
    """The days of November that wait for prices."""
    found = coverage(Provider.objects.all(), days("2026-11-01", "2026-11-22"), today=today, with_prices=True)
    return found.unpriced


def usd(amount: str) -> Totals:
    return Totals(costs=(Money("usd", Decimal(amount)),))


# Which period ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "previous"),
    [
        # A month, or its first days: the same days of the month before.
        (("2026-11-01", "2026-11-22"), ("2026-10-01", "2026-10-22")),
        (("2026-11-01", "2026-11-01"), ("2026-10-01", "2026-10-01")),
        (("2026-10-01", "2026-10-31"), ("2026-09-01", "2026-09-30")),
        (("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),
        (("2026-03-01", "2026-03-29"), ("2026-02-01", "2026-02-28")),
        (("2028-03-01", "2028-03-31"), ("2028-02-01", "2028-02-29")),
        (("2026-02-01", "2026-02-28"), ("2026-01-01", "2026-01-28")),
        (("2026-01-01", "2026-01-31"), ("2025-12-01", "2025-12-31")),
        # Anything else: as many days right before.
        (("2026-11-16", "2026-11-22"), ("2026-11-09", "2026-11-15")),
        (("2026-11-02", "2026-11-22"), ("2026-10-12", "2026-11-01")),
        (("2026-10-24", "2026-11-22"), ("2026-09-24", "2026-10-23")),
        (("2026-10-01", "2026-11-22"), ("2026-08-09", "2026-09-30")),
        (("2026-11-22", "2026-11-22"), ("2026-11-21", "2026-11-21")),
        (("2025-11-01", "2026-11-22"), ("2024-10-10", "2025-10-31")),
    ],
)
def test_a_month_is_compared_with_the_month_before_and_a_range_with_as_many_days(
    asked: tuple[str, str], previous: tuple[str, str]
) -> None:
    """The same year in the same month, or it is only a range that begins on a first."""
    assert previous_range(days(*asked)) == days(*previous)


def test_a_longer_month_is_cut_to_the_shorter_one() -> None:
    """March's last three days have nothing beside them, and are not compared with anything."""
    march = days("2026-03-01", "2026-03-31")

    comparison = compare(march, set(days("2026-01-01", "2026-03-31")))

    assert comparison.now == set(days("2026-03-01", "2026-03-28"))
    assert comparison.before == set(days("2026-02-01", "2026-02-28"))
    assert comparison.days == "1–28 Feb 2026"


def test_a_shorter_month_leaves_the_end_of_the_longer_one_out() -> None:
    """February beside the first 28 days of January."""
    comparison = compare(days("2026-02-01", "2026-02-28"), set(days("2026-01-01", "2026-02-28")))

    assert comparison.before == set(days("2026-01-01", "2026-01-28"))


def test_days_are_compared_in_pairs() -> None:
    """A hole on either side takes its twin with it."""
    complete = set(days("2026-10-01", "2026-11-21")) - {day("2026-11-03"), day("2026-10-07")}

    comparison = compare(days("2026-11-01", "2026-11-22"), complete)

    assert comparison.now == set(days("2026-11-01", "2026-11-21")) - {day("2026-11-03"), day("2026-11-07")}
    assert comparison.before == set(days("2026-10-01", "2026-10-21")) - {day("2026-10-03"), day("2026-10-07")}
    assert comparison.days == "19 days of 1–21 Oct 2026"


def test_the_day_before_is_its_own_distance_away() -> None:
    """Of other ranges the pairs lie as many days apart as the range is long."""
    complete = {day("2026-11-17"), day("2026-11-10"), day("2026-11-11"), day("2026-11-19")}

    comparison = compare(days("2026-11-16", "2026-11-22"), complete)

    assert comparison.now == {day("2026-11-17")}
    assert comparison.before == {day("2026-11-10")}
    assert comparison.days == "10 Nov 2026"


def test_without_a_pair_nothing_is_compared() -> None:
    """And the whole period before is named."""
    comparison = compare(days("2026-11-01", "2026-11-22"), set(days("2026-11-01", "2026-11-21")))

    assert not comparison.is_possible
    assert comparison.days == "1–22 Oct 2026"


# Sums -----------------------------------------------------------------------------------------------------------------


def test_the_ratio_is_exact_and_of_one_currency() -> None:
    """None where there was nothing before, in that currency."""
    change = Change(
        now=Totals(costs=(Money("eur", Decimal(5)), Money("usd", Decimal("1.1")))), before=usd("1.0000000000")
    )

    assert change.ratio("usd") == Decimal("0.1")
    assert change.ratio("eur") is None
    assert Change(before=usd("2")).ratio("usd") == -1
    assert Change().ratio("usd") is None


@pytest.mark.django_db
def test_changes_are_summed_over_the_compared_days_alone() -> None:
    """By group; what is on one side alone is there as well."""
    provider = make_read_provider()
    acme, globex = make_company(), make_company()
    key, other = make_key(provider, acme), make_key(provider, globex)
    for text, cost in (("2026-11-02", "3"), ("2026-10-02", "2"), ("2026-11-03", "100"), ("2026-10-04", "100")):
        spend(key, text, cost)
    spend(other, "2026-10-05", "7")
    complete = set(days("2026-10-01", "2026-11-21")) - {day("2026-10-03"), day("2026-11-04")}

    month = days("2026-11-01", "2026-11-22")
    found = spend_by(all_usage(), "company_id", month, compare(month, complete))

    assert {pk: (change.now.costs, change.before.costs) for pk, change in found.changes.items()} == {
        acme.pk: ((Money("usd", Decimal(3)),), (Money("usd", Decimal(2)),)),
        globex.pk: ((), (Money("usd", Decimal(7)),)),
    }
    total = found.change
    assert (total.now.cost_in("usd"), total.before.cost_in("usd")) == (Decimal(3), Decimal(9))


@pytest.mark.django_db
def test_sums_are_of_the_whole_range_whatever_is_compared(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Days that are not compared count as well, those before do not; one query reads both."""
    acme = make_company()
    key = make_key(make_read_provider(), acme)
    for text, cost in (("2026-11-02", "3"), ("2026-11-22", "100"), ("2026-10-02", "2"), ("2026-10-30", "50")):
        spend(key, text, cost)
    month = days("2026-11-01", "2026-11-22")

    with django_assert_num_queries(1):
        found = spend_by(all_usage(), "company_id", month, compare(month, {day("2026-11-02"), day("2026-10-02")}))

    assert {pk: sums.costs for pk, sums in found.by_group.items()} == {acme.pk: (Money("usd", Decimal(103)),)}
    assert found.change_of(acme.pk).ratio("usd") == Decimal("0.5")


@pytest.mark.django_db
def test_a_range_without_compared_days_has_sums_and_no_changes() -> None:
    """Nothing of the days before is read then."""
    key = make_key(make_provider())
    spend(key, "2026-11-02", "3")
    spend(key, "2026-10-02", "5")
    month = days("2026-11-01", "2026-11-22")

    found = spend_by(all_usage(), "company_id", month, compare(month, set()))

    assert found.by_group[None].costs == (Money("usd", Decimal(3)),)
    assert found.changes == {}


@pytest.mark.django_db
def test_only_what_was_used_is_unpriced() -> None:
    """A zero needs no price."""
    key = make_key(make_provider())
    spend(key, "2026-11-16", None)
    spend(key, "2026-11-17", None, credits=Decimal(0), minutes=None, requests=0)
    spend(key, "2026-11-18", "0")

    assert waiting(TODAY) == {day("2026-11-16")}


@pytest.mark.django_db
def test_a_price_is_waited_for_until_figures_have_settled() -> None:
    """Seven days after the end of its day; what is never priced does not keep days open for ever."""
    key = make_key(make_provider())
    spend(key, "2026-11-13", None)
    spend(key, "2026-11-14", None)
    spend(key, "2026-11-15", None)
    spend(key, "2026-11-16", "1")

    assert waiting(day("2026-11-22")) == {day("2026-11-15")}


# Which days are finished ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_day_is_finished_once_it_was_read_after_its_end() -> None:
    """Not today, and not yesterday where nobody has read it since midnight."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY - timedelta(days=2), last=TODAY)
    yesterday = TODAY - timedelta(days=1)
    ReadDay.objects.filter(day=yesterday).update(read_at=NOW - timedelta(hours=13))

    known = coverage([provider], DateRange(TODAY - timedelta(days=9), TODAY), today=TODAY)

    assert known.finished == {TODAY - timedelta(days=2)}
    assert known.read == {TODAY - timedelta(days=2), yesterday, TODAY}


@pytest.mark.django_db
def test_a_day_is_finished_for_several_providers_when_it_is_for_each() -> None:
    """One that was never read keeps the day open."""
    make_read_provider(back=5)
    make_read_provider(back=3)

    known = coverage(Provider.objects.all(), DateRange(TODAY - timedelta(days=9), TODAY), today=TODAY)

    assert known.finished == {TODAY - timedelta(days=offset) for offset in (1, 2, 3)}


@pytest.mark.django_db
def test_a_disconnected_provider_has_no_say_after_its_end() -> None:
    """Its last day may have been read in the middle and is never finished; all after that are the others' alone."""
    make_read_provider(back=9)
    gone = make_provider()
    make_read_days(
        provider=gone,
        first=TODAY - timedelta(days=9),
        last=TODAY - timedelta(days=4),
        read_at=NOW - timedelta(days=4),
    )
    disconnect_provider(provider=gone, now=NOW - timedelta(days=4))

    known = coverage(Provider.objects.all(), DateRange(TODAY - timedelta(days=9), TODAY), today=TODAY)

    assert known.finished == {TODAY - timedelta(days=offset) for offset in (1, 2, 3, 5, 6, 7, 8, 9)}
