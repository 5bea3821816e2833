"""What a person does with the product, in a real Chromium against the real thing and a simulated workspace.

Every page is also held to what all pages promise: no console errors, nothing that axe objects to, room on a narrow
screen. Elements are found as a person finds them, by role and label.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from elevenlabs_sync.simulator import SIMULATED_API_KEY, SimulatedWorkspace, SimulatorServer
from tests.browsing import choose_company, cost_of, dollars, listen_for_complaints, open_row, sign_in
from tests.services.product import EmbeddedProduct
from tests.services.truth import BACKFILL_DAYS, backfilled_totals, exported_totals, today

pytestmark = pytest.mark.browser

NORTHWIND = ("Northwind – support line", "Northwind – IVR")
JUNIPER = "Juniper Travel – concierge"
SYNC_MILLISECONDS = 30_000
PAGES = (
    "/accounts/login/",
    "/",
    "/?by=model",
    "/providers/",
    "/providers/add/",
    "/providers/1/",
    "/providers/1/?metric=credits",
    "/companies/",
    "/keys/",
    "/keys/1/",
    "/keys/changes/",
    "/keys/reassign/?projects=1&company=1",
    "/companies/add/",
    "/companies/1/",
    "/companies/1/edit/",
    "/companies/?show=all",
    "/companies/1/statements/",
    "/companies/1/statements/2026-01/",
    "/statements/",
    "/models/",
    "/models/usage/?model=eleven_v3&metric=credits",
    "/providers/1/split/?projects=1&projects=2",
    "/providers/1/keyless/",
    "/rules/",
    "/rules/add/",
    "/rules/apply/",
    "/companies/suggested/",
    "/search/?q=north",
    "/budgets/",
    "/budgets/add/",
    "/alerts/",
    "/settings/",
    "/settings/views/",
    "/settings/notifications/",
    "/settings/watching/",
    "/settings/webhooks/",
    "/settings/tokens/",
    "/settings/agency/",
    "/settings/members/",
    "/settings/members/1/",
    "/settings/about/",
    "/accounts/password/change/",
    "/nothing-here/",
)


@pytest.fixture
def console(page: Page) -> Iterator[list[str]]:
    """What the browser complains about while the test runs; it must be nothing, which is asserted at the end."""
    complaints = listen_for_complaints(page)
    yield complaints
    assert complaints == []


@pytest.fixture
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatedWorkspace(today())) as server:
        yield server


@pytest.fixture(scope="module")
def assigned(demo: EmbeddedProduct) -> EmbeddedProduct:
    """The demo with one company that has keys."""
    for key in NORTHWIND:
        assign = ("--provider", "Simulated workspace", "--project", key, "--company", "Northwind")
        assert demo.manage("assign_project", *assign).returncode == 0
    return demo


def whole_history(workspace: SimulatedWorkspace) -> str:
    """The query string for every day of an initial sync."""
    start, _end = _days(workspace)
    return f"?from={start}&to={workspace.today}"


def _days(workspace: SimulatedWorkspace) -> tuple[date, date]:
    end = workspace.today + timedelta(days=1)
    return end - timedelta(days=BACKFILL_DAYS), end


def test_from_sign_in_to_what_a_company_spends(
    embedded: EmbeddedProduct, simulator: SimulatorServer, page: Page, console: list[str]
) -> None:
    """Sign in, connect, watch the sync, assign keys: dashboard, provider, companies and export say the same."""
    embedded.environment["ELEVENLABS_BASE_URL"] = simulator.base_url
    embedded.start()
    workspace = simulator.current_workspace()
    total = backfilled_totals(workspace)

    # A fresh start offers one thing to do.
    page.goto(embedded.url)
    sign_in(page, embedded)
    page.get_by_role("link", name="Add Provider").click()

    # Keys that don't work are answered in words, and nothing that was typed is lost.
    page.get_by_label("Name").fill("Production ElevenLabs")
    page.get_by_role("button", name="Connect Provider").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter an API key.")
    key_field = page.get_by_label("API Key", exact=True)
    key_field.fill("sk_" + "0" * 48)
    page.get_by_role("button", name="Connect Provider").click()
    expect(page.get_by_role("alert")).to_contain_text("ElevenLabs did not accept this key")
    expect(page.get_by_label("Name")).to_have_value("Production ElevenLabs")
    expect(key_field).to_have_value("sk_" + "0" * 48)

    # The right one leads to the provider's page, which tells how the sync goes on without being reloaded.
    key_field.fill(SIMULATED_API_KEY)
    page.get_by_role("button", name="Connect Provider").click()
    expect(page.get_by_role("heading", name="Production ElevenLabs", level=1)).to_be_visible()
    expect(page.get_by_text("Initial sync finished. Assign")).to_be_visible(timeout=SYNC_MILLISECONDS)
    assert SIMULATED_API_KEY not in page.content()

    # Two keys at once to a new company, then one more by its own row, which is undone again.
    provider_url = f"{page.url.split('?')[0]}{whole_history(workspace)}"
    page.goto(provider_url)
    for name in NORTHWIND:
        page.get_by_role("checkbox", name=f"Select {name}").check()
    choose_company(page.get_by_label("Assign to company…"), "Northwind")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="2 keys assigned to Northwind.")).to_be_visible()
    choose_company(open_row(page, JUNIPER), "Northwind")
    page.get_by_role("button", name="Save", exact=True).click()
    message = page.get_by_role("status").filter(has_text="1 key assigned to Northwind.")
    expect(message).to_be_visible()
    message.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").filter(has_text="Undone")).to_be_visible()
    expect(page.get_by_role("table", name="API keys").locator("tfoot")).to_contain_text(dollars(total.cost))

    # Dashboard and companies: the company's part, the rest, and the same total.
    first, last = _days(workspace)
    northwind = cost_of(workspace, *NORTHWIND, first=first, last=last)
    for path, caption in (("/", "Spend per company"), ("/companies/", "")):
        page.goto(f"{embedded.url}{path}{whole_history(workspace)}")
        table = page.get_by_role("table", name=caption) if caption else page.get_by_role("table").first
        expect(table.get_by_role("row", name="Northwind")).to_contain_text(dollars(northwind))
        expect(table.get_by_role("row", name="Unassigned")).to_contain_text(dollars(total.cost - northwind))
        expect(table.get_by_role("row", name="Total")).to_contain_text(dollars(total.cost))
    page.get_by_role("link", name="Northwind").click()
    expect(page.get_by_role("heading", name="Northwind", level=1)).to_be_visible()
    expect(page.get_by_text(dollars(northwind)).first).to_be_visible()

    # The export is the same to the last digit.
    export = embedded.manage("export_usage")
    assert exported_totals(export.stdout) == total


def test_a_simulated_workspace_is_one_click_away_and_says_what_it_is(
    embedded: EmbeddedProduct, page: Page, console: list[str]
) -> None:
    """From the empty dashboard to imported figures without a key, marked as simulated."""
    embedded.start()
    sign_in(page, embedded)

    page.get_by_role("button", name="Try it with a simulated workspace").click()

    expect(page.get_by_text("Initial sync finished. Assign")).to_be_visible(timeout=SYNC_MILLISECONDS)
    expect(page.get_by_text("Simulated", exact=False).first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier_or_a_console_error(
    assigned: EmbeddedProduct, page: Page, console: list[str], scheme: str
) -> None:
    """Axe finds nothing on any page, in either theme."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    barriers = {}
    for path in PAGES:
        page.goto(f"{assigned.url}{path}")
        found = Axe().run(page)
        assert found.response["passes"], path
        if found.violations_count:
            barriers[path] = found.generate_report()
        if path == "/accounts/login/":
            sign_in(page, assigned)

    assert barriers == {}


