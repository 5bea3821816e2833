"""The subscription card, of a stored plan that holds what can't be."""

from __future__ import annotations

from dataclasses import replace

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


INVOICE = {"next_invoice": {"amount": "330", "currency": "usd"}}


@pytest.mark.parametrize(
    ("overage", "shown"),
    [
        ({"amount": "0", "currency": "usd"}, ("Overage", "$0.00", "so far")),
        (None, ("Overage", "—", "Prism does not report it by itself")),
    ],
)
def test_parts_of_the_next_invoice_are_those_that_are_reported(overage: object, shown: tuple[str, str, str]) -> None:
    """What is not reported is unknown, and nothing is worked out."""
    words = replace(words_for(), name="Prism", invoice_explained="The plan is billed.")

    plan = read_plan(INVOICE | {"overage": overage}, words)

    assert plan is not None
    assert plan.invoice_parts == (
        ("Plan fee", "—", "Prism does not report it by itself"),
        shown,
        ("Next invoice", "$330.00", "as it stands"),
    )


@pytest.mark.parametrize("stored", [{}, INVOICE], ids=["no invoice", "a type without words"])
def test_no_invoice_is_explained_that_is_not_known(stored: dict[str, object]) -> None:
    """Nor where the type says nothing of invoices."""
    explained = "The plan is billed." if not stored else ""

    plan = read_plan(stored, replace(words_for(), invoice_explained=explained))

    assert plan is not None
    assert plan.invoice_parts == ()
