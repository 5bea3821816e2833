"""Signing in with a password, its throttle, sessions, and what is told of all this."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import Role
from tests.accounts.conftest import Announcement
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

RIGHT = {"login": "anna", "password": "a-long-password"}
WRONG = {"login": "anna", "password": "not-the-password"}
TOO_MANY = "Too many attempts. Try again in 5 minutes."


@pytest.fixture
def anna() -> User:
    return make_user(username="anna", role=Role.MEMBER)


@pytest.fixture
def elsewhere(anna: User) -> Client:
    """Another browser in which Anna is signed in."""
    client = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    client.post("/accounts/login/", RIGHT)
    return client


def test_signing_in_leads_to_the_dashboard(client: Client, anna: User) -> None:
    """With the fields that scripts rely on."""
    response = client.post("/accounts/login/", RIGHT)

    assert response["Location"] == "/"


def test_signing_in_leads_to_where_one_wanted(client: Client, anna: User) -> None:
    """The page that asked for it."""
    asked = client.get("/companies/?from=2026-11-01")

    response = client.post(asked["Location"], RIGHT | {"next": "/companies/?from=2026-11-01"})

    assert asked["Location"] == "/accounts/login/?next=/companies/%3Ffrom%3D2026-11-01"
    assert response["Location"] == "/companies/?from=2026-11-01"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "\\\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_to_another_site(client: Client, anna: User, target: str) -> None:
    """An unsafe `next` is ignored."""
    response = client.post(f"/accounts/login/?next={target}", RIGHT | {"next": target})

    assert response["Location"] == "/"


def test_a_wrong_password_is_said_in_one_sentence(client: Client, anna: User) -> None:
    """422, the same words whether the name exists or not, the password never echoed."""
    wrong = client.post("/accounts/login/", WRONG)
    unknown = client.post("/accounts/login/", WRONG | {"login": "nobody-here"})

    for response in (wrong, unknown):
        page = response.content.decode()
        assert response.status_code == 422
        assert "Username or password is incorrect." in page
        assert "<title>Error: Sign in" in page
        assert "not-the-password" not in page


def test_an_unknown_name_takes_as_long_as_a_wrong_password(client: Client, anna: User, settings: Settings) -> None:
    """The password is hashed either way, which is nearly all of the time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    anna.set_password("a-long-password")
    anna.save()

    def seconds(login: str) -> float:
        begun = time.perf_counter()
        client.post("/accounts/login/", {"login": login, "password": "not-the-password"})
        return time.perf_counter() - begun

    known = min(seconds("anna") for _attempt in range(2))
    unknown = min(seconds("nobody-here") for _attempt in range(2))

    assert 0.5 < known / unknown < 2


@pytest.mark.parametrize("login", ["anna", "nobody-here"])
def test_too_many_wrong_passwords_mean_a_wait(client: Client, anna: User, login: str) -> None:
    """The sixth attempt is told how long to wait, even with the right password, and whether the name exists or not."""
    for _attempt in range(5):
        client.post("/accounts/login/", WRONG | {"login": login})

    response = client.post("/accounts/login/", RIGHT | {"login": login})

    assert response.status_code == 422
    assert TOO_MANY in response.content.decode()


def test_case_and_spaces_make_no_fresh_start(client: Client, anna: User) -> None:
    """The counter knows the name by what it means."""
    for login in ("anna", "ANNA", " anna", "Anna ", "aNNa"):
        client.post("/accounts/login/", WRONG | {"login": login})

    assert TOO_MANY in client.post("/accounts/login/", RIGHT).content.decode()


def test_the_throttle_is_not_washed_out_of_the_cache(client: Client, anna: User) -> None:
    """A thousand other entries leave its counters in place."""
    for _attempt in range(5):
        client.post("/accounts/login/", WRONG)

    for number in range(1000):
        cache.set(f"other-{number}", number)

    assert TOO_MANY in client.post("/accounts/login/", RIGHT).content.decode()


def test_the_admin_signs_in_through_the_same_door(client: Client) -> None:
    """One throttle, one second step for both."""
    response = client.get("/admin/", follow=True)
    posted = client.post("/admin/login/", {"username": "anna", "password": "a-long-password"})

    assert response.redirect_chain[-1][0].startswith("/accounts/login/?next=/admin/")
    assert posted["Location"].startswith("/accounts/login/")


def test_the_admins_own_password_page_is_ours(client: Client) -> None:
    """So that its throttle and its consequences hold."""
    client.force_login(make_user(role=Role.ADMIN))

    assert client.get("/admin/password_change/")["Location"] == "/accounts/password/change/"


def test_a_deactivated_person_is_told_so_only_with_the_right_password(client: Client, anna: User) -> None:
    """Others learn nothing."""
    User.objects.filter(pk=anna.pk).update(is_active=False)

    right, wrong = client.post("/accounts/login/", RIGHT), client.post("/accounts/login/", WRONG)

    assert right["Location"] == "/accounts/inactive/"
    assert "Username or password is incorrect." in wrong.content.decode()


@pytest.mark.parametrize(
    "path", ["signup/", "email/", "password/reset/", "password/set/", "confirm-email/", "login/code/confirm/"]
)
def test_pages_that_need_mail_or_public_sign_up_do_not_exist(client: Client, path: str) -> None:
    """People are invited."""
    assert client.get(f"/accounts/{path}").status_code == 404


