"""What asks somebody again who they are once a while has passed since they signed in: every URL, one rule."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client
from django.urls import ResolverMatch
from pytest_django.fixtures import Settings

from accounts.access import URLS, Confirmed, asks_to_confirm
from accounts.models import Invitation, Role
from providers.models import Provider
from tests.accounts.conftest import forget_confirming
from tests.accounts.worlds import OF_THE_ADMIN, OURS, World, address
from tests.accounts.worlds import world as world
from tests.conftest import FakeType
from tests.factories import API_KEY, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

RIGHT = {"login": "anna", "password": "a-long-password"}
CONFIRM = "/accounts/confirm/"
NEW_PASSWORD = {"password1": "another-long-one", "password2": "another-long-one", "usable_password": "true"}

# Whose GET and POST ask. Everything else can be undone, acts on oneself alone, or only shows.
ASKS = {
    "account_change_password",
    "members:deactivate",
    "members:edit",
    "members:invite",
    "members:reactivate",
    "members:password_link",
    "members:remove",
    "members:reset_two_factor",
    "members:unlink",
    "members:withdraw",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_deactivate_totp",
    "mfa_download_recovery_codes",
    "mfa_edit_webauthn",
    "mfa_generate_recovery_codes",
    "mfa_remove_webauthn",
    "mfa_view_recovery_codes",
    "providers:add",
    "providers:delete",
    "providers:replace_key",
    "statements:close",
    "tokens:add",
    "notifications:add_endpoint",
    "notifications:new_secret",
    "tokens:revoke",
}


@pytest.fixture
def anna() -> User:
    return make_user(username="anna", role=Role.ADMIN)


@pytest.fixture
def left_open(client: Client, anna: User) -> Client:
    """A browser in which an Admin signed in a while ago."""
    client.post("/accounts/login/", RIGHT)
    forget_confirming(client)
    return client


# --- Every URL --------------------------------------------------------------------------------------------------------


def test_every_url_that_asks_is_pinned_here() -> None:
    """A new one that needs an Admin asks until somebody has written down that it need not."""
    assert {name for name, need in URLS.items() if isinstance(need, Confirmed)} == ASKS
    assert asks_to_confirm(ResolverMatch(lambda: None, (), {}, url_name="brand_new"))


def test_every_page_that_asks_leads_to_confirming_and_back(world: World) -> None:
    """Before it shows anything; all others open as they are."""
    admin = world.people["admin"]
    forget_confirming(admin)
    asked = {}
    for name, pattern in OURS.items():
        if name not in {"account_logout", "accept_invitation", "account_reauthenticate"}:
            url = address(world, name, pattern)
            location = urlsplit(admin.get(url).headers.get("Location", ""))
            asked[name] = location.path == CONFIRM and parse_qs(location.query).get("next") == [url]

    assert {name for name, asks in asked.items() if asks} == ASKS


@pytest.mark.parametrize("name", sorted(ASKS))
def test_every_act_that_asks_is_refused_without(world: World, name: str) -> None:
    """403 with what to do, before the view runs."""
    admin = world.people["admin"]
    forget_confirming(admin)

    response = admin.post(address(world, name, OURS[name]))

    assert response.status_code == 403
    assert "Confirm that it is you first" in response.content.decode()


def test_all_of_the_django_admin_asks(world: World) -> None:
    """Each of its URLs, by GET and POST."""
    admin = world.people["admin"]
    forget_confirming(admin)
    answers = {}
    for name, pattern in OF_THE_ADMIN:
        url = address(world, name, pattern)
        answers[name] = (urlsplit(admin.get(url).headers.get("Location", "")).path, admin.post(url).status_code)

    assert len(answers) > 20
    assert answers == dict.fromkeys(answers, (CONFIRM, 403))


def test_who_may_not_open_a_page_is_not_asked_either(world: World) -> None:
    """The role is asked first: nobody confirms to be refused."""
    member = world.people["member"]
    forget_confirming(member)

    assert member.get("/settings/members/invite/").status_code == 403
    assert member.get("/admin/").status_code == 403


# --- What an open browser can't do any more ---------------------------------------------------------------------------


def test_an_open_browser_sets_no_password_in_the_django_admin(left_open: Client, anna: User) -> None:
    """Neither its own nor another person's: the official page asks for the old one."""
    response = left_open.post(f"/admin/auth/user/{anna.pk}/password/", NEW_PASSWORD)

    anna.refresh_from_db()
    assert response.status_code == 403
    assert anna.check_password("a-long-password")


