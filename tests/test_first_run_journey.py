"""From nothing to twenty-five companies with their spend, as a person does it: how many actions that takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Locator, Page, expect

from elevenlabs_sync.simulator import SIMULATED_API_KEY, SimulatedWorkspace, SimulatorServer
from elevenlabs_sync.simulator.cast import CLIENT_WORK, FLASH, STEADY, SimulatedKey, Use
from tests.browsing import listen_for_complaints
from tests.services.product import ADMIN_PASSWORD, EmbeddedProduct
from tests.services.truth import today

pytestmark = pytest.mark.browser

CLIENTS = (
    *("Acme", "Bluebird", "Cedar Health", "Dune Audio", "Elm Street Bank", "Fjord Line", "Globex", "Harbor Clinic"),
    *("Initech", "Juniper Travel", "Kestrel Air", "Lantern Books", "Meridian Logistics", "Northwind", "Oakfield"),
    *("Pine Hotels", "Quartz Media", "Riverside Dental", "Summit Gyms", "Tidewater", "Umbra Games", "Velvet Radio"),
    *("Willow Care", "Xenon Labs", "Yarrow Foods"),
)
# As people name keys: each client has one of each.
NAMES = ("{} – support line", "{}: IVR", "{}_prod_tts")
MOST_ACTIONS = 20


class Agency(SimulatedWorkspace):
    """Twenty-five clients with three keys each, and no other."""

    @property
    def cast(self) -> tuple[SimulatedKey, ...]:
        return tuple(
            SimulatedKey(f"{client}-{number}", name.format(client), (Use(FLASH, 900),), STEADY, CLIENT_WORK)
            for client in CLIENTS
            for number, name in enumerate(NAMES)
        )


@dataclass
class Person:
    """Uses the product, and counts what they do; looking and waiting are no actions."""

    page: Page
    did: list[str] = field(default_factory=list)

    def opens(self, url: str) -> None:
        self.did.append(f"open {url}")
        self.page.goto(url)

    def types(self, label: str, text: str) -> None:
        self.did.append(f"type {label}")
        self.page.get_by_label(label, exact=True).fill(text)

    def presses(self, name: str) -> None:
        self._click(name, self.page.get_by_role("button", name=name, exact=True))

    def follows(self, name: str) -> None:
        self._click(name, self.page.get_by_role("link", name=name).first)

    def _click(self, name: str, what: Locator) -> None:
        self.did.append(f"click {name}")
        what.click()


@pytest.fixture
def agency() -> Iterator[SimulatorServer]:
    with SimulatorServer(Agency(today(), history_days=40)) as server:
        yield server


def test_twenty_five_clients_are_companies_within_twenty_actions(
    embedded: EmbeddedProduct, agency: SimulatorServer, page: Page
) -> None:
    """Sign in, connect, look at what the names of keys suggest, apply it; every company then has its spend."""
    complaints = listen_for_complaints(page)
    embedded.environment["ELEVENLABS_BASE_URL"] = agency.base_url
    embedded.start()
    person = Person(page)

    person.opens(embedded.url)
    person.types("Username", "admin")
    person.types("Password", ADMIN_PASSWORD)
    person.presses("Sign in")
    person.follows("Add Provider")
    person.types("Name", "Production")
    person.types("API Key", SIMULATED_API_KEY)
    person.presses("Connect Provider")
    expect(page.get_by_text("Initial sync finished.")).to_be_visible(timeout=60_000)
    person.follows("Dashboard")
    person.follows("We see 25 client names in your API keys")
    person.presses("Preview")
    person.presses("Apply")
    person.follows("90 days")  # on the first of a month its own have no price yet
    expect(page.get_by_role("link", name="90 days")).to_have_attribute("aria-current", "true")

    rows = page.get_by_role("table").first.locator("tbody tr")
    shown = {row.split("\t")[0].strip(): row for row in rows.all_inner_texts()}
    assert set(CLIENTS) <= shown.keys()
    assert {client for client in CLIENTS if "$" not in shown[client] or "$0.00" in shown[client]} == set()
    assert len(person.did) <= MOST_ACTIONS, person.did
    assert complaints == []
