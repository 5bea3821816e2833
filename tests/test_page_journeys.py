"""What happens on a page to the person who is in the middle of it: their place, their ticks, what they typed.

In a real Chromium against the real thing; the browser must complain of nothing while the pages are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browsing import choose_company, listen_for_complaints, open_row, sign_in
from tests.services.product import EmbeddedProduct
from tests.services.truth import today

pytestmark = pytest.mark.browser

PASTED = "sk_" + "5a" * 24
JUNIPER = "Juniper Travel – concierge"
LANTERN = "Lantern Books – audiobooks"
MERIDIAN = "Meridian Logistics – dispatch"
OAKFIELD = "Oakfield Bank – hotline"


@pytest.fixture(scope="module")
def product(demo: EmbeddedProduct) -> EmbeddedProduct:
    """With the simulated workspace, and a company that has one key of it."""
    assign(demo, OAKFIELD, "Acme")
    return demo


@pytest.fixture
def signed_in_page(product: EmbeddedProduct, page: Page) -> Page:
    """On a screen that is lower than the pages are."""
    page.set_viewport_size({"width": 1280, "height": 600})
    sign_in(page, product)
    return page


@pytest.fixture
def browsing(signed_in_page: Page) -> Iterator[Page]:
    """At the end the browser must have complained of nothing."""
    complaints = listen_for_complaints(signed_in_page)
    yield signed_in_page
    assert complaints == []


def assign(product: EmbeddedProduct, key: str, company: str) -> None:
    done = product.manage("assign_project", "--provider", "Simulated workspace", "--project", key, "--company", company)
    assert done.returncode == 0, done.stderr


def open_keys(page: Page, product: EmbeddedProduct) -> None:
    page.goto(f"{product.url}/providers/1/")
    page.get_by_role("heading", name="API keys").scroll_into_view_if_needed()


def top_of(element: Locator) -> float:
    """Where it stands on the screen."""
    return float(element.evaluate("element => element.getBoundingClientRect().top"))


def test_a_row_is_saved_by_its_button_where_the_person_is(product: EmbeddedProduct, browsing: Page) -> None:
    """The message and its Undo are in view, the row stays where it was, and so do ticks and focus."""
    page, row = browsing, browsing.get_by_role("row", name=JUNIPER)
    open_keys(page, product)
    page.get_by_role("checkbox", name=f"Select {LANTERN}").check()
    choose_company(open_row(page, JUNIPER), "Acme")
    place = top_of(row)

    page.get_by_role("button", name="Save", exact=True).click()

    message = page.get_by_role("status").filter(has_text="1 key assigned to Acme.")
    expect(message.get_by_role("button", name="Undo")).to_be_in_viewport()
    assert top_of(row) == pytest.approx(place, abs=2)
    expect(page.get_by_role("checkbox", name=f"Select {LANTERN}")).to_be_checked()
    expect(page.get_by_role("link", name=f"Change the company of {JUNIPER}")).to_be_focused()


def test_what_is_left_to_assign_is_told_anew_with_the_row(product: EmbeddedProduct, browsing: Page) -> None:
    """The banner above and the filter beside the keys say one number, before and after; the row stays in its place."""
    page, row = browsing, browsing.get_by_role("row", name=LANTERN)
    open_keys(page, product)
    banner = page.get_by_text("Initial sync finished. Assign")
    left, agents = map(int, re.findall(r"Assign (\d+) API keys and (\d+) agents", banner.inner_text())[0])
    choose_company(open_row(page, LANTERN), "Acme")
    place = top_of(row)

    page.get_by_role("button", name="Save", exact=True).click()

    expect(banner).to_contain_text(f"Assign {left - 1} API keys")
    expect(page.get_by_role("link", name=f"Unassigned ({left - 1 + agents})")).to_be_visible()
    assert top_of(row) == pytest.approx(place, abs=2)
    page.get_by_role("button", name="Undo").click()
    expect(banner).to_contain_text(f"Assign {left} API keys")


def test_an_arrow_key_chooses_and_saves_nothing(product: EmbeddedProduct, browsing: Page) -> None:
    """Enter chooses, and the button that comes next saves."""
    page = browsing
    open_keys(page, product)
    field = open_row(page, MERIDIAN)

    field.press("ArrowDown")
    expect(page.get_by_role("option", name="Acme")).to_have_attribute("aria-selected", "true")
    field.press("Tab")

    expect(field).to_have_value("")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_focused()
    page.reload()
    expect(page.get_by_role("link", name=f"Assign {MERIDIAN} to a company")).to_be_visible()


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ("refused", "This company doesn't exist any more."),
        ("failed", "That could not be saved."),
        ("lost", "That could not be saved."),
    ],
)
def test_a_row_that_was_not_saved_says_so_in_view_and_keeps_what_was_chosen(
    product: EmbeddedProduct, signed_in_page: Page, failure: str, said: str
) -> None:
    """The company went away meanwhile, the server made a mistake, or it was never reached."""
    page = signed_in_page
    open_keys(page, product)
    field = open_row(page, MERIDIAN)
    choose_company(field, "Acme")

    def answer(route: Route) -> None:
        if failure == "refused":
            route.continue_(post_data=(route.request.post_data or "").replace("company=", "company=9"))
        elif failure == "failed":
            route.fulfill(status=500, body="<h1>Something went wrong</h1>")
        else:
            route.abort()

    page.route("**/assign/", answer)
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("status").filter(has_text=said)).to_be_in_viewport()
    expect(field).to_have_value("Acme")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("link", name=f"Assign {MERIDIAN} to a company")).to_be_focused()


def test_ticks_and_place_survive_what_is_done_with_them(product: EmbeddedProduct, browsing: Page) -> None:
    """An error, a success and its Undo: the keys are still chosen, and the page stands where it stood."""
    page, lantern = browsing, browsing.get_by_role("checkbox", name=f"Select {LANTERN}")
    open_keys(page, product)
    lantern.check()
    page.get_by_label("From a date").check()
    page.get_by_label("From (UTC)").fill("2019-01-01")
    choose_company(page.get_by_label("Assign to company…"), "Lantern")
    lantern.evaluate("box => box.scrollIntoView({ block: 'center' })")
    place = top_of(lantern)

    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="The date must be between")).to_be_in_viewport()
    expect(lantern).to_be_checked()
    page.get_by_label("All history").check()
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="1 key assigned to Lantern.")).to_be_in_viewport()
    expect(lantern).to_be_checked()
    page.get_by_role("button", name="Undo").dispatch_event("click")
    expect(page.get_by_role("status").filter(has_text="Undone")).to_be_in_viewport()

    expect(lantern).to_be_checked()
    assert top_of(lantern) == pytest.approx(place, abs=2)


def test_ticks_wait_while_another_page_asks(product: EmbeddedProduct, browsing: Page) -> None:
    """Splitting, or from when on: whoever goes back finds the keys as they were chosen."""
    page, lantern = browsing, browsing.get_by_role("checkbox", name=f"Select {LANTERN}")
    open_keys(page, product)
    lantern.check()

    page.get_by_role("button", name="Split between companies…").click()
    page.get_by_role("link", name="Cancel").click()

    expect(lantern).to_be_checked()
    expect(page.get_by_text("1 selected")).to_be_visible()


@pytest.fixture
def adding(product: EmbeddedProduct, browsing: Page) -> Page:
    """The form of a new provider, with a key pasted already."""
    browsing.goto(f"{product.url}/providers/add/")
    browsing.get_by_label("API Key", exact=True).fill(PASTED)
    return browsing


def test_a_name_that_is_taken_is_said_when_its_field_is_left(adding: Page) -> None:
    """Before anything is sent, and taken back with the next name."""
    name = adding.get_by_label("Name")

    name.fill("simulated  WORKSPACE ")
    name.blur()
    expect(adding.get_by_text("A provider with this name already exists.")).to_be_visible()
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("Another")
    name.blur()

    expect(adding.get_by_text("A provider with this name already exists.")).to_have_count(0)


def test_a_refused_form_keeps_the_key_in_the_browser(adding: Page) -> None:
    """Only the errors come back: no answer holds the key, and the field still does."""
    answers: list[str] = []
    adding.on("response", lambda response: answers.append(response.text() if response.status == 422 else ""))
    adding.get_by_label("Name").fill("Simulated workspace")

    adding.get_by_role("button", name="Connect Provider").click()

    summary = adding.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("A provider with this name already exists.")
    expect(adding).to_have_title("Error: Add Provider · Administrate")
    expect(adding.get_by_label("API Key", exact=True)).to_have_value(PASTED)
    assert "There is a problem" in "".join(answers)
    assert PASTED not in "".join(answers)


def test_without_scripts_the_page_says_that_the_key_must_be_pasted_again(
    product: EmbeddedProduct, browser: Browser
) -> None:
    """It is never sent back."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, product)
        page.goto(f"{product.url}/providers/add/")
        page.get_by_label("Name").fill("Simulated workspace")
        page.get_by_label("API Key", exact=True).fill(PASTED)

        page.get_by_role("button", name="Connect Provider").click()

        expect(page.get_by_text("For safety the key was not kept: paste it again.")).to_be_visible()
        assert PASTED not in page.content()


