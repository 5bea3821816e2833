"""Inviting, joining, second factors and passkeys in a real Chromium, under the policy that allows nothing inline."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal import auth
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.services.product import ADMIN_PASSWORD, EmbeddedProduct

pytestmark = pytest.mark.browser

PERIOD = 30
AGING = """
from accounts.sessions import SessionStore
def age(key):
    session = SessionStore(key)
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.save()
"""
PAGES = (
    "/accounts/confirm/",
    "/settings/",
    "/settings/security/",
    "/settings/agency/",
    "/settings/security/authenticator-app/add/",
    "/settings/security/passkeys/add/",
    "/settings/tokens/",
    "/settings/tokens/add/",
    "/api/v1/docs",
    "/settings/members/",
    "/settings/members/invite/",
    "/settings/members/1/",
    "/settings/members/1/remove/",
    "/settings/audit/",
    "/settings/about/",
    "/accounts/password/change/",
)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedProduct]:
    with EmbeddedProduct(tmp_path_factory.mktemp("people") / "home") as product:
        product.start()
        yield product


@pytest.fixture(scope="module")
def site(product: EmbeddedProduct) -> str:
    """By its name: browsers give no passkeys to a bare address."""
    return product.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def people(browser: Browser) -> Iterator[Iterator[BrowserContext]]:
    """One browser after another, none of which may complain of anything but refused forms."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        meant = any(f"status of {status}" in message.text for status in (404, 422))
        if message.type in {"error", "warning"} and not meant:
            complaints.append(message.text)

    def fresh() -> Iterator[BrowserContext]:
        while True:
            context = browser.new_context()
            context.on("console", listen)
            context.on("weberror", lambda error: complaints.append(str(error.error)))
            contexts.append(context)
            yield context

    yield fresh()
    for context in contexts:
        context.close()
    assert complaints == []


def give_authenticator(page: Page) -> None:
    """A device that keeps passkeys and says yes to everything."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_in(page: Page, site: str, username: str = "admin", password: str = ADMIN_PASSWORD) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def let_time_pass(product: EmbeddedProduct, page: Page) -> None:
    """As long as signing in counts as having confirmed who it is."""
    [key] = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "sessionid"]
    done = product.manage("shell", "--command", f"{AGING}\nage({key!r})")
    assert done.returncode == 0, done.stderr


def confirm(page: Page, password: str) -> None:
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Confirm").click()


def fresh_code(secret: str, used_at: int) -> tuple[str, int]:
    """The app's code of a time step in which none was used yet, and that step."""
    while (step := int(time.time()) // PERIOD) <= used_at or time.time() % PERIOD > PERIOD - 5:
        time.sleep(0.5)
    return auth.format_hotp_value(auth.hotp_value(secret, step)), step


def test_an_invited_person_joins_and_secures_the_account(site: str, people: Iterator[BrowserContext]) -> None:
    """The link from one browser opens in another; there an authenticator app is set up and asked for."""
    admin, invited = next(people).new_page(), next(people).new_page()
    sign_in(admin, site)
    admin.get_by_role("link", name="Settings").click()
    admin.get_by_role("link", name="Members").click()
    admin.get_by_role("link", name="Invite").click()
    expect(admin.get_by_role("group", name="Companies of a Company viewer")).to_be_hidden()
    admin.get_by_label("Company viewer", exact=True).check()
    expect(admin.get_by_role("group", name="Companies of a Company viewer")).to_be_visible()
    admin.get_by_label("Member", exact=True).check()
    admin.get_by_role("button", name="Make invitation link").click()
    link = admin.get_by_label("Link").input_value()

    invited.goto(link)
    invited.get_by_label("Username").fill("berta")
    invited.get_by_label("Password", exact=True).fill("berta-berta-berta")
    invited.get_by_label("Password again").fill("a typing error")
    invited.get_by_role("button", name="Join").click()
    expect(invited.get_by_role("alert")).to_contain_text("The two passwords differ.")
    invited.get_by_label("Password", exact=True).fill("quite-a-long-one")
    invited.get_by_label("Password again").fill("quite-a-long-one")
    invited.get_by_role("button", name="Join").click()
    expect(invited.get_by_role("navigation", name="Main")).to_contain_text("LLM Providers")
    expect(invited.get_by_role("navigation", name="Main")).not_to_contain_text("Your companies")

    invited.goto(f"{site}/settings/security/")
    invited.get_by_role("link", name="Set up an authenticator app").click()
    expect(invited.get_by_role("img", name="QR code")).to_be_visible()
    secret = invited.locator("code").inner_text()
    code, step = fresh_code(secret, 0)
    invited.get_by_label("Authenticator code").fill(code)
    invited.get_by_role("button", name="Turn on").click()
    expect(invited.get_by_role("heading", name="Recovery codes")).to_be_visible()

    sign_out(invited)
    sign_in(invited, site, "berta", "quite-a-long-one")
    expect(invited.get_by_role("heading", name="Second step")).to_be_visible()
    code, _step = fresh_code(secret, step)
    invited.get_by_label("Code").fill(code)
    invited.get_by_role("button", name="Sign in").click()
    expect(invited.get_by_role("navigation", name="Main")).to_be_visible()

    admin.goto(f"{site}/settings/members/")
    expect(admin.get_by_role("row", name="berta")).to_contain_text("On")


def test_a_passkey_signs_in_alone_and_as_a_second_step(site: str, people: Iterator[BrowserContext]) -> None:
    """Added, used in both ways, and removed."""
    page = next(people).new_page()
    give_authenticator(page)
    sign_in(page, site)
    page.goto(f"{site}/settings/security/")
    page.get_by_role("link", name="Add passkey").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()

    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()

    sign_out(page)
    sign_in(page, site)
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()

    page.goto(f"{site}/settings/security/")
    page.get_by_role("link", name="Remove Laptop").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    expect(page.get_by_role("link", name="Remove Laptop")).to_have_count(0)


def test_a_passkey_that_is_not_given_is_said(site: str, people: Iterator[BrowserContext]) -> None:
    """In words, where the button is, which works again."""
    page = next(people).new_page()
    give_authenticator(page)
    page.goto(f"{site}/accounts/login/")

    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_role("alert")).to_contain_text("The passkey was not used.")
    expect(page.get_by_role("button", name="Use a passkey")).not_to_have_attribute("aria-disabled", "true")


