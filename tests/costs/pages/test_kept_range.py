"""The days that somebody looks at stay the same from page to page."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.costs.worlds import make_workspace

pytestmark = pytest.mark.any_engine


def navigation(client: Client, url: str) -> list[str]:
    html = client.get(url).content.decode()
    return re.findall(r'href="([^"]*)"', html[html.index('aria-label="Main"') : html.index("</nav>")])


def test_the_navigation_keeps_the_range(signed_in: Client) -> None:
    """On links to pages with figures."""
    make_workspace()

    links = navigation(signed_in, "/?from=2026-11-01&to=2026-11-10&by=model")

    days = "?from=2026-11-01&amp;to=2026-11-10"
    assert links[:4] == [f"/{days}", f"/companies/{days}", f"/keys/{days}", "/statements/"]


def test_the_navigation_adds_nothing_that_is_no_day(signed_in: Client) -> None:
    """And nothing where the address has no range."""
    make_workspace()

    assert navigation(signed_in, "/?from=yesterday&to=%22")[0] == "/"
    assert navigation(signed_in, "/")[0] == "/"


def test_assign_them_leads_to_the_unassigned_keys(signed_in: Client) -> None:
    """Of every workspace."""
    make_workspace()

    assert '<a href="/keys/?unassigned=yes">Assign them</a>' in signed_in.get("/").content.decode()
