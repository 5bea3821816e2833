"""API keys found and assigned in a real Chromium against the real thing, by keyboard alone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browsing import listen_for_complaints, sign_in
from tests.services.product import EmbeddedProduct

pytestmark = pytest.mark.browser


def focus_by_tab(page: Page, element: Locator) -> None:
    """As somebody without a mouse gets there; it must take fewer stops than a page has rows."""
    for _stop in range(60):
        if element.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("The Tab key does not lead there.")


def test_all_that_match_go_to_a_new_company_and_back_by_keyboard(demo: EmbeddedProduct, page: Page) -> None:
    """Search, select all that match, create the company, see what moves, assign, undo."""
    sign_in(page, demo)
    complaints = listen_for_complaints(page)
    page.goto(f"{demo.url}/keys/")
    page.wait_for_load_state()
    focus_by_tab(page, page.get_by_role("searchbox", name="Search"))

    page.keyboard.type("northwind")
    expect(page.get_by_role("link", name="“northwind” : remove this filter")).to_be_visible()
    expect(page).to_have_url(f"{demo.url}/keys/?q=northwind")
    found = page.get_by_role("checkbox", name="Select all 2 that match")
    focus_by_tab(page, found)
    page.keyboard.press("Space")
    company = page.get_by_role("combobox", name="Assign to company…")
    focus_by_tab(page, company)
    page.keyboard.type("Northwind Air")
    expect(page.get_by_role("option", name="Create “Northwind Air”")).to_be_visible()
    assert Axe().run(page).violations_count == 0
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="What moves").get_by_role("row", name="Northwind Air")).to_be_visible()
    assert Axe().run(page).violations_count == 0
    page.keyboard.press("Enter")

    done = page.get_by_role("status").filter(has_text="2 keys assigned to Northwind Air.")
    undo = done.get_by_role("button", name="Undo")
    expect(undo).to_be_in_viewport()
    expect(page.get_by_role("table", name="API keys").get_by_text("Northwind Air")).to_have_count(2)
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Undone")).to_be_visible()
    expect(page.get_by_role("table", name="API keys").get_by_text("Northwind Air")).to_have_count(0)
    assert complaints == []


def test_what_was_typed_and_not_chosen_is_not_sent(demo: EmbeddedProduct, page: Page) -> None:
    """Escape closes the list and brings back what was chosen; a name that is none is refused in the browser."""
    sign_in(page, demo)
    page.goto(f"{demo.url}/keys/1/")
    page.wait_for_load_state()
    company = page.get_by_role("combobox", name="Assign to company")
    company.focus()

    page.keyboard.type("Nobody yet")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).not_to_be_visible()
    page.keyboard.press("Escape")
    expect(company).to_have_value("")
    page.keyboard.type("Nobody yet")
    page.get_by_role("button", name="Assign", exact=True).click()

    assert company.evaluate("field => field.validationMessage") == "Choose a company from the list, or “Create”."
    expect(page).to_have_url(f"{demo.url}/keys/1/")
