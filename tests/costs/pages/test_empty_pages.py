"""A page on which there is nothing yet leads on."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.mark.parametrize(
    ("page", "leads_to"),
    [
        ("/", "/providers/add/"),
        ("/providers/", "/providers/add/"),
        ("/keys/", "/providers/add/"),
        ("/keys/changes/", "/keys/"),
        ("/companies/", "/companies/add/"),
        ("/companies/suggested/", "/companies/"),
        ("/statements/", "/providers/"),
        ("/models/", "/providers/"),
        ("/rules/", "/rules/add/"),
        ("/budgets/", "/budgets/add/"),
        ("/alerts/", "/budgets/add/"),
        ("/settings/tokens/", "/settings/tokens/add/"),
        ("/settings/webhooks/", "/settings/webhooks/add/"),
    ],
)
def test_an_empty_page_leads_on(signed_in: Client, now: object, page: str, leads_to: str) -> None:
    """By a link in its main part, whatever the navigation above has."""
    main = signed_in.get(page).content.decode().partition("<main")[2]

    assert f'href="{leads_to}"' in main
