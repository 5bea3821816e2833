"""What the browser tests share: signing in as a person does, and the simulated workspace as they find it."""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from elevenlabs_sync.simulator import SimulatedWorkspace
from tests.services.product import ADMIN_PASSWORD, EmbeddedProduct


def sign_in(page: Page, product: EmbeddedProduct) -> None:
    page.goto(f"{product.url}/accounts/login/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()


def listen_for_complaints(page: Page) -> list[str]:
    """What the browser will have complained about; grows while the page is used."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # Chromium reports every answer of 400 and above; a form with errors and a missing page are meant.
        meant = any(f"status of {status}" in message.text for status in (404, 422))
        if message.type in {"error", "warning"} and not meant:
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    return complaints


def dollars(amount: Decimal) -> str:
    return f"${amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def cost_of(workspace: SimulatedWorkspace, *names: str, first: date, last: date) -> Decimal:
    """What the keys of these names cost on the days ``first`` to ``last``."""
    rows = workspace.rows(first, last)
    return sum((row.cost for row in rows if row.cost is not None and row.key_name in names), Decimal(0))


def choose_company(field: Locator, name: str) -> None:
    """By its whole name, of those that there are or as a new one; nothing is saved yet."""
    field.fill(name)
    field.press("Enter")
    expect(field).to_have_attribute("aria-expanded", "false")


def open_row(page: Page, key: str) -> Locator:
    """The field in which the company of a key is chosen, in its row."""
    page.get_by_role("row", name=key).get_by_role("link", name=re.compile("^(Assign|Change) ")).click()
    return page.get_by_role("combobox", name="Company", exact=True)
