"""Sessions: what a copy of the database gives away of them, when they end, and which others an act ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.db.migrations import RunSQL
from django.http import HttpRequest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import Role, Session
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db

RIGHT = {"login": "anna", "password": "a-long-password"}


@pytest.fixture
def anna() -> User:
    return make_user(username="anna", role=Role.MEMBER)


@pytest.fixture
def annas(client: Client, anna: User) -> Client:
    """A browser in which Anna is signed in."""
    client.post("/accounts/login/", RIGHT)
    return client


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Set the clock so long after NOW."""

    def set_clock(after: timedelta) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + after)

    set_clock(timedelta())
    return set_clock


def key_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/settings/").status_code == 200)


# --- A copy of the database -------------------------------------------------------------------------------------------


def test_no_table_holds_the_key_of_a_session(annas: Client) -> None:
    """What the cookie holds is nowhere, in whatever table."""
    key = key_of(annas)

    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own tables
            found += [table for row in cursor.fetchall() if key in str(row)]

    assert is_signed_in(annas)
    assert found == []


def test_what_is_stored_of_a_session_does_not_sign_in(annas: Client) -> None:
    """Neither its digest as a cookie, nor that of another one."""
    thief = Client()
    thief.cookies["sessionid"] = Session.objects.get().session_key

    assert not is_signed_in(thief)
    assert is_signed_in(annas)


def test_what_a_session_holds_is_unreadable(annas: Client) -> None:
    """The secret of an authenticator app that is being set up, for one."""
    session = annas.session
    session["mfa.totp.secret"] = "JBSWY3DPEHPK3PXP"
    session.save()

    stored = Session.objects.get()

    assert annas.session["mfa.totp.secret"] == "JBSWY3DPEHPK3PXP"
    assert stored.session_data.startswith("gAAAA")
    assert stored.get_decoded() == {}


def test_a_session_that_can_not_be_read_is_none(annas: Client) -> None:
    """Whoever has it signs in again, and nothing breaks."""
    Session.objects.update(session_data="nonsense")

    assert annas.get("/settings/")["Location"].startswith("/accounts/login/")


def test_the_upgrade_takes_the_readable_sessions_away() -> None:
    """Both tables that held the keys go, where they are there at all."""
    migration = import_module("accounts.migrations.0004_sessions_of_our_own").Migration
    statements = [str(operation.sql) for operation in migration.operations if isinstance(operation, RunSQL)]
    with connection.cursor() as cursor:
        for table in ("django_session", "usersessions_usersession"):
            cursor.execute(f"CREATE TABLE {table} (session_key varchar(40))")

        for statement in statements * 2:
            cursor.execute(statement)

    assert not {"django_session", "usersessions_usersession"} & set(connection.introspection.table_names())


# --- Their end --------------------------------------------------------------------------------------------------------


def test_a_session_ends_after_hours_without_use(at: Callable[[timedelta], None], annas: Client) -> None:
    """Twelve, unless the environment says otherwise."""
    at(timedelta(hours=11, minutes=59))
    used = is_signed_in(annas)
    at(timedelta(hours=23, minutes=58))
    used_again = is_signed_in(annas)
    at(timedelta(hours=36))

    assert (used, used_again, is_signed_in(annas)) == (True, True, False)


def test_a_session_ends_days_after_signing_in(at: Callable[[timedelta], None], annas: Client) -> None:
    """However much it is used: fourteen days, unless the environment says otherwise."""
    for hours in range(10, 14 * 24, 10):
        at(timedelta(hours=hours))
        assert is_signed_in(annas)

    at(timedelta(days=14))
    assert not is_signed_in(annas)


def test_both_limits_are_settings(at: Callable[[timedelta], None], anna: User, settings: Settings) -> None:
    """And what they are is said where sessions are listed."""
    settings.SESSION_IDLE_HOURS, settings.SESSION_MAX_DAYS = 1, 2
    client = Client()
    client.post("/accounts/login/", RIGHT)
    page = client.get("/settings/security/").content.decode()

    at(timedelta(minutes=61))

    assert "after 1 hour without use, and 2 days after signing in" in page
    assert not is_signed_in(client)


@pytest.mark.parametrize("name", ["SESSION_IDLE_HOURS", "SESSION_MAX_DAYS"])
def test_a_limit_that_is_none_stops_the_start(tmp_path: Path, name: str) -> None:
    """With a sentence that names the variable."""
    environment = {"DJANGO_SETTINGS_MODULE": "administrate.settings", "DATA_DIR": str(tmp_path), name: "0"}

    result = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode != 0
    assert f"{name} must be between 1 and 1000, not 0." in result.stderr


def test_the_browser_keeps_the_cookie_until_the_last_day(annas: Client) -> None:
    """The idle limit is the server's to hold: a cookie can't be moved on without being sent anew."""
    assert 13.9 * 86400 < int(annas.cookies["sessionid"]["max-age"]) <= 14 * 86400


def test_use_is_noted_every_few_minutes(at: Callable[[timedelta], None], annas: Client) -> None:
    """Most pages write nothing."""
    at(timedelta(minutes=4))
    annas.get("/settings/")
    unchanged = Session.objects.get().expire_date
    at(timedelta(minutes=6))
    annas.get("/settings/")

    assert unchanged == NOW + timedelta(hours=12)
    assert Session.objects.get().expire_date == NOW + timedelta(hours=12, minutes=6)


def test_a_database_that_takes_no_changes_still_shows_pages(
    at: Callable[[timedelta], None], annas: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Use is not noted then, and nobody is signed out for it."""
    at(timedelta(hours=1))

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("read-only")

    monkeypatch.setattr("django.db.models.query.QuerySet.update", refuse)

    assert is_signed_in(annas)


# --- Which others end -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
def test_a_new_second_factor_ends_the_other_sessions(annas: Client, anna: User, kind: str) -> None:
    """Whoever came in with the password alone has to show the factor too."""
    elsewhere, stranger = Client(), Client()
    elsewhere.post("/accounts/login/", RIGHT)
    stranger.force_login(make_user())
    request = HttpRequest()
    request.session = annas.session

    factor = Authenticator.objects.create(user=anna, type=kind, data={})
    signals.authenticator_added.send(Authenticator, request=request, user=anna, authenticator=factor)

    assert [is_signed_in(browser) for browser in (annas, elsewhere, stranger)] == [True, False, True]


def test_a_changed_password_leaves_one_session(annas: Client, anna: User) -> None:
    """Nothing of the others stays in the list."""
    Client().post("/accounts/login/", RIGHT)
    new = {"oldpassword": "a-long-password", "password1": "another-long-one", "password2": "another-long-one"}

    annas.post("/accounts/password/change/", new)

    assert is_signed_in(annas)
    assert Session.objects.filter(user=anna).count() == 1


def test_signing_out_leaves_nothing(annas: Client) -> None:
    """The row goes with the cookie."""
    annas.post("/accounts/logout/")

    assert not Session.objects.exists()
