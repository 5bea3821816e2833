"""What the next statement carries: at which mark-up, marked as an estimate or not, and for which reason."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from costs.models import Restatement, StatementLine
from costs.statements.adjustments import CHANGED_SINCE, RATE_CHANGED, closed_months, pending_adjustments
from costs.statements.closing import close_month
from costs.usage.estimates import set_credit_rate
from providers.models import Company, Project
from providers.services.assigning import assign_projects
from tests.costs.worlds import (
    LATER,
    NEXT_YEAR,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    make_key,
    make_world,
    reassign,
    restate,
)
from tests.factories import make_company, make_usage

pytestmark = pytest.mark.django_db

DECEMBER = date(2026, 12, 1)


def close(month: date) -> None:
    close_month(month=month, now=NEXT_YEAR)


def mark_up(company: Company, percent: int | None) -> None:
    Company.objects.filter(pk=company.pk).update(markup_percent=percent)


def carried(company: Company, month: date) -> list[tuple[date, Decimal | None, Decimal | None]]:
    found = StatementLine.objects.adjustments().filter(statement__company=company, statement__closed_month__month=month)
    return [(line.month, line.cost, line.markup_percent) for line in found]


# At which mark-up -----------------------------------------------------------------------------------------------------


def test_credit_takes_back_what_an_adjustment_billed_at_its_own_mark_up() -> None:
    """Billed 100 + 20 % for a month without a statement of its own; credited 100 + 20 %, whatever the rate is now."""
    acme, bco, key = make_world()
    make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    close(SEPTEMBER)
    reassign(key, bco)
    close(OCTOBER)
    mark_up(bco, 50)

    reassign(key, acme)
    close(NOVEMBER)

    assert carried(bco, OCTOBER) == [(SEPTEMBER, Decimal(100), Decimal(20))]
    assert carried(bco, NOVEMBER) == [(SEPTEMBER, Decimal(-100), Decimal(20))]


def test_credit_takes_back_the_latest_first_a_line_for_each_mark_up() -> None:
    """60 at 20 %, then 40 at 50 %: of a credit of 70 there are 40 at 50 % and 30 at 20 %."""
    _acme, bco, key = make_world()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(60))
    close(SEPTEMBER)
    reassign(key, bco)
    close(OCTOBER)
    mark_up(bco, 50)
    restate(usage, Decimal(100))
    close(NOVEMBER)

    restate(usage, Decimal(30))
    close(DECEMBER)

    assert carried(bco, NOVEMBER) == [(SEPTEMBER, Decimal(40), Decimal(50))]
    assert carried(bco, DECEMBER) == [(SEPTEMBER, Decimal(-40), Decimal(50)), (SEPTEMBER, Decimal(-30), Decimal(20))]


def test_increase_takes_the_mark_up_of_the_months_own_statement() -> None:
    """Whatever was billed for it or credited in between, and whatever the mark-up is now."""
    _acme, bco, key = make_world()
    reassign(key, bco)
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(10))
    close(SEPTEMBER)
    mark_up(bco, 50)
    restate(usage, Decimal(4))
    close(OCTOBER)

    restate(usage, Decimal(12))
    close(NOVEMBER)

    assert carried(bco, OCTOBER) == [(SEPTEMBER, Decimal(-6), Decimal(20))]
    assert carried(bco, NOVEMBER) == [(SEPTEMBER, Decimal(8), Decimal(20))]


def test_increase_of_a_month_without_a_statement_takes_the_present_mark_up() -> None:
    """What earlier adjustments billed for it is for credits alone."""
    acme, bco, key = make_world()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(10))
    close(SEPTEMBER)
    reassign(key, bco)
    close(OCTOBER)
    mark_up(bco, None)

    restate(usage, Decimal(11))
    close(NOVEMBER)
    reassign(key, acme)
    close(DECEMBER)

    assert carried(bco, NOVEMBER) == [(SEPTEMBER, Decimal(1), None)]
    assert carried(bco, DECEMBER) == [(SEPTEMBER, Decimal(-1), None), (SEPTEMBER, Decimal(-10), Decimal(20))]


def test_credit_that_was_frozen_at_a_mark_up_never_billed_is_taken_off_what_is_left() -> None:
    """As older releases froze them: 100 + 20 % billed, 40 + 50 % credited; what is left is 60, at 20 %."""
    _acme, bco, key = make_world()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    close(SEPTEMBER)
    reassign(key, bco)
    close(OCTOBER)
    restate(usage, Decimal(60))
    close(NOVEMBER)
    StatementLine.objects.filter(statement__company=bco, cost=-40).update(markup_percent=50)

    restate(usage, Decimal(0))
    close(DECEMBER)

    assert carried(bco, DECEMBER) == [(SEPTEMBER, Decimal(-60), Decimal(20))]


# Estimates, and reasons -----------------------------------------------------------------------------------------------


def make_estimated() -> tuple[Company, Project]:
    """Acme's key used 1,000 credits in September at a rate of $1 per 1,000; the month is closed."""
    acme, _bco, key = make_world()
    make_usage(project=key, day=SEPTEMBER, cost=None, credits=1000)
    set_credit_rate(provider=key.provider, rate=Decimal(1), currency="usd", now=LATER)
    close_month(month=SEPTEMBER, now=LATER)
    return acme, key


