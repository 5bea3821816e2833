"""How budgets stand, on pages of the apps below, which know no budgets."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser, User

from alerts.models import Budget
from alerts.permissions import CHANGE_BUDGETS
from alerts.standing import standing_of
from providers.models import Company
from providers.permissions import SEE_PROVIDERS

register = template.Library()

SHOWN_ON_DASHBOARD = 4


@register.inclusion_tag("budgets/_of_company.html")
def budgets_of(company: Company, user: User | AnonymousUser) -> dict[str, Any]:
    """A company's own budgets as bars; nothing for its viewers, to whom they are not shown."""
    budgets = Budget.objects.select_related("company").for_company(company.pk) if user.has_perm(SEE_PROVIDERS) else ()
    return {
        "company": company,
        "standings": [standing_of(budget) for budget in budgets],
        "may_change": user.has_perm(CHANGE_BUDGETS),
    }


@register.inclusion_tag("budgets/_tightest.html")
def tightest_budgets() -> dict[str, Any]:
    """Those of which the largest share is spent or foreseen."""
    budgets = Budget.objects.with_subjects().exclude(spent=None)
    standings = sorted((standing_of(budget) for budget in budgets), key=lambda one: one.tightness, reverse=True)
    return {"standings": standings[:SHOWN_ON_DASHBOARD], "number": len(standings)}