def test_every_page_fits_a_narrow_screen(assigned: EmbeddedProduct, page: Page, console: list[str]) -> None:
    """At 320 px, and at 200 % on a screen of 1,280, no page scrolls sideways; only tables do, inside themselves."""
    too_wide = []
    for path in PAGES:
        page.goto(f"{assigned.url}{path}")
        for width in (320, 640):
            page.set_viewport_size({"width": width, "height": 800})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                too_wide.append((path, width))
        if path == "/accounts/login/":
            sign_in(page, assigned)

    assert too_wide == []


def test_keys_are_assigned_without_javascript(assigned: EmbeddedProduct, browser: Browser) -> None:
    """Sign in, follow a key's row to its page, choose a company, press the button: assigned."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, assigned)
        page.goto(f"{assigned.url}/providers/1/")
        page.get_by_role("link", name=f"Assign {JUNIPER} to a company").click()

        page.get_by_label("Assign to company").select_option("Northwind")
        page.get_by_role("button", name="Assign", exact=True).click()

        expect(page.get_by_role("status").filter(has_text="1 key assigned to Northwind.")).to_be_visible()


def test_six_wrong_passwords_lead_to_a_wait(assigned: EmbeddedProduct, page: Page) -> None:
    """Guessing is throttled with a sentence, at the admin's door as well, which is the same one."""
    for _attempt in range(6):
        page.goto(f"{assigned.url}/admin/")
        page.get_by_label("Username").fill("somebody")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_text("Too many attempts. Try again in 5 minutes.")).to_be_visible()
