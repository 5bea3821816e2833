"""Sums: exact, attributed by day, and honest about what is not known."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.days import DateRange
from core.money import Money
from costs.reports import breakdowns
from costs.reports.days import mark_days
from costs.reports.metrics import COST
from costs.reports.series import stack
from costs.reports.totals import all_usage, sums_by, totals, totals_by
from costs.usage.coverage import Reading, coverage
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)

pytestmark = pytest.mark.django_db

MONTH = DateRange(TODAY.replace(day=1), TODAY)


def usd(amount: str) -> tuple[Money, ...]:
    return (Money("usd", Decimal(amount)),)


def test_companies_and_unassigned_add_up_to_the_total_exactly() -> None:
    """To the last of ten digits."""
    one, two, nobody = make_project(), make_project(), make_project()
    make_assignment(project=one, company=make_company())
    make_assignment(project=two, company=make_company())
    for project, cost in ((one, "0.1000000001"), (two, "0.2000000002"), (nobody, "0.3000000003")):
        make_usage(project=project, cost=Decimal(cost))

    breakdown = breakdowns.company_breakdown(sums_by(all_usage(), "company_id"))

    assert breakdown.total.costs == usd("0.6000000006")
    assert breakdown.lines[-1].subject is None
    assert breakdown.lines[-1].totals.costs == usd("0.3000000003")


def test_usage_belongs_to_whose_the_key_was_on_that_day() -> None:
    """From 15 November on to the new company; 14 November stays."""
    key, old, new = make_project(), make_company(name="Old"), make_company(name="New")
    make_assignment(project=key, company=old)
    make_assignment(project=key, company=new, starts_on=TODAY.replace(day=15))
    make_usage(project=key, day=TODAY.replace(day=14), cost=Decimal(1))
    make_usage(project=key, day=TODAY.replace(day=15), cost=Decimal(2))

    spend = {
        line.label: line.totals.costs for line in breakdowns.company_breakdown(sums_by(all_usage(), "company_id")).lines
    }

    assert spend == {"Old": usd("1"), "New": usd("2"), "Unassigned": ()}


def test_currencies_are_never_added() -> None:
    """Each has a total of its own."""
    key = make_project()
    make_usage(project=key, model="a", cost=Decimal(1))
    make_usage(project=key, model="b", cost=Decimal(2), currency="eur")

    assert totals(all_usage()).costs == (Money("eur", Decimal(2)), Money("usd", Decimal(1)))


def test_unknown_is_not_zero() -> None:
    """What has no price is counted beside the sum, and unknown minutes stay unknown."""
    key = make_project()
    make_usage(project=key, model="a", cost=None, minutes=None)
    make_usage(project=key, model="b", cost=Decimal(1), minutes=None)

    everything = totals(all_usage())
    unpriced = totals(all_usage().exclude(model="b"))

    assert (everything.unpriced_rows, everything.is_unpriced, everything.minutes) == (1, False, None)
    assert unpriced.is_unpriced


def test_a_row_of_zeros_is_no_usage() -> None:
    """It only remembers that something once stood there."""
    make_usage(credits=Decimal(0), minutes=Decimal(0), requests=0, cost=None)

    assert totals(all_usage()).is_idle
    assert not totals(all_usage()).unpriced_rows


def test_a_day_is_read_when_every_provider_has_read_it() -> None:
    """And provisional while any of them may restate it."""
    one, two = make_provider(), make_provider()
    make_read_days(provider=one, first=MONTH.first, last=MONTH.last)
    make_read_days(provider=two, first=MONTH.last, last=MONTH.last)

    known = coverage([one, two], MONTH, today=TODAY)

    assert known.read == {MONTH.last}
    assert len(known.unread) == 21
    assert known.reading is Reading.PART
    assert TODAY - timedelta(days=7) in known.provisional
    assert TODAY - timedelta(days=9) not in known.provisional


def test_days_to_come_are_not_missing() -> None:
    """A range may end in the future."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY, last=TODAY)

    known = coverage([provider], DateRange(TODAY, TODAY + timedelta(days=9)), today=TODAY)

    assert known.reading is Reading.WHOLE


def test_unread_days_before_the_first_known_one_are_left_out() -> None:
    """A gap in between stays visible."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY - timedelta(days=3), last=TODAY - timedelta(days=3))
    make_read_days(provider=provider, first=TODAY, last=TODAY)

    days = mark_days({}, MONTH, coverage([provider], MONTH, today=TODAY))

    assert [day.is_read for day in days] == [True, False, False, True]


def test_a_stacked_chart_keeps_the_ten_largest_and_the_rest_together() -> None:
    """Nothing is lost in "Other"."""
    key = make_project()
    for number in range(1, 14):
        make_usage(project=key, model=f"m{number}", cost=Decimal(number))

    series = stack(
        all_usage(),
        "model",
        {model: sums for (model,), sums in totals_by(all_usage(), "model").items()},
        {"m13": "Model Thirteen"},
        DateRange(TODAY - timedelta(days=1), TODAY),
        weigh=lambda totals: COST.value(totals, "usd"),
    ).series

    assert [one.label for one in series] == ["Model Thirteen", *(f"m{number}" for number in range(12, 3, -1)), "Other"]
    assert sum(totals.sort_amount for one in series for totals in one.by_day.values()) == 91
