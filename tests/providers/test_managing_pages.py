"""Managing a provider in a real Chromium: by keyboard, without scripts, without barriers, on a narrow screen."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from elevenlabs_sync.simulator import SIMULATED_API_KEY
from tests.services.product import ADMIN_PASSWORD, EmbeddedProduct

pytestmark = pytest.mark.browser

PAGES = ("", "rename/", "key/", "pause/", "resume/", "resync/", "credit-rate/", "delete/", "restatements/")


def sign_in(page: Page, product: EmbeddedProduct) -> None:
    page.goto(f"{product.url}/accounts/login/?next=/providers/1/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier_an_error_or_too_little_room(demo: EmbeddedProduct, page: Page, scheme: str) -> None:
    """Axe finds nothing, the console is silent, and at 320 px nothing scrolls sideways, the open menu included."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 320, "height": 800})
    sign_in(page, demo)
    found = {}
    for path in PAGES:
        page.goto(f"{demo.url}/providers/1/{path}")
        if not path:
            page.get_by_text("Manage", exact=True).click()
        axe = Axe().run(page)
        found[path] = (axe.violations_count, page.evaluate("document.documentElement.scrollWidth"))

    assert found == dict.fromkeys(PAGES, (0, 320))
    assert complaints == []


def test_the_menu_works_by_keyboard(demo: EmbeddedProduct, page: Page) -> None:
    """Enter opens it, Tab walks it, Escape closes it and gives the focus back; a link leads on."""
    sign_in(page, demo)
    summary = page.locator("main details.menu > summary")
    rename = page.get_by_role("link", name="Rename")

    summary.focus()
    page.keyboard.press("Enter")
    expect(rename).to_be_visible()
    page.keyboard.press("Tab")
    expect(rename).to_be_focused()
    page.keyboard.press("Escape")
    expect(rename).to_be_hidden()
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Rename Simulated workspace")).to_be_visible()


def test_everything_is_done_without_scripts(demo: EmbeddedProduct, browser: Browser) -> None:
    """Rename, pause, resume, re-sync, try a bad key, put the good one back, disconnect, connect again."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, demo)

        def choose(name: str) -> None:
            page.goto(f"{demo.url}/providers/1/")
            page.get_by_text("Manage", exact=True).click()
            page.locator(".menu").get_by_role("link", name=name).click()

        def replace_key(key: str) -> None:
            choose("Replace key")
            page.get_by_label("New API Key").fill(key)
            page.get_by_role("button", name="Replace key").click()

        choose("Rename")
        page.get_by_label("Name").fill("Renamed")
        page.get_by_role("button", name="Rename").click()
        expect(page.get_by_role("status").filter(has_text="is now called Renamed.")).to_be_visible()

        choose("Pause syncing")
        page.get_by_role("button", name="Pause syncing").click()
        expect(page.get_by_text("Syncing is paused.", exact=True)).to_be_visible()
        choose("Resume syncing")
        page.get_by_role("button", name="Resume syncing").click()
        expect(page.get_by_role("status").filter(has_text="Renamed is resumed.")).to_be_visible()

        choose("Re-sync a range")
        page.get_by_role("button", name="Re-sync").click()
        expect(page.get_by_role("heading", name="Renamed", level=1)).to_be_visible()

        replace_key("sk_" + "0" * 48)
        expect(page.get_by_role("alert")).to_contain_text("ElevenLabs did not accept this key")
        replace_key(SIMULATED_API_KEY)
        expect(page.get_by_role("status").filter(has_text="The key was replaced.")).to_be_visible()

        choose("Delete")
        page.get_by_role("button", name="Disconnect").click()
        expect(page.get_by_text("Disconnected.", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Sync now")).to_have_count(0)
        replace_key(SIMULATED_API_KEY)
        expect(page.get_by_role("status").filter(has_text="The key was replaced.")).to_be_visible()
        expect(page.get_by_role("button", name="Sync now")).to_be_visible()
