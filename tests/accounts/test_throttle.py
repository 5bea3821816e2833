"""Guessing is slowed down, and strangers who guess keep nobody out."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from accounts import throttle
from accounts.models import Role
from administrate.logs import LineFormatter
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db

RIGHT = {"login": "anna", "password": "a-long-password"}
WRONG = {"login": "anna", "password": "not-the-password"}
TOO_MANY = "Too many attempts. Try again in 5 minutes."


@pytest.fixture
def anna() -> User:
    return make_user(username="anna", role=Role.MEMBER)


@pytest.fixture
def known(anna: User, settings: Settings) -> Client:
    """A browser in which Anna has signed in before, and is signed out."""
    browser = Client()
    browser.post("/accounts/login/", RIGHT)
    browser.post("/accounts/logout/")
    return browser


@pytest.fixture
def proxied(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("127.0.0.1")]


@pytest.fixture
def later(now: object, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Moves the clock to so many minutes after NOW."""
    return lambda minutes: monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(minutes=minutes))


def at(number: int) -> dict[str, str]:
    return {"X-Forwarded-For": f"198.51.100.{number}"}


def guess(times: int, *, login: str = "anna", client: Client | None = None, headers: Any = None) -> str:
    """Wrong passwords in a row from a browser that nobody knows; returns the last page."""
    page = ""
    for _attempt in range(times):
        answer = (client or Client()).post("/accounts/login/", WRONG | {"login": login}, headers=headers)
        page = answer.content.decode()
    return page


def signs_in(client: Client, headers: Any = None) -> bool:
    return client.post("/accounts/login/", RIGHT, headers=headers).status_code == 302


def test_ten_wrong_names_a_minute_keep_nobody_out(anna: User) -> None:
    """Also where all share one address, because nobody has said which proxies to trust."""
    for number in range(50):
        guess(1, login=f"somebody-{number}")

    assert signs_in(Client())


@pytest.mark.usefixtures("proxied")
def test_five_wrong_guesses_lock_a_name_only_where_they_were_made(anna: User) -> None:
    """The person signs in from elsewhere, in a browser that is new."""
    assert TOO_MANY in guess(6, headers=at(1))

    assert not signs_in(Client(), at(1))
    assert signs_in(Client(), at(2))


@pytest.mark.usefixtures("proxied")
def test_many_addresses_against_one_name_are_slowed(anna: User) -> None:
    """Twenty failures in all, then each new address has to wait – whether the name exists or not."""
    for login in ("anna", "nobody-here"):
        for number in range(20):
            assert TOO_MANY not in guess(1, login=login, headers=at(number))
        assert TOO_MANY in guess(1, login=login, headers=at(99))


