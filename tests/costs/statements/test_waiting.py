"""A price that is taken back after its month was closed: what is unknown is not zero, and is not credited as if."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from costs.models import Restatement, Statement, StatementLine
from costs.statements.adjustments import closed_months, pending_adjustments
from costs.statements.closing import close_month
from costs.statements.contents import StatementView, draft_sheets
from providers.models import Project, Provider
from tests.costs.worlds import (
    LATER,
    NEXT_YEAR,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    make_key,
    make_settled,
    make_world,
    reassign,
    restate,
)
from tests.factories import make_usage

pytestmark = pytest.mark.django_db


def pending() -> list[tuple[int, Decimal]]:
    """By company; what only waits is left out."""
    return [(pk, line.cost) for pk, line in pending_adjustments(closed_months()) if line.cost is not None]


def draft() -> StatementView:
    (sheet,) = draft_sheets(OCTOBER, closed=closed_months())
    return sheet


def test_price_that_was_taken_back_is_not_credited() -> None:
    """Until it is priced again; then the difference is carried."""
    acme, _bco, key = make_world()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    close_month(month=SEPTEMBER, now=NEXT_YEAR)

    restate(usage, None)
    while_unknown = pending()
    restate(usage, Decimal(70))

    assert while_unknown == []
    assert pending() == [(acme.pk, Decimal(-30))]


def test_price_that_has_become_zero_is_credited() -> None:
    """It is known to be nothing."""
    acme, _bco, key = make_world()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    close_month(month=SEPTEMBER, now=NEXT_YEAR)

    restate(usage, Decimal(0))

    assert pending() == [(acme.pk, Decimal(-100))]


def test_other_keys_and_models_are_adjusted_as_ever() -> None:
    """Both what they cost less and what they cost more."""
    acme, _bco, key = make_world()
    taken_back = make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    less = make_usage(project=key, day=SEPTEMBER, model="other", cost=Decimal(10))
    more = make_usage(project=make_key(acme, provider=key.provider), day=SEPTEMBER, cost=Decimal(5))
    close_month(month=SEPTEMBER, now=NEXT_YEAR)

    restate(taken_back, None)
    restate(less, Decimal(8))
    with_less = pending()
    restate(more, Decimal(12))

    assert with_less == [(acme.pk, Decimal(-2))]
    assert pending() == [(acme.pk, Decimal(5))]


@pytest.mark.parametrize("currency", ["usd", "eur"])
def test_keyless_usage_of_another_workspace_is_adjusted_as_ever(currency: str) -> None:
    """Both report it under one id, with the same model."""
    acme, _bco, key = make_world()
    keyless: dict[str, Any] = {"external_id": Project.KEYLESS_ID, "kind": Project.Kind.KEYLESS}
    taken_back = make_key(acme, provider=key.provider, **keyless)
    cheaper = make_key(acme, provider=make_settled(SEPTEMBER, name="Other"), **keyless)
    usage = make_usage(project=taken_back, day=SEPTEMBER, cost=Decimal(100))
    less = make_usage(project=cheaper, day=SEPTEMBER, cost=Decimal(10), currency=currency)
    close_month(month=SEPTEMBER, now=NEXT_YEAR)

    restate(usage, None)
    restate(less, Decimal(8), currency)

    assert pending() == [(acme.pk, Decimal(-2))]


def test_keyless_usage_of_a_provider_with_another_name_waits() -> None:
    """A statement names its provider as it was called: whose usage waits can't be told any more."""
    acme, _bco, key = make_world()
    keyless = make_key(acme, provider=key.provider, external_id=Project.KEYLESS_ID, kind=Project.Kind.KEYLESS)
    usage = make_usage(project=keyless, day=SEPTEMBER, cost=Decimal(100))
    close_month(month=SEPTEMBER, now=NEXT_YEAR)

    Provider.objects.filter(pk=key.provider.pk).update(name="Renamed")
    restate(usage, None)

    assert pending() == []