def test_forms_need_their_token(anna: User) -> None:
    """Signing in, out and everywhere else: a page of another site can do none of it."""
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna)

    for path in ("/accounts/login/", "/accounts/logout/", "/settings/", "/settings/security/sessions/end/"):
        assert strict.post(path, RIGHT).status_code == 403


# What is told ---------------------------------------------------------------------------------------------------------


def test_signing_in_is_told(client: Client, anna: User, announced: list[Announcement]) -> None:
    """With how."""
    client.post("/accounts/login/", RIGHT)

    assert announced == [Announcement("session.signed_in", anna, anna, {}, {"by": ["password"]})]


def test_a_failure_is_told_without_what_was_typed(client: Client, anna: User, announced: list[Announcement]) -> None:
    """A password typed into the name's box must not end up in a log: only a name that exists is told."""
    client.post("/accounts/login/", WRONG)
    client.post("/accounts/login/", {"login": "my-secret-password", "password": "also secret"})

    known, unknown = announced
    assert known == Announcement("session.sign_in_failed", anna, anna, {}, {"step": "password"})
    assert unknown.action == "session.sign_in_failed"
    assert unknown.target.pk is None
    assert "secret" not in repr(announced)


# Password -------------------------------------------------------------------------------------------------------------


def change_password(client: Client, **overrides: str) -> int:
    form = {"oldpassword": "a-long-password", "password1": "another-long-one", "password2": "another-long-one"}
    return client.post("/accounts/password/change/", form | overrides).status_code


def test_a_changed_password_ends_every_other_session(
    client: Client, anna: User, elsewhere: Client, announced: list[Announcement]
) -> None:
    """This one goes on, and it is told."""
    client.post("/accounts/login/", RIGHT)

    status = change_password(client)

    anna.refresh_from_db()
    assert status == 302
    assert anna.check_password("another-long-one")
    assert client.get("/settings/").status_code == 200
    assert elsewhere.get("/settings/").status_code == 302
    assert announced[-1] == Announcement("password.changed", anna, anna, {}, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"oldpassword": "not-the-password"},
        {"password1": "short", "password2": "short"},
        {"password1": "password1234", "password2": "password1234"},
        {"password1": "12345678901234", "password2": "12345678901234"},
        {"password2": "something-else-long"},
        {"password1": "", "password2": ""},
    ],
)
def test_a_password_that_breaks_a_rule_is_refused(client: Client, anna: User, wrong: dict[str, str]) -> None:
    """422, and the old one stays."""
    client.force_login(anna)

    status = change_password(client, **wrong)

    anna.refresh_from_db()
    assert status == 422
    assert anna.check_password("a-long-password")


def test_without_a_password_there_is_none_to_change(client: Client, anna: User) -> None:
    """Who came by single sign-on stays with it."""
    anna.set_unusable_password()
    anna.save()
    client.force_login(anna)

    response = client.get("/accounts/password/change/")

    assert response["Location"] == "/settings/security/"


# Sessions -------------------------------------------------------------------------------------------------------------


def test_sessions_are_listed_with_this_one_first(client: Client, anna: User, elsewhere: Client) -> None:
    """Browser, address and since when; those of other people are not among them."""
    other = Client(headers={"User-Agent": "Somebody else's Safari/1"})
    make_user(username="berta")
    other.post("/accounts/login/", RIGHT | {"login": "berta"})
    client.post("/accounts/login/", RIGHT)

    page = client.get("/settings/security/").content.decode()

    assert page.index("This browser") < page.index("Firefox on Linux")
    assert "127.0.0.1" in page
    assert "Safari" not in page


def test_signing_out_everywhere_leaves_only_this_session(
    client: Client, anna: User, elsewhere: Client, announced: list[Announcement]
) -> None:
    """At once."""
    client.post("/accounts/login/", RIGHT)

    response = client.post("/settings/security/sessions/end/")

    assert response["Location"] == "/settings/security/"
    assert elsewhere.get("/settings/").status_code == 302
    assert client.get("/settings/").status_code == 200
    assert announced[-1] == Announcement("session.ended_elsewhere", anna, anna, {}, {"sessions": 1})


def test_signing_out_everywhere_is_not_a_link(client: Client, anna: User) -> None:
    """A page that is opened changes nothing."""
    client.force_login(anna)

    assert client.get("/settings/security/sessions/end/").status_code == 405


def test_the_profile_keeps_a_name(client: Client, anna: User) -> None:
    """Whatever the role; nothing but the name can be sent."""
    client.force_login(anna)

    response = client.post(
        "/settings/", {"first_name": "Anna", "last_name": "Lund", "is_superuser": "on", "username": "root"}
    )

    anna.refresh_from_db()
    assert response.status_code == 302
    assert (anna.get_full_name(), anna.username, anna.is_superuser) == ("Anna Lund", "anna", False)


def test_a_name_of_a_megabyte_is_refused(client: Client, anna: User) -> None:
    """With a sentence."""
    client.force_login(anna)

    response = client.post("/settings/", {"first_name": "a" * 1_000_000})

    assert response.status_code == 422
    assert "The first name is longer than 150 characters." in response.content.decode()