def test_forged_address_does_not_evade(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a connection says of itself, it is one address: for one name, and for many."""
    monkeypatch.setattr(throttle, "ADDRESS", throttle.Rule(limit=10, window=300))
    for number in range(5):
        guess(1, headers=at(number))
    same_name = guess(1, headers=at(50))
    for number in range(5):
        guess(1, login=f"somebody-{number}", headers=at(number))

    assert TOO_MANY in same_name
    assert TOO_MANY in guess(1, login="one-more", headers=at(99))


def test_addresses_of_one_ipv6_network_are_one(anna: User) -> None:
    """A visitor can choose from billions of them."""
    for number in range(5):
        Client(REMOTE_ADDR=f"2001:db8::{number}").post("/accounts/login/", WRONG)

    page = Client(REMOTE_ADDR="2001:db8::ffff").post("/accounts/login/", RIGHT).content.decode()

    assert TOO_MANY in page


@pytest.mark.usefixtures("proxied")
def test_known_browser_is_spared_what_strangers_do(known: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have used up the name, the address and what is left for everybody."""
    monkeypatch.setattr(throttle, "ADDRESS", throttle.Rule(limit=10, window=300))
    for number in range(25):
        guess(1, headers=at(number))
        guess(1, login=f"somebody-{number}", headers=at(1))

    assert not signs_in(Client(), at(1))
    assert signs_in(known, at(1))


def test_everybody_together_is_bounded(known: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guesses at any names from any addresses can't take all of the machine's time; a known browser passes."""
    monkeypatch.setattr(throttle, "TOTAL", throttle.Rule(limit=3, window=300))
    for number in range(3):
        guess(1, login=f"somebody-{number}", client=Client(REMOTE_ADDR=f"192.0.2.{number}"))

    stranger = Client(REMOTE_ADDR="192.0.2.99")

    assert not signs_in(stranger)
    assert signs_in(known)


def test_who_is_refused_leaves_nothing_in_the_cache(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Endless names from endless addresses would make the throttle forget what it knows."""
    monkeypatch.setattr(throttle, "TOTAL", throttle.Rule(limit=1, window=300))
    guess(1, login="somebody")
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM administrate_cache WHERE cache_key NOT LIKE '%failures%'")
        before = cursor.fetchone()
        for number in range(5):
            Client(REMOTE_ADDR=f"2001:db8:{number}::1").post("/accounts/login/", WRONG | {"login": f"name-{number}"})
        cursor.execute("SELECT COUNT(*) FROM administrate_cache WHERE cache_key NOT LIKE '%failures%'")

        assert cursor.fetchone() == before


def test_confirming_is_throttled_too(client: Client, anna: User) -> None:
    """In a browser that was left open, the password is guessed no faster; the person elsewhere is none the wiser."""
    client.post("/accounts/login/", RIGHT)

    for _attempt in range(6):
        response = client.post("/accounts/confirm/", {"password": "not-the-password"})

    assert TOO_MANY in response.content.decode()
    assert signs_in(Client())


def test_changing_the_password_is_throttled_too(
    client: Client, anna: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The present one is guessed there as well; each guess is a line of the log, and counts where it is confirmed."""
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"change_password": None}
    client.post("/accounts/login/", RIGHT)
    new = {"password1": "another-long-one", "password2": "another-long-one"}

    for _guess in range(5):
        client.post("/accounts/password/change/", new | {"oldpassword": "not-the-password"})
    page = client.post("/accounts/password/change/", new | {"oldpassword": RIGHT["password"]}).content.decode()

    assert TOO_MANY in page
    assert TOO_MANY in client.post("/accounts/confirm/", {"password": RIGHT["password"]}).content.decode()
    assert caplog.text.count("Sign-in failed (password)") == 5


def test_address_with_a_zone_is_one(anna: User) -> None:
    """As a server on a local network tells them."""
    answer = Client(REMOTE_ADDR="fe80::1%eth0").post("/accounts/login/", WRONG)

    assert answer.status_code == 422


def test_known_browser_has_a_limit_of_its_own(known: Client) -> None:
    """Somebody else may sit before it; the person's other ways stay open."""
    page = guess(6, client=known)

    assert TOO_MANY in page
    assert not signs_in(known)
    assert signs_in(Client())


def test_waits_grow(anna: User, later: Callable[[int], None]) -> None:
    """5 minutes, then 10, then 20; and an attempt in between makes none longer."""
    assert TOO_MANY in guess(7)
    later(4)
    assert TOO_MANY in guess(1)
    later(6)
    assert "Try again in 10 minutes." in guess(6)
    later(17)
    assert "Try again in 20 minutes." in guess(6)
    later(38)
    assert signs_in(Client())


def test_right_password_forgets_the_mistakes_before(anna: User) -> None:
    """Who mistypes now and then never waits; what others did to the name stays counted."""
    for _day in range(3):
        guess(4)
        assert signs_in(Client())


def test_nothing_is_hashed_for_who_has_to_wait(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at a password costs a second of the machine."""
    guess(5)
    hashed: list[str] = []
    monkeypatch.setattr(User, "check_password", lambda _user, password: hashed.append(password))
    monkeypatch.setattr(User, "set_password", lambda _user, password: hashed.append(password))

    assert TOO_MANY in guess(1)
    assert TOO_MANY in guess(6, login="nobody-here")
    assert len(hashed) == 5  # the first five looks at nobody-here


def test_page_itself_refuses_nobody(anna: User) -> None:
    """A stranger who sends the form again and again does not close it for others at the same address."""
    guess(40)

    assert Client().get("/accounts/login/").status_code == 200
    assert Client().post("/accounts/login/", RIGHT | {"login": "berta"}).status_code == 422


@pytest.mark.parametrize("login", ["anna", "nobody-here"])
def test_each_guess_is_one_line(anna: User, caplog: pytest.LogCaptureFixture, login: str) -> None:
    """Also those that nobody looks at, with the address and a digest instead of what was typed."""
    caplog.set_level(logging.WARNING, logger="accounts.throttle")

    guess(7, login=login)

    lines = [LineFormatter().format(record) for record in caplog.records if record.name == "accounts.throttle"]
    found = [re.search(r"Sign-in (.+) \(password\): name (\w{16}) from 127.0.0.1$", line) for line in lines]
    assert [match and match[1] for match in found] == ["failed"] * 5 + ["refused unread"] * 2
    assert len({match and match[2] for match in found}) == 1
    assert not any(login in line for line in lines)


@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_are_no_more_than_one_after_another(anna: User) -> None:
    """Each is counted before it is looked at, so that none slips through while the others are."""

    def guess_once(number: int) -> bool:
        try:
            page = Client().post("/accounts/login/", WRONG | {"password": f"not-the-password-{number}"})
        finally:
            connection.close()
        return "Username or password is incorrect." in page.content.decode()

    with ThreadPoolExecutor(max_workers=8) as pool:
        looked_at = sum(pool.map(guess_once, range(16)))

    assert 1 <= looked_at <= 5
