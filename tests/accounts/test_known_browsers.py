"""The cookie by which a browser is known: for one person, until the password changes, and good for nothing else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from accounts.known_browsers import COOKIE, known_browser, mark_known
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

RIGHT = {"login": "anna", "password": "a-long-password"}


@pytest.fixture
def anna() -> User:
    return make_user(username="anna")


def asking(cookie: str) -> HttpRequest:
    request = RequestFactory().get("/accounts/login/")
    request.user = AnonymousUser()
    request.COOKIES[COOKIE] = cookie
    return request


def cookie_of(user: User) -> str:
    response = HttpResponse()
    mark_known(response, user)
    return str(response.cookies[COOKIE].value)


def test_signing_in_makes_a_browser_known(client: Client, anna: User, settings: Settings) -> None:
    """By a cookie that no script reads, that travels encrypted, and only to where passwords are asked for."""
    settings.SESSION_COOKIE_SECURE = True

    cookie = client.post("/accounts/login/", RIGHT).cookies[COOKIE]

    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Strict")
    assert (cookie["path"], cookie["max-age"]) == ("/accounts/", 180 * 24 * 60 * 60)
    assert known_browser(asking(cookie.value), anna)


def test_wrong_password_makes_none_known(client: Client, anna: User) -> None:
    """Nor does the first of two steps."""
    response = client.post("/accounts/login/", RIGHT | {"password": "not-the-password"})

    assert COOKIE not in response.cookies


def test_it_is_known_to_one_person(anna: User) -> None:
    """Who may sign in is not thereby spared when guessing at somebody else."""
    assert known_browser(asking(cookie_of(anna)), make_user(username="berta")) == ""


@pytest.mark.parametrize("cookie", ["", "x", "W10:1uO:x", "a:b:c:d", "\N{SNOWMAN}"])
def test_what_was_not_signed_here_counts_for_nothing(anna: User, cookie: str) -> None:
    """Whatever it is."""
    assert known_browser(asking(cookie), anna) == ""


def test_changed_password_ends_it_everywhere_but_here(client: Client, anna: User) -> None:
    """Somebody may have signed in with the old one."""
    elsewhere = cookie_of(anna)
    client.post("/accounts/login/", RIGHT)

    form = {"oldpassword": "a-long-password", "password1": "another-long-one", "password2": "another-long-one"}
    here = client.post("/accounts/password/change/", form).cookies[COOKIE].value

    anna.refresh_from_db()
    assert known_browser(asking(elsewhere), anna) == ""
    assert known_browser(asking(here), anna)


def test_it_signs_nobody_in(anna: User) -> None:
    """It only spares a wait."""
    browser = Client()
    browser.cookies[COOKIE] = cookie_of(anna)

    assert browser.get("/settings/").status_code == 302