def test_a_range_that_cannot_be_used_is_said_in_view_of_its_fields(product: EmbeddedProduct, browsing: Page) -> None:
    """The fields hold what was asked for, and lie over no error."""
    browsing.goto(f"{product.url}/?from=2026-03-10&to=2026-03-01")

    browsing.get_by_text("The range ends (1 Mar 2026) before it begins (10 Mar 2026).").click(trial=True)
    expect(browsing.get_by_label("From")).to_have_value("2026-03-10")
    expect(browsing.get_by_label("To", exact=True)).to_have_value("2026-03-01")


def test_a_company_prints_whole_on_a4(product: EmbeddedProduct, browsing: Page) -> None:
    """No table is wider than the sheet, where nobody can scroll."""
    browsing.set_viewport_size({"width": 688, "height": 1000})  # A4 without its margins
    browsing.emulate_media(media="print")
    for path in ("/companies/1/", "/providers/1/", "/companies/"):
        browsing.goto(f"{product.url}{path}")
        cut = browsing.evaluate(
            """[...document.querySelectorAll(".table-scroll:not(details *)")]
                .map((box) => box.querySelector("table").offsetWidth - box.offsetWidth)
                .filter((cut) => cut > 1)"""
        )
        assert cut == [], path


LONG_NAMES = """
from providers.models import AssignmentRule, Company
company = Company.objects.create(name="W" * 120)
AssignmentRule.objects.create(company=company, position=1, kind="starts_with", pattern="W" * 200)
print(company.pk)
"""