@pytest.mark.parametrize("scripts", [True, False])
def test_an_api_key_outlives_the_question_who_it_is(
    product: EmbeddedProduct, browser: Browser, *, scripts: bool
) -> None:
    """Confirmed in another tab, the form is sent again with the key in it, which no page has shown."""
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    sign_in(page, product.url)
    page.goto(f"{product.url}/providers/add/")
    page.get_by_label("API Key", exact=True).fill("sk_" + "5a" * 24)
    page.get_by_label("Name").fill("Agency")
    let_time_pass(product, page)

    page.get_by_role("button", name="Connect Provider").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    with context.expect_page() as opened:
        page.get_by_role("link", name="in a new tab").click()
    confirm(opened.value, ADMIN_PASSWORD)
    expect(opened.value.get_by_role("heading", name="Add Provider")).to_be_visible()
    if scripts:
        expect(page.get_by_label("API Key", exact=True)).to_have_value("sk_" + "5a" * 24)
        page.get_by_role("button", name="Connect Provider").click()
    else:
        page.reload()

    expect(page.get_by_role("alert")).to_contain_text("Could not connect")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_have_no_barriers(site: str, people: Iterator[BrowserContext], scheme: str) -> None:
    """Axe finds nothing, and none scrolls sideways at 320 px."""
    page = next(people).new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    sign_in(page, site)
    barriers, widths = {}, {}
    for path in PAGES:
        page.set_viewport_size({"width": 1200, "height": 800})
        page.goto(f"{site}{path}")
        found = Axe().run(page)
        assert found.response["passes"], path
        barriers[path] = found.generate_report() if found.violations_count else 0
        page.set_viewport_size({"width": 320, "height": 800})
        widths[path] = page.evaluate("document.documentElement.scrollWidth")

    assert barriers == dict.fromkeys(barriers, 0)
    assert widths == dict.fromkeys(widths, 320)
