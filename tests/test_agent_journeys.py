"""Agents, as a person works with them: assigned by their tag, and attributed before keys with a month closed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import listen_for_complaints, sign_in
from tests.services.product import EmbeddedProduct
from tests.services.truth import today

pytestmark = pytest.mark.browser

DISPATCH = "Meridian Logistics – dispatch"
AGENTS = ("Meridian Logistics – customers", "Meridian Logistics – drivers")
Costs = dict[tuple[str, str], Decimal]


@pytest.fixture
def browsing(demo: EmbeddedProduct, page: Page) -> Iterator[Page]:
    """Signed in; at the end the browser must have complained of nothing."""
    complaints = listen_for_complaints(page)
    sign_in(page, demo)
    yield page
    assert complaints == []


def costs(product: EmbeddedProduct) -> Costs:
    """By company and project."""
    exported = product.manage("export_usage")
    assert exported.returncode == 0, exported.stderr
    sums: Costs = {}
    for row in csv.DictReader(io.StringIO(exported.stdout)):
        named = (row["company"], row["project"])
        sums[named] = sums.get(named, Decimal(0)) + Decimal(row["cost"] or 0)
    return sums


def closable_month() -> date:
    """The latest month whose figures have all settled."""
    last = today().replace(day=1) - timedelta(days=1)
    return (last if today() >= last + timedelta(days=9) else last.replace(day=1) - timedelta(days=1)).replace(day=1)


def test_agents_are_assigned_by_tag_and_come_before_their_key(demo: EmbeddedProduct, browsing: Page) -> None:
    """What they used of the key moves to their company; all together is what it was, and the month stays closed."""
    page = browsing
    assert demo.manage("add_rule", "--tag", "meridian", "--company", "Meridian").returncode == 0
    page.goto(f"{demo.url}/rules/apply/")
    page.get_by_role("button", name="Apply to 2 agents").click()
    expect(page.get_by_role("status").filter(has_text="2 agents assigned by rules.")).to_be_visible()
    assign = ("--provider", "Simulated workspace", "--project", DISPATCH, "--company", "Dispatch")
    assert demo.manage("assign_project", *assign).returncode == 0
    assert demo.manage("close_month", "--month", f"{closable_month():%Y-%m}").returncode == 0
    before = costs(demo)

    page.goto(f"{demo.url}/providers/1/agents/")
    page.get_by_label("Agent", exact=True).check()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("status").filter(has_text="The history is being read again.")).to_be_visible()
    demo.wait_for_runs(2)
    after = costs(demo)
    moved = [after["Meridian", agent] for agent in AGENTS]
    assert min(moved) > 0
    assert after["Dispatch", DISPATCH] == before["Dispatch", DISPATCH] - sum(moved)
    assert sum(after.values()) == sum(before.values())
    page.goto(f"{demo.url}/statements/")
    expect(page.get_by_text("Closed").first).to_be_visible()