def test_one_long_word_stays_in_its_card(product: EmbeddedProduct, browsing: Page) -> None:
    """No page scrolls sideways for it, on a narrow screen or a wide one, and neither does the bulk bar."""
    pk = product.manage("shell", "-v", "0", "-c", LONG_NAMES).stdout.strip()
    assign(product, LANTERN, "W" * 120)
    paths = (
        "/",
        "/rules/",
        "/rules/apply/",
        f"/companies/{pk}/",
        f"/companies/{pk}/edit/",
        "/companies/",
        "/providers/1/",
    )
    wide = {}
    for width in (320, 1280):
        browsing.set_viewport_size({"width": width, "height": 800})
        for path in paths:
            browsing.goto(f"{product.url}{path}")
            wide[path, width] = browsing.evaluate("document.documentElement.scrollWidth") - width

    browsing.get_by_role("checkbox", name=f"Select {LANTERN}").check()

    assert {place: surplus for place, surplus in wide.items() if surplus > 0} == {}
    assert browsing.locator("#bulk").evaluate("bar => bar.scrollWidth - bar.clientWidth") == 0
    assert float(browsing.locator("#bulk-company-input").evaluate("field => field.offsetWidth")) < 300


def bars(page: Page) -> list[str]:
    """The paths of the chart's series; of one that is not drawn it is empty."""
    return [bar.get_attribute("d") or "" for bar in page.locator(".chart__bars").all()]


def point_at(page: Page, day: int, *, days: int) -> None:
    """With the mouse, the bar of this day of the chart, counted from nought."""
    box = page.locator(".chart__hits").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * (day + 0.5) / days, box["y"] + box["height"] / 2)


def test_a_chart_is_asked_with_the_mouse(product: EmbeddedProduct, browsing: Page) -> None:
    """The legend draws one series alone, dragging chooses days, the period before is a line, a bar leads to its day."""
    days = [today() - timedelta(days=back) for back in range(29, 19, -1)]
    browsing.goto(f"{product.url}/?from={days[0]}&to={days[-1]}")
    whole, acme = bars(browsing), browsing.get_by_role("button", name="Acme", exact=True)
    acme.click()
    expect(acme).to_have_attribute("aria-pressed", "true")
    assert [bar for bar in bars(browsing) if bar] != whole
    assert len([bar for bar in bars(browsing) if bar]) == 1
    acme.click()
    assert bars(browsing) == whole

    browsing.locator(".chart__hits").scroll_into_view_if_needed()
    point_at(browsing, 2, days=10)
    expect(browsing.locator(".chart__tip")).to_contain_text(f"{days[2].day} {days[2]:%b %Y}")
    browsing.mouse.down()
    point_at(browsing, 5, days=10)
    browsing.mouse.up()
    expect(browsing).to_have_url(f"{product.url}/?from={days[2]}&to={days[5]}")

    browsing.get_by_role("link", name="Period before").click()
    expect(browsing.locator(".chart__before")).to_have_count(1)
    expect(browsing.get_by_role("list", name="Legend")).to_contain_text("the period before")
    browsing.locator(".chart__hits").scroll_into_view_if_needed()
    point_at(browsing, 1, days=4)
    browsing.mouse.down()
    browsing.mouse.up()
    expect(browsing).to_have_url(re.compile(f"from={days[3]}&to={days[3]}"))


