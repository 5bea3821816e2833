"""Plans that were stored before they had one form."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from providers.plan import Plan
from tests.factories import make_provider

pytestmark = pytest.mark.any_engine


migration = import_module("providers.migrations.0005_plans_in_one_form")

OLD = {
    "tier": "scale",
    "status": "past_due",
    "billing_period": "annual_period",
    "character_refresh_period": "monthly_period",
    "character_count": 412_000,
    "character_limit": 500_000,
    "next_character_count_reset_unix": 1_796_083_200,
    "currency": "usd",
    "current_overage": {"amount": "12.50", "currency": "usd"},
    "has_open_invoices": False,
    "next_invoice_amount_due_cents": 9_901,
}


@pytest.mark.django_db
def test_a_stored_plan_keeps_what_it_says() -> None:
    """In the form that every type stores; converting it again changes nothing."""
    provider = make_provider(subscription=OLD)

    migration.convert(apps, None)
    migration.convert(apps, None)

    provider.refresh_from_db()
    plan = Plan.of(provider.subscription)
    assert plan is not None
    assert plan.resets_at is not None
    assert (plan.name, plan.status, plan.used, plan.included) == ("scale", "past_due", 412_000, 500_000)
    assert (plan.resets_at.isoformat(), plan.period_months) == ("2026-12-01T00:00:00+00:00", 1)
    assert (str(plan.overage), str(plan.next_invoice)) == ("$12.50", "$99.01")


@pytest.mark.parametrize("value", [None, True, "many", 10**400, {}, {"amount": "NaN"}])
def test_what_a_stored_plan_can_not_hold_is_unknown(value: object) -> None:
    """Whatever an earlier release had stored, it stays readable."""
    plan = Plan.of(migration.normalised(dict.fromkeys(OLD, value)))

    assert plan is not None
    assert (plan.used, plan.included, plan.resets_at, plan.overage, plan.next_invoice) == (None,) * 5