def pending() -> list[tuple[Decimal | None, bool, str]]:
    found = pending_adjustments(closed_months(), with_reasons=True)
    return [(line.cost, line.estimated, line.reason) for _company, line in found]


def change_rate(key: Project, rate: int) -> None:
    set_credit_rate(provider=key.provider, rate=Decimal(rate), currency="usd", now=LATER + timedelta(hours=1))


def test_adjustment_of_an_estimate_is_marked_and_says_that_the_rate_was_changed() -> None:
    """It was changed here; ElevenLabs has restated nothing."""
    _acme, key = make_estimated()

    change_rate(key, 3)

    assert pending() == [(Decimal(2), True, RATE_CHANGED)]


def test_estimate_that_was_also_assigned_anew_says_both() -> None:
    """Each company is told all that may have changed its part."""
    acme, key = make_estimated()
    other = make_company(name="Other")

    change_rate(key, 3)
    assign_projects(projects=[key], company=other, starts_on=None, now=LATER + timedelta(hours=2))

    moved = f"{key.name} → Other, 1–30 Sep"
    assert sorted(pending(), key=lambda each: each[0] or 0) == [
        (Decimal(-1), True, moved),
        (Decimal(3), True, f"{moved}; rate for estimates changed here"),
    ]
    assert acme.name == "Acme"


def test_restated_estimate_is_marked_and_no_change_of_the_rate() -> None:
    """The sync has written what ElevenLabs says now."""
    _acme, key = make_estimated()
    usage = key.usage.get()
    usage.cost, usage.credits, usage.updated_at = Decimal(2), Decimal(2000), LATER + timedelta(hours=1)
    Restatement.objects.create(
        project=key, day=usage.day, model=usage.model, restated_at=LATER + timedelta(hours=1), cost_after=Decimal(2)
    )

    restate(usage, Decimal(2))

    assert pending() == [(Decimal(1), True, f"{key.name} priced late, 1 Sep")]


def test_real_money_beside_an_estimate_is_not_marked() -> None:
    """Its own change holds nothing of the estimate."""
    acme, key = make_estimated()
    real = make_usage(project=make_key(acme, provider=key.provider), day=SEPTEMBER, cost=Decimal(5))
    close_month(month=OCTOBER, now=LATER)

    restate(real, Decimal(4))

    assert pending() == [(Decimal(-1), False, CHANGED_SINCE)]


def test_mark_and_reason_are_frozen_with_the_adjustment() -> None:
    """The closed statement says the same as its draft did."""
    acme, key = make_estimated()
    change_rate(key, 3)

    close(OCTOBER)

    line = StatementLine.objects.adjustments().get(statement__company=acme)
    assert (line.cost, line.estimated, line.reason) == (Decimal(2), True, RATE_CHANGED)
