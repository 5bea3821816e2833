"""Who pays for what, as a person finds it out: rules, splits, dates, closing a month, and taking the figures away.

In a real Chromium against the real thing and a simulated workspace, whose exact figures the pages must show.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from elevenlabs_sync.simulator import SimulatedWorkspace
from elevenlabs_sync.simulator.running import workspace_today
from tests.browsing import choose_company, cost_of, dollars, listen_for_complaints, sign_in
from tests.services.product import EmbeddedProduct
from tests.services.truth import today

pytestmark = pytest.mark.browser

HARBOR = ("Harbor Clinic – intake transcripts", "Harbor Clinic – reminders")
HARBOR_AGENT = "Harbor Clinic – booking line"
LANTERN = "Lantern Books – audiobooks"
MERIDIAN = "Meridian Logistics – dispatch"
OAKFIELD = "Oakfield Bank – hotline"


@pytest.fixture(scope="module")
def product(demo: EmbeddedProduct) -> EmbeddedProduct:
    """With the simulated workspace, of which no key is assigned yet. Each test takes keys of its own."""
    return demo


@pytest.fixture
def browsing(product: EmbeddedProduct, page: Page) -> Iterator[Page]:
    """Signed in; at the end the browser must have complained of nothing."""
    complaints = listen_for_complaints(page)
    sign_in(page, product)
    yield page
    assert complaints == []


@pytest.fixture
def workspace() -> SimulatedWorkspace:
    return workspace_today()


def settled_month() -> tuple[date, date]:
    """The first and last day of the latest month whose figures have all settled."""
    last = today().replace(day=1) - timedelta(days=1)
    if today() < last + timedelta(days=9):
        last = last.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def query(first: date, last: date) -> str:
    return f"?from={first}&to={last}"


def usage_rows(product: EmbeddedProduct, first: date, last: date) -> list[dict[str, str]]:
    exported = product.manage("export_usage", "--from", str(first), "--to", str(last))
    assert exported.returncode == 0, exported.stderr
    return list(csv.DictReader(io.StringIO(exported.stdout)))


def cost_in(rows: list[dict[str, str]], **cells: str) -> Decimal:
    """The exact sum of the rows with these cells."""
    found = [row for row in rows if all(row[name] == value for name, value in cells.items())]
    return sum((Decimal(row["cost"]) for row in found if row["cost"]), Decimal(0))


def test_a_rule_is_previewed_applied_and_undone(
    product: EmbeddedProduct, browsing: Page, workspace: SimulatedWorkspace
) -> None:
    """The preview lists what would change, the company then has exactly that, and Undo takes it back."""
    page, (first, last) = browsing, settled_month()
    page.goto(f"{product.url}/companies/add/")
    page.get_by_label("Name").fill("Harbor Clinic")
    page.get_by_role("button", name="Add Company").click()
    page.goto(f"{product.url}/rules/add/")
    page.get_by_label("Keys whose name").select_option("starts with")
    page.get_by_label("Pattern").fill("harbor")
    page.get_by_label("Belong to").select_option("Harbor Clinic")
    page.get_by_role("button", name="Add Rule").click()

    page.goto(f"{product.url}/rules/apply/")
    for key in (*HARBOR, HARBOR_AGENT):
        expect(page.get_by_role("row", name=key)).to_contain_text("Harbor Clinic")
    page.get_by_role("button", name="Apply to 2 keys and 1 agent").click()
    message = page.get_by_role("status").filter(has_text="2 keys and 1 agent assigned by rules.")
    expect(message).to_be_visible()
    spent = cost_of(workspace, *HARBOR, first=first, last=last + timedelta(days=1))
    rows = usage_rows(product, first, last)
    assert sum(cost_in(rows, company="Harbor Clinic", project=key) for key in HARBOR) == spent
    assert cost_in(rows, company="Harbor Clinic", project=HARBOR_AGENT) > 0

    message.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").filter(has_text="Undone")).to_be_visible()
    assert cost_in(usage_rows(product, first, last), company="Harbor Clinic") == 0


def test_a_key_is_split_between_companies(
    product: EmbeddedProduct, browsing: Page, workspace: SimulatedWorkspace
) -> None:
    """Shares that don't add up are refused with nothing lost; those that do divide every row, to the last digit."""
    page, (first, last) = browsing, settled_month()
    for name in ("Lantern Press", "Lantern Audio"):
        page.goto(f"{product.url}/companies/add/")
        page.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Add Company").click()
    page.goto(f"{product.url}/providers/1/")
    page.get_by_role("checkbox", name=f"Select {LANTERN}").check()
    page.get_by_role("button", name="Split between companies…").click()
    companies, percents = page.get_by_label("Company"), page.get_by_label("Percent")
    for number, (name, percent) in enumerate((("Lantern Press", "66.67"), ("Lantern Audio", "33"))):
        companies.nth(number).select_option(name)
        percents.nth(number).fill(percent)
    page.get_by_role("button", name="Split", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("100")

    percents.nth(1).fill("33.33")
    page.get_by_role("button", name="Split", exact=True).click()

    expect(page.get_by_role("row", name=LANTERN)).to_contain_text("Lantern Press 66.67 % · Lantern Audio 33.33 %")
    rows = usage_rows(product, first, last)
    press, audio = (cost_in(rows, company=name) for name in ("Lantern Press", "Lantern Audio"))
    assert press + audio == cost_of(workspace, LANTERN, first=first, last=last + timedelta(days=1))
    page.goto(f"{product.url}/companies/{query(first, last)}")
    expect(page.get_by_role("row", name="Lantern Press")).to_contain_text(dollars(press))
    expect(page.get_by_role("row", name="Lantern Audio")).to_contain_text(dollars(audio))


def test_an_assignment_from_a_date_leaves_the_day_before(product: EmbeddedProduct, browsing: Page) -> None:
    """By keyboard alone; the old company keeps what was before."""
    page, (first, last) = browsing, settled_month()
    page.goto(f"{product.url}/providers/1/")
    page.get_by_role("checkbox", name=f"Select {MERIDIAN}").focus()
    page.keyboard.press("Space")
    choose_company(page.get_by_label("Assign to company…"), "Meridian")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="1 key assigned to Meridian.")).to_be_visible()

    expect(page.get_by_role("checkbox", name=f"Select {MERIDIAN}")).to_be_checked()
    choose_company(page.get_by_label("Assign to company…"), "Meridian Express")
    page.get_by_label("From a date").focus()
    page.keyboard.press("Space")
    page.get_by_label("From (UTC)").fill(str(first.replace(day=15)))
    page.get_by_label("From (UTC)").press("Enter")
    expect(page.get_by_role("status").filter(has_text="1 key assigned to Meridian Express from")).to_be_visible()

    rows = [row for row in usage_rows(product, first, last) if row["project"] == MERIDIAN]
    assert {row["company"] for row in rows if row["date"] < str(first.replace(day=15))} == {"Meridian"}
    assert {row["company"] for row in rows if row["date"] >= str(first.replace(day=15))} == {"Meridian Express"}
    page.goto(f"{product.url}/companies/{query(first.replace(day=14), first.replace(day=14))}")
    day_before = cost_in(rows, date=str(first.replace(day=14)))
    expect(
        page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Meridian", exact=True))
    ).to_contain_text(dollars(day_before))