def test_an_open_browser_resets_no_second_factor(left_open: Client, anna: User) -> None:
    """Its own above all."""
    Authenticator.objects.create(user=anna, type=Authenticator.Type.WEBAUTHN, data={"name": "Key", "credential": {}})

    left_open.post(f"/settings/members/{anna.pk}/reset-two-factor/")

    assert Authenticator.objects.filter(user=anna).exists()


def test_an_open_browser_invites_nobody(left_open: Client) -> None:
    """An Admin made from there would outlast the session."""
    left_open.post("/settings/members/invite/", {"role": "admin"})

    assert not Invitation.objects.exists()


# --- Confirming -------------------------------------------------------------------------------------------------------


def test_signing_in_counts_as_confirmed(client: Client, anna: User, elevenlabs: FakeType) -> None:
    """A script that signs in and connects a provider at once is not asked."""
    client.post("/accounts/login/", RIGHT)

    form = {"provider_type": "elevenlabs", "name": "Agency", "api_key": API_KEY, "region": "global"}
    client.post("/providers/add/", form)

    assert Provider.objects.get().name == "Agency"


def test_confirming_leads_back_and_lasts_for_a_piece_of_work(left_open: Client) -> None:
    """A quarter of an hour; then it asks again."""
    asked = left_open.get("/settings/members/invite/")
    back = left_open.post(asked["Location"], {"password": "a-long-password", "next": "/settings/members/invite/"})
    opened = left_open.get(back["Location"]).status_code
    left_open.post("/settings/members/invite/", {"role": "viewer"})
    forget_confirming(left_open)

    assert back["Location"] == "/settings/members/invite/"
    assert opened == 200
    assert Invitation.objects.count() == 1
    assert left_open.get("/settings/members/invite/").status_code == 302


def test_how_long_it_lasts_is_one_setting(left_open: Client, settings: Settings) -> None:
    """Ours and django-allauth's pages go by the same."""
    session = left_open.session
    session[AUTHENTICATION_METHODS_SESSION_KEY][-1]["at"] = time.time() - 14 * 60
    session.save()
    pages = ("/settings/members/invite/", "/settings/security/authenticator-app/add/", "/accounts/password/change/")

    before = [left_open.get(page).status_code for page in pages]
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 13 * 60

    assert before == [200, 200, 200]
    assert [left_open.get(page).status_code for page in pages] == [302, 302, 302]


def test_a_refused_form_neither_shows_nor_keeps_what_it_held(left_open: Client, elevenlabs: FakeType) -> None:
    """The browser has it and can send it again; a key is nothing for a page or a session."""
    form = {"provider_type": "elevenlabs", "name": "Agency", "api_key": API_KEY, "region": "global"}

    refused = left_open.post("/providers/add/", form, headers={"Referer": "http://testserver/providers/add/"})
    left_open.post(CONFIRM, {"password": "a-long-password"})
    left_open.post("/providers/add/", form)

    assert API_KEY not in refused.content.decode()
    assert API_KEY not in str(dict(left_open.session))
    assert f"{CONFIRM}?next=%2Fproviders%2Fadd%2F" in refused.content.decode()
    assert Provider.objects.get().name == "Agency"


@pytest.mark.parametrize("referer", ["", "https://evil.example/x", "http://testserver.evil/x", "//evil", "http://["])
def test_a_form_of_unknown_origin_leads_back_to_the_dashboard(left_open: Client, referer: str) -> None:
    """Never to another site."""
    response = left_open.post("/settings/members/invite/", {"role": "admin"}, headers={"Referer": referer})

    assert response.status_code == 403
    assert response.context["back"] == "/"


def test_without_password_and_factor_the_sign_in_service_confirms(client: Client, settings: Settings) -> None:
    """And is told to ask the person, not only to know the browser (`tests/accounts/test_single_sign_on.py`)."""
    settings.OIDC_ENABLED = True
    client.force_login(make_user(role=Role.ADMIN, password=None))
    forget_confirming(client)

    response = client.get("/settings/members/invite/")

    assert response["Location"] == "/accounts/sso/login/?next=%2Fsettings%2Fmembers%2Finvite%2F"
