"""Which period of a project is in force: the one rule."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from providers.models import BEGINNING, Assignment, Period, Periods
from tests.factories import TODAY, make_assignment, make_company, make_project, make_split

WHOLE = Decimal(100)
DAY = timedelta(days=1)
SECOND = date(2026, 11, 15)


def two_periods() -> Periods:
    return Periods.of([(BEGINNING, "hand", ((1, WHOLE),)), (SECOND, "rule", ((2, WHOLE),))])


def test_period_ends_where_the_next_one_begins() -> None:
    """The last one has no end."""
    first, last = two_periods().in_order

    assert (first.starts_on, first.ends_on) == (BEGINNING, SECOND - DAY)
    assert (last.starts_on, last.ends_on) == (SECOND, None)


@pytest.mark.parametrize(("day", "payer"), [(BEGINNING, 1), (SECOND - DAY, 1), (SECOND, 2), (date(2100, 1, 1), 2)])
def test_period_in_force_is_the_last_that_has_begun(day: date, payer: int) -> None:
    """From its first day on, that day included."""
    assert two_periods().payers_on(day) == ((payer, WHOLE),)


def test_no_period_is_not_a_period_that_nobody_pays() -> None:
    """Only the one is a decision; neither has payers."""
    periods = Periods.of([(SECOND, "hand", ())])

    assert periods.on(SECOND - DAY) is None
    assert periods.on(SECOND) == Period(SECOND, None, (), "hand")
    assert periods.payers_on(SECOND - DAY) == periods.payers_on(SECOND) == ()


@pytest.mark.django_db
def test_periods_are_read_by_project_in_order() -> None:
    """Payers by id, with their percents; a project without periods is not there."""
    key, one, two = make_project(), make_company(), make_company()
    make_project()
    make_split(project=key, shares={two: "33.33", one: "66.67"}, starts_on=SECOND)
    make_assignment(project=key, company=None, starts_on=TODAY)
    make_assignment(project=key, company=two)

    periods = Assignment.objects.all().by_project()

    split = ((one.pk, Decimal("66.67")), (two.pk, Decimal("33.33")))
    assert list(periods) == [key.pk]
    assert [period.payers for period in periods[key.pk].in_order] == [((two.pk, WHOLE),), split, ()]
