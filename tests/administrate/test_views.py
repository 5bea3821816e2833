"""Settings, the theme, signing in, and the pages of errors."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory

from administrate import __version__
from administrate.views import server_error
from tests.factories import make_provider, make_user


def test_settings_tell_what_runs_here(signed_in: Client) -> None:
    """Version, mode, engine, providers."""
    make_provider()

    page = signed_in.get("/settings/").content.decode()

    assert __version__ in page
    assert "Embedded" in page
    assert "22 Nov 2026, 12:18 UTC" in page


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


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "\\\\evil.example"])
def test_the_theme_form_never_leads_to_another_site(signed_in: Client, target: str) -> None:
    """An unsafe address is replaced by the settings page."""
    response = signed_in.post("/settings/theme/", {"theme": "dark", "next": target})

    assert response["Location"] == "/settings/"


def test_the_theme_is_changed_by_post(signed_in: Client) -> None:
    """Not by a link."""
    assert signed_in.get("/settings/theme/").status_code == 405


def test_signing_in_leads_to_the_dashboard(client: Client, operator: User) -> None:
    """With the fields that scripts rely on."""
    response = client.post("/accounts/login/", {"login": "operator", "password": "a-long-password"})

    assert response["Location"] == "/"


def test_a_wrong_password_is_said_in_one_sentence(client: Client, operator: User) -> None:
    """422, the same words whether the name exists or not, the password never echoed."""
    wrong = client.post("/accounts/login/", {"login": "operator", "password": "not-the-password"})
    unknown = client.post("/accounts/login/", {"login": "nobody-here", "password": "not-the-password"})

    for response in (wrong, unknown):
        page = response.content.decode()
        assert response.status_code == 422
        assert "Username or password is incorrect." in page
        assert "<title>Error: Sign in" in page
        assert "not-the-password" not in page


def test_too_many_wrong_passwords_mean_a_wait(client: Client, operator: User) -> None:
    """The sixth attempt is answered with how long to wait, even with the right password."""
    for _attempt in range(5):
        client.post("/accounts/login/", {"login": "operator", "password": "not-the-password"})

    response = client.post("/accounts/login/", {"login": "operator", "password": "a-long-password"})

    assert "Too many attempts. Try again in 5 minutes." in response.content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/"])
def test_signing_in_never_leads_to_another_site(client: Client, operator: User, target: str) -> None:
    """An unsafe `next` is ignored."""
    response = client.post(
        f"/accounts/login/?next={target}", {"login": "operator", "password": "a-long-password", "next": target}
    )

    assert response["Location"] == "/"


def test_the_password_can_be_changed(signed_in: Client, operator: User) -> None:
    """With the old one; the new one holds afterwards."""
    form = {"oldpassword": "a-long-password", "password1": "another-long-one", "password2": "another-long-one"}

    response = signed_in.post("/accounts/password/change/", form)

    operator.refresh_from_db()
    assert response.status_code == 302
    assert operator.check_password("another-long-one")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["signup/", "email/", "password/reset/", "password/set/", "confirm-email/", "login/code/confirm/"]
)
def test_pages_that_need_mail_or_public_sign_up_do_not_exist(client: Client, path: str) -> None:
    """An admin makes the accounts."""
    assert client.get(f"/accounts/{path}").status_code == 404


@pytest.mark.django_db
def test_the_admin_signs_in_through_the_same_door(client: Client) -> None:
    """One throttle for both."""
    response = client.get("/admin/", follow=True)

    assert response.redirect_chain[-1][0].startswith("/accounts/login/")


def test_the_admin_refuses_who_is_not_staff(signed_in: Client) -> None:
    """403, not a second sign-in form."""
    assert signed_in.get("/admin/login/").status_code == 403


def test_staff_find_the_admin_in_the_navigation(signed_in: Client, operator: User) -> None:
    """Others don't."""
    before = signed_in.get("/settings/").content.decode()
    User.objects.filter(pk=operator.pk).update(is_staff=True)

    after = signed_in.get("/settings/").content.decode()

    assert 'href="/admin/"' not in before
    assert 'href="/admin/"' in after


def test_an_unknown_address_has_a_page(client: Client) -> None:
    """For anybody, without touching the database."""
    response = client.get("/nothing-here/")

    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


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

    monkeypatch.setattr("costs.views.dashboard.Provider.objects.all", fail)

    response = client.get("/")

    assert response.status_code == 503


def test_every_answer_carries_the_strict_policy(signed_in: Client) -> None:
    """No inline script or style can run, whatever gets onto a page."""
    policy = signed_in.get("/settings/")["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