def test_companies_are_found_as_a_name_is_typed(product: EmbeddedProduct, browsing: Page) -> None:
    """In place and in the address; whoever types stays in the field."""
    browsing.goto(f"{product.url}/companies/?sort=name")
    browsing.wait_for_load_state()
    field = browsing.get_by_role("searchbox", name="Find a company")

    field.press_sequentially("acm")

    expect(browsing.get_by_role("heading", name="1 company found")).to_be_visible()
    expect(browsing.get_by_role("rowheader")).to_have_text(["Acme", "Total"])
    expect(browsing).to_have_url(f"{product.url}/companies/?sort=name&q=acm")
    expect(field).to_be_focused()
    assert Axe().run(browsing).violations_count == 0
    field.fill("")
    expect(browsing.get_by_role("rowheader", name="Unassigned")).to_be_visible()


def test_money_is_in_view_on_a_phone(product: EmbeddedProduct, browsing: Page) -> None:
    """Beside the name of each row, which stays; figures are two by two, and a shadow tells of what can be scrolled."""
    browsing.set_viewport_size({"width": 320, "height": 700})
    for path in ("/", "/companies/", "/keys/", "/providers/", "/providers/1/", "/statements/", "/models/"):
        browsing.goto(f"{product.url}{path}")
        box = browsing.locator(".table-scroll:not(.twin *)").first
        row = box.locator("tbody tr").first
        name, money = row.locator("th").first, row.locator("td.num").first
        expect(money).to_contain_text(re.compile(r"\$|—"))
        assert money.evaluate("cell => cell.getBoundingClientRect().right") <= 320, path
        assert name.evaluate("cell => getComputedStyle(cell).position") == "sticky", path
        assert box.evaluate("box => getComputedStyle(box).backgroundImage").count("gradient") == 4, path
    browsing.goto(product.url)
    columns = browsing.locator(".figures").evaluate("figures => getComputedStyle(figures).gridTemplateColumns")
    assert len(columns.split()) == 2


def test_palette_leads_anywhere_by_keyboard(browsing: Page, product: EmbeddedProduct) -> None:
    """It opens over any page, finds as one types, and closes on Escape; a letter after g goes to a page."""
    browsing.wait_for_load_state()  # keys do nothing before the scripts are there
    browsing.keyboard.press("Control+k")
    browsing.keyboard.type("lantern")
    expect(browsing.locator(".palette .is-chosen")).to_contain_text(LANTERN, timeout=20_000)
    browsing.keyboard.press("Escape")
    expect(browsing.locator(".palette")).not_to_be_visible()

    browsing.keyboard.press("/")
    browsing.keyboard.type("acme")
    expect(browsing.locator(".palette .is-chosen")).to_contain_text("Acme", timeout=20_000)
    browsing.keyboard.press("Enter")
    expect(browsing.get_by_role("heading", name="Acme", level=1)).to_be_visible()

    browsing.wait_for_load_state()
    browsing.keyboard.press("g")
    browsing.keyboard.press("s")
    expect(browsing).to_have_url(f"{product.url}/statements/")

    browsing.wait_for_load_state()
    browsing.keyboard.press("?")
    expect(browsing).to_have_url(f"{product.url}/search/#shortcuts")
    expect(browsing.get_by_role("region", name="Keyboard")).to_contain_text("g d")


def test_view_is_saved_from_the_menu(browsing: Page, product: EmbeddedProduct) -> None:
    """With the range that was chosen."""
    browsing.get_by_role("link", name="Last month").click()
    wanted = browsing.url

    browsing.locator("summary[aria-label='Saved views']").click()
    browsing.get_by_role("link", name="Save this view…").click()
    browsing.get_by_label("Name").fill("Last month at a glance")
    browsing.get_by_role("button", name="Save view").click()

    expect(browsing).to_have_url(wanted)
    browsing.goto(f"{product.url}/models/")
    browsing.locator("summary[aria-label='Saved views']").click()
    browsing.get_by_role("link", name="Last month at a glance").click()
    expect(browsing).to_have_url(wanted)
