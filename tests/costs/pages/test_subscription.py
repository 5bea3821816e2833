"""The subscription card, of snapshots that were stored before their figures were bounded."""

from __future__ import annotations

import pytest

from costs.pages.views.subscription import read_plan


@pytest.mark.parametrize("count", [10**400, 2**53, -1, True, "7", 1.5])
def test_stored_count_that_can_not_be_is_not_shown(count: object) -> None:
    """Nor a share of it."""
    names = ("character_count", "character_limit", "next_character_count_reset_unix", "next_invoice_amount_due_cents")

    plan = read_plan({"currency": "usd"} | dict.fromkeys(names, count))

    assert plan is not None
    assert (plan.used, plan.resets, plan.next_invoice) == ("", "", "")
