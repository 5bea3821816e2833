"""The theme, and the pages of errors."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory

from accounts.models import Role
from administrate.views import server_error
from tests.factories import make_user

pytestmark = pytest.mark.any_engine


@pytest.mark.parametrize("theme", ["system", "light", "dark"])
def test_the_theme_is_remembered_in_a_cookie(signed_in: Client, theme: str) -> None:
    """And every page carries it."""
    response = signed_in.post("/settings/theme/", {"theme": theme, "next": "/companies/"})

    assert response["Location"] == "/companies/"
    assert f'data-theme="{theme}"' in signed_in.get("/settings/").content.decode()


def test_an_unknown_theme_is_refused(signed_in: Client) -> None:
    """400, no cookie."""
    response = signed_in.post("/settings/theme/", {"theme": '"><script>'})

    assert response.status_code == 400
    assert "theme" not in response.cookies


def test_a_forged_theme_cookie_is_ignored(signed_in: Client) -> None:
    """Nothing of it reaches the page."""
    signed_in.cookies["theme"] = "evil"

    assert 'data-theme="system"' in signed_in.get("/settings/").content.decode()


def test_compact_rows_are_remembered_in_a_cookie(signed_in: Client) -> None:
    """On every page from then on, and until comfortable ones are chosen again."""
    before = signed_in.get("/companies/").content.decode()
    signed_in.post("/settings/theme/", {"theme": "dark", "rows": "compact"})
    compact = signed_in.get("/companies/").content.decode()
    signed_in.post("/settings/theme/", {"theme": "dark", "rows": "comfortable"})

    assert ["data-rows" in page for page in (before, compact)] == [False, True]
    assert "data-rows" not in signed_in.get("/companies/").content.decode()


def test_unknown_rows_are_refused(signed_in: Client) -> None:
    """400, and a forged cookie counts as none."""
    signed_in.cookies["rows"] = "evil"

    assert signed_in.post("/settings/theme/", {"theme": "dark", "rows": "evil"}).status_code == 400
    assert "data-rows" not in signed_in.get("/settings/").content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "\\\\evil.example"])
def test_the_theme_form_never_leads_to_another_site(signed_in: Client, target: str) -> None:
    """An unsafe address is replaced by the settings page."""
    response = signed_in.post("/settings/theme/", {"theme": "dark", "next": target})

    assert response["Location"] == "/settings/"


def test_the_theme_is_changed_by_post(signed_in: Client) -> None:
    """Not by a link."""
    assert signed_in.get("/settings/theme/").status_code == 405


def test_an_unknown_address_has_a_page(client: Client) -> None:
    """For anybody, without touching the database."""
    response = client.get("/nothing-here/")

    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


VIEWERS_PAGES = ["Dashboard", "Companies", "API keys", "Statements", "LLM Providers", "Settings"]


@pytest.mark.parametrize(
    ("role", "path", "status", "pages"),
    [
        (Role.ADMIN, "/nothing-here/", 404, VIEWERS_PAGES),
        (Role.VIEWER, "/providers/add/", 403, VIEWERS_PAGES),
        (Role.COMPANY_VIEWER, "/providers/", 404, ["Your companies", "Settings"]),
    ],
)
def test_what_cannot_be_opened_keeps_the_navigation(
    client: Client, db: None, role: Role, path: str, status: int, pages: list[str]
) -> None:
    """With the pages that the person may open, and nothing of others."""
    client.force_login(make_user(role=role))

    response = client.get(path)

    navigation = response.content.decode().partition('aria-label="Main"')[2].partition("</nav>")[0]
    assert response.status_code == status
    assert re.findall(r">([^<>]+)</a>", navigation) == pages
    assert f">Go to {pages[0]}</a>" in response.content.decode()


def test_a_form_that_has_expired_keeps_the_navigation(operator: User) -> None:
    """It is most likely the person's own."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(operator)

    response = browser.post("/settings/theme/", {"theme": "dark"})

    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()
    assert 'aria-label="Main"' in response.content.decode()


def answer_to(error: Exception) -> HttpResponse:
    """The error page, asked for while ``error`` is handled – as Django does."""

    def fail() -> None:
        raise error

    try:
        fail()
    except Exception:  # noqa: BLE001 - whichever it is
        return server_error(RequestFactory().get("/"))
    raise AssertionError


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("gone")])
def test_a_database_that_is_away_is_a_503(error: Exception) -> None:
    """With when to try again, and without reading from the database."""
    response = answer_to(error)

    assert response.status_code == 503
    assert response["Retry-After"]
    assert "The database does not answer" in response.content.decode()


def test_any_other_exception_is_a_500() -> None:
    """A plain page that tells nothing of the cause."""
    response = answer_to(ValueError("a secret detail"))

    assert response.status_code == 500
    assert "a secret detail" not in response.content.decode()


def test_a_failing_database_reaches_the_person_as_a_503(
    client: Client, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    """Through the whole stack, from a view that needs a row."""
    client.raise_request_exception = False
    client.force_login(make_user())

    def fail(*_args: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("costs.pages.views.dashboard.providers_and_closing", fail)

    response = client.get("/")

    assert response.status_code == 503


def test_every_answer_carries_the_strict_policy(signed_in: Client) -> None:
    """No inline script or style can run, whatever gets onto a page."""
    policy = signed_in.get("/settings/")["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
