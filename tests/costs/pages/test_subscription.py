"""The subscription card, of a stored plan that holds what can't be."""

from __future__ import annotations

import pytest

from costs.pages.subscription import read_plan
from costs.pages.words import words_for


@pytest.mark.parametrize("value", [10**400, 2**53, -1, True, "7", 1.5, "2026-13-01", {"amount": "x"}])
def test_stored_figure_that_can_not_be_is_not_shown(value: object) -> None:
    """Nor a share of it."""
    stored = dict.fromkeys(("used", "included", "resets_at", "period_months", "next_invoice", "overage"), value)

    plan = read_plan(stored, words_for())

    assert plan is not None
    assert (plan.used, plan.resets, plan.next_invoice, plan.overage) == ("", "", "", "")