def test_who_does_not_pay_for_it_any_more_is_credited() -> None:
    """Whatever it will cost; the other company is billed once it is known."""
    acme, bco, key = make_world()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    close_month(month=SEPTEMBER, now=NEXT_YEAR)

    restate(usage, None)
    reassign(key, bco)

    assert pending() == [(acme.pk, Decimal(-100))]


def test_adjustment_that_may_be_of_it_holds_everything_back() -> None:
    """It doesn't say of which keys it is: nothing at all is carried of the month until there is a price."""
    _acme, bco, key = make_world()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    other = make_usage(project=key, day=SEPTEMBER, model="other", cost=Decimal(10))
    close_month(month=SEPTEMBER, now=NEXT_YEAR)
    reassign(key, bco)
    close_month(month=OCTOBER, now=NEXT_YEAR)

    restate(usage, None)
    Restatement.objects.create(
        project=key,
        day=SEPTEMBER,
        model=usage.model,
        restated_at=LATER,
        cost_before=Decimal(100),
        currency_before="usd",
    )
    restate(other, Decimal(8))
    while_unknown = pending()
    restate(usage, Decimal(100))

    assert while_unknown == []
    assert pending() == [(bco.pk, Decimal(-2))]


def test_line_of_before_key_ids_were_kept_holds_everything_back() -> None:
    """As older releases froze them."""
    _acme, _bco, key = make_world()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    close_month(month=SEPTEMBER, now=NEXT_YEAR)
    StatementLine.objects.update(key_id="")

    restate(usage, None)

    assert pending() == []


def test_what_never_had_a_price_holds_nothing_back() -> None:
    """One model that is never priced must not block the credits of its month for ever."""
    _acme, bco, key = make_world()
    make_usage(project=key, day=SEPTEMBER, model="never priced", cost=None)
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    close_month(month=SEPTEMBER, now=NEXT_YEAR)
    reassign(key, bco)
    close_month(month=OCTOBER, now=NEXT_YEAR)

    restate(usage, Decimal(60))

    assert pending() == [(bco.pk, Decimal(-40))]


def test_late_price_beside_one_that_was_taken_back_is_billed() -> None:
    """The same key and model: what its known days have come to cost more."""
    acme, _bco, key = make_world()
    taken_back = make_usage(project=key, day=SEPTEMBER, cost=Decimal(5))
    late = make_usage(project=key, day=SEPTEMBER + timedelta(days=1), cost=None)
    close_month(month=SEPTEMBER, now=NEXT_YEAR)

    restate(taken_back, None)
    restate(late, Decimal(8))

    assert pending() == [(acme.pk, Decimal(3))]


def test_draft_says_that_it_waits_for_a_price() -> None:
    """It has no amount for it, and what it comes to is marked."""
    _acme, _bco, key = make_world()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    close_month(month=SEPTEMBER, now=NEXT_YEAR)

    restate(usage, None)

    assert (draft().waiting, draft().lines, draft().unpriced) == ((SEPTEMBER,), (), 1)


def test_page_of_the_draft_says_that_it_waits_for_a_price(signed_in: Client) -> None:
    """And of which month."""
    acme, _bco, key = make_world()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    close_month(month=SEPTEMBER, now=NEXT_YEAR)

    restate(usage, None)

    page = signed_in.get(f"/companies/{acme.pk}/statements/2026-10/").content.decode()
    assert "Usage of September 2026 that was billed has no price any more." in page


def test_what_waits_is_not_frozen() -> None:
    """No statement of nothing else is made, month after month; once it is priced the next one carries it."""
    _acme, _bco, key = make_world()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(100))
    close_month(month=SEPTEMBER, now=NEXT_YEAR)
    restate(usage, None)

    close_month(month=OCTOBER, now=NEXT_YEAR)
    restate(usage, Decimal(90))
    close_month(month=NOVEMBER, now=NEXT_YEAR)

    assert [line.cost for line in StatementLine.objects.adjustments()] == [Decimal(-10)]
    assert [statement.closed_month.month for statement in Statement.objects.order_by("closed_month__month")] == [
        SEPTEMBER,
        NOVEMBER,
    ]