def test_a_closed_month_stays_and_the_next_statement_carries_what_changed(
    product: EmbeddedProduct, browsing: Page, workspace: SimulatedWorkspace
) -> None:
    """A mark-up stands beside the cost; after a reassignment the frozen statement is as it was sent."""
    page, (first, last) = browsing, settled_month()
    product.manage(
        "assign_project", "--provider", "Simulated workspace", "--project", OAKFIELD, "--company", "Oakfield"
    )
    cost = cost_of(workspace, OAKFIELD, first=first, last=last + timedelta(days=1))
    page.goto(f"{product.url}/companies/")
    page.get_by_role("link", name="Oakfield").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Mark-up on statements").fill("20")
    page.get_by_role("button", name="Save").click()

    page.goto(f"{product.url}/statements/{first:%Y-%m}/close/")
    expect(page.get_by_role("row", name="Oakfield")).to_contain_text(dollars(cost))
    page.get_by_role("button", name=f"Close {first:%B %Y}").click()
    expect(page.get_by_role("status").filter(has_text=f"{first:%B %Y}")).to_be_visible()
    page.get_by_role("link", name="Oakfield").click()
    statement_url = page.url
    page.goto(statement_url)
    total = page.get_by_role("table", name="Total")
    expect(total).to_contain_text(dollars(cost))
    expect(total).to_contain_text(dollars(cost * Decimal("0.2")))
    expect(total).to_contain_text(dollars(cost * Decimal("1.2")))
    frozen = page.get_by_role("article").inner_text()

    product.manage(
        "assign_project", "--provider", "Simulated workspace", "--project", OAKFIELD, "--company", "Elsewhere"
    )

    page.goto(statement_url)
    assert page.get_by_role("article").inner_text() == frozen
    following = (last + timedelta(days=1)).strftime("%Y-%m")
    page.goto(f"{statement_url.rsplit('/', 2)[0]}/{following}/")
    adjustments = page.get_by_role("table", name="Adjustments")
    expect(adjustments).to_contain_text(f"−{dollars(cost)}")


def test_a_statement_prints_to_one_clean_page(product: EmbeddedProduct, browsing: Page) -> None:
    """Without navigation and buttons, in ink on paper, even when the screen is dark."""
    page, (first, _last) = browsing, settled_month()
    product.manage(
        "assign_project", "--provider", "Simulated workspace", "--project", "Dana's laptop", "--company", "Dana"
    )
    page.goto(f"{product.url}/companies/")
    page.get_by_role("link", name="Dana").click()
    page.locator("main").get_by_role("link", name="Statements").click()
    page.goto(f"{page.url.rstrip('/')}/{first:%Y-%m}/")
    page.emulate_media(media="print", color_scheme="dark")

    document = page.pdf(format="A4")

    assert document.count(b"/Type /Page\n") == 1
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}


def test_figures_are_taken_away_as_files(product: EmbeddedProduct, browsing: Page, tmp_path: Path) -> None:
    """The table as it stands, every usage row, and FOCUS: names say what they hold, and the sums are the same."""
    page, (first, last) = browsing, settled_month()
    page.goto(f"{product.url}/{query(first, last)}")
    expected = cost_in(usage_rows(product, first, last))

    with page.expect_download() as table:
        page.locator("section", has_text="Companies").get_by_role("link", name="CSV (this view)").last.click()
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as usage:
        page.get_by_role("link", name="Usage CSV").click()
    with page.expect_download() as focus:
        page.get_by_role("link", name="FOCUS 1.2 CSV").click()

    dates = f"{first}-to-{last}"
    names = [download.value.suggested_filename for download in (table, usage, focus)]
    assert names == [f"administrate-{kind}-{dates}.csv" for kind in ("companies", "usage", "focus")]
    sums = []
    for download, column in ((table, "Spend (USD)"), (usage, "cost"), (focus, "BilledCost")):
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        rows = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
        sums.append(sum((Decimal(row[column]) for row in rows if row[column]), Decimal(0)))
    assert sums == [expected] * 3
