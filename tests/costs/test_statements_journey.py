"""Closing a month and printing a statement, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from providers.models import Company
from tests.costs.worlds import AUGUST, OCTOBER, SEPTEMBER, close, make_key, make_settled, restate
from tests.factories import TODAY, make_company, make_usage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NOT_ON_PAPER = ("Dashboard", "LLM Providers", "Sign out", "Settings", "CSV", "Print", "PDF", "Skip to", "http")


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """What the browser complains about while the test runs; it must be nothing, which is asserted at the end."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    yield found
    assert found == []


@pytest.fixture
def operators_page(page: Page, live_server: LiveServer, signed_in: Client, complaints: list[str]) -> Page:
    """The browser of the operator."""
    cookie = signed_in.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    return page


def make_acme(keys: int = 2) -> Company:
    """Acme used ``keys`` keys in October, and one in September that has been restated since it was closed."""
    acme = make_company(name="Acme", markup_percent=Decimal(20))
    provider = make_settled(AUGUST, TODAY, name="Production")
    for number in range(keys):
        key = make_key(acme, provider=provider, name=f"Key {number}", hint="a91f")
        for model in ("eleven_v3", "eleven_flash_v2_5"):
            make_usage(project=key, day=OCTOBER, model=model, cost=Decimal("1.25"))
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(4))
    make_usage(project=make_key(None, provider=provider), day=date(2026, 10, 2), cost=Decimal(3))
    close(SEPTEMBER)
    restate(usage, Decimal("3.50"))
    return acme


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_a_month_is_closed_and_its_statement_printed(operators_page: Page, live_server: LiveServer) -> None:
    """From the list of months by its button; every page on the way is without barriers, at 320 px as well."""
    page = operators_page
    make_acme()

    def look() -> None:
        found = Axe().run(page)
        assert found.response["passes"]
        assert found.violations_count == 0, found.generate_report()
        size = page.viewport_size
        page.set_viewport_size({"width": 320, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == 320, page.url
        if size:
            page.set_viewport_size(size)

    page.goto(f"{live_server.url}/statements/")
    look()
    page.get_by_role("link", name="Close October 2026…").click()
    expect(page.get_by_role("heading", name="Close October 2026", level=1)).to_be_visible()
    expect(page.get_by_text("$3.00 of unassigned usage")).to_be_visible()
    expect(page.get_by_role("row", name="Acme")).to_contain_text("−$0.50")
    look()
    page.get_by_role("button", name="Close October 2026").click()
    expect(page.get_by_role("status")).to_contain_text("October 2026 is closed: 1 statement is frozen.")
    look()
    page.get_by_role("link", name="Acme").click()
    expect(page.get_by_text("Closed on 22 Nov 2026")).to_be_visible()
    expect(page.get_by_role("row", name="Total with mark-up")).to_contain_text("$5.40")
    look()

    page.emulate_media(media="print")
    paper = page.locator("body").inner_text()
    assert paper.startswith("For the agency: with API keys and costs.")
    assert [word for word in NOT_ON_PAPER if word in paper] == []
    assert [pages_of(page.pdf(format=size)) for size in ("A4", "Letter")] == [1, 1]


def test_a_long_statement_prints_black_on_white_on_as_many_pages_as_it_needs(
    operators_page: Page, live_server: LiveServer
) -> None:
    """Also from dark mode; nothing is cut off at the side."""
    page = operators_page
    acme = make_acme(keys=40)
    page.emulate_media(color_scheme="dark")
    page.goto(f"{live_server.url}/companies/{acme.pk}/statements/2026-10/")
    dark = page.evaluate("getComputedStyle(document.querySelector('.statement')).color")

    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 680, "height": 900})  # what A4 leaves between its margins

    assert dark != "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.querySelector('.statement')).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    assert page.evaluate("getComputedStyle(document.querySelector('.statement thead')).display") == "table-header-group"
    assert 3 <= pages_of(page.pdf(format="A4")) <= 6


def test_the_print_button_opens_the_browsers_print(operators_page: Page, live_server: LiveServer) -> None:
    """It is there only with scripts, which it needs."""
    page = operators_page
    acme = make_acme()
    page.goto(f"{live_server.url}/companies/{acme.pk}/statements/2026-10/")
    page.evaluate("window.print = () => { document.title = 'printed' }")

    page.get_by_role("button", name="Print").click()

    expect(page).to_have_title("printed")
