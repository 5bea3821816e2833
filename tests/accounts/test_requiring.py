"""A second factor as a duty: who is asked, how long they have, and what stays open afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.access import ENROLMENT, NAMESPACES, URLS, Open
from accounts.models import Invitation, Membership, Role
from accounts.services.inviting import invite
from core.cells import text_of
from tests.administrate.starting import start
from tests.factories import NOW, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

SECURITY = "/settings/security/"
REMINDER = "Set one up by 29 Nov 2026, 12:30 UTC"


@pytest.fixture
def required(settings: Settings) -> None:
    settings.REQUIRE_TWO_FACTOR = "admins"


@pytest.fixture
def later(now: object, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Moves the clock to so many days after NOW."""
    return lambda days: monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(days=days))


@pytest.fixture
def overdue(signed_in: Client, operator: User, required: None) -> Client:
    """An Admin's browser whose time is over."""
    Membership.objects.filter(user=operator).update(two_factor_due_at=NOW - timedelta(days=1))
    return signed_in


def add_factor(user: User, kind: str) -> None:
    Authenticator.objects.create(user=user, type=kind, data={"name": "Key"})


def test_nobody_is_asked_by_default(signed_in: Client, operator: User) -> None:
    """And no time begins."""
    page = signed_in.get("/").content.decode()

    assert "second factor" not in page
    assert Membership.objects.get(user=operator).two_factor_due_at is None


@pytest.mark.parametrize(
    ("who", "role", "asked"),
    [
        ("admins", Role.ADMIN, True),
        ("admins", Role.MEMBER, False),
        ("all", Role.MEMBER, True),
        ("all", Role.VIEWER, True),
    ],
)
def test_rule_is_for_admins_or_for_all(
    client: Client, now: object, settings: Settings, who: str, role: Role, *, asked: bool
) -> None:
    """A banner says until when, on every page, and everything is open."""
    settings.REQUIRE_TWO_FACTOR = who
    client.force_login(make_user(role=role))

    for path in ("/", "/companies/", SECURITY):
        response = client.get(path)
        assert response.status_code == 200
        assert (REMINDER in response.content.decode()) is asked


@pytest.mark.usefixtures("required")
def test_time_begins_once(signed_in: Client, operator: User, later: Callable[[int], None]) -> None:
    """With the first page under the rule; visits don't put it off."""
    signed_in.get("/")
    later(5)
    signed_in.get("/")

    assert Membership.objects.get(user=operator).two_factor_due_at == NOW + timedelta(days=7)


@pytest.mark.usefixtures("required")
@pytest.mark.parametrize("kind", ["totp", "webauthn"])
def test_app_or_passkey_fulfils_it(overdue: Client, operator: User, kind: str) -> None:
    """Either will do."""
    add_factor(operator, kind)

    page = overdue.get("/")

    assert page.status_code == 200
    assert "second factor" not in page.content.decode()


@pytest.mark.usefixtures("required")
def test_recovery_codes_alone_do_not(overdue: Client, operator: User) -> None:
    """They are a way back, not a factor."""
    add_factor(operator, "recovery_codes")

    assert overdue.get("/")["Location"] == SECURITY


def addresses() -> list[str]:
    """Every address behind the product's door for people that needs no more than plain arguments."""
    found: list[str] = []

    def walk(patterns: list[Any], namespace: str = "") -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                if NAMESPACES.get(pattern.namespace or "") == Open.TO_ALL:  # what it asks for are tokens
                    continue
                walk(pattern.url_patterns, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
            elif isinstance(pattern, URLPattern) and pattern.name:
                name = f"{namespace}{pattern.name}"
                if name in ENROLMENT or URLS.get(name) == Open.TO_ALL:
                    continue
                for arguments in ([], [1], ["x"]):
                    try:
                        found.append(reverse(name, args=arguments))
                    except NoReverseMatch:
                        continue
                    break

    walk(get_resolver().url_patterns)
    return found


def test_afterwards_everything_leads_to_setting_one_up(overdue: Client) -> None:
    """Whatever the address: pages, forms, downloads and the Django admin."""
    paths = addresses()

    assert len(paths) > 60
    for path in paths:
        assert [(r.status_code, r["Location"]) for r in (overdue.get(path), overdue.post(path))] == [
            (302, SECURITY)
        ] * 2


@pytest.mark.parametrize(
    "path",
    [
        SECURITY,
        f"{SECURITY}authenticator-app/add/",
        f"{SECURITY}passkeys/add/",
        "/accounts/confirm/",
        "/accounts/password/change/",
        "/accounts/logout/",
    ],
)
def test_afterwards_the_way_to_one_is_open(overdue: Client, path: str) -> None:
    """And a new password, and the way out."""
    assert overdue.get(path).status_code == 200


def test_afterwards_the_page_says_what_to_do(overdue: Client) -> None:
    """Instead of until when."""
    page = overdue.get("/", follow=True).content.decode()

    assert "Set up a second factor to go on: an authenticator app or a passkey." in page
    assert "Set one up by" not in page


@pytest.mark.usefixtures("required")
def test_without_grace_it_is_asked_at_once(signed_in: Client, settings: Settings) -> None:
    """0 days."""
    settings.REQUIRE_TWO_FACTOR_GRACE_DAYS = 0

    assert signed_in.get("/")["Location"] == SECURITY


def test_single_sign_on_is_trusted(overdue: Client) -> None:
    """Its second factor is the identity provider's to ask for; the same person with a password is asked."""
    session = overdue.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "socialaccount", "at": NOW.timestamp()}]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session.save()

    assert overdue.get("/").status_code == 200


def test_who_joins_under_the_rule_begins_there(client: Client, operator: User, settings: Settings) -> None:
    """An invitation leads to setting up a second factor."""
    settings.REQUIRE_TWO_FACTOR = "all"
    _invitation, token = invite(role=Role.VIEWER, companies=[], email="", invited_by=operator, now=timezone.now())

    form = {"username": "berta", "password": "a-long-password", "password_again": "a-long-password"}
    response = client.post(f"/accounts/invitations/{token}/", form)

    assert Invitation.objects.get().accepted_by == User.objects.get(username="berta")
    assert response["Location"] == SECURITY


@pytest.mark.usefixtures("required")
def test_members_page_shows_who_has_none(signed_in: Client, operator: User) -> None:
    """And by when they need one."""
    add_factor(make_user(username="anna"), "totp")
    newcomer = make_user(username="berta", role=Role.ADMIN)
    single = make_user(username="cleo", role=Role.ADMIN)
    single.set_unusable_password()
    single.save()

    rows = [row.cells for row in signed_in.get("/settings/members/").context["people"].rows]

    assert {text_of(name): text_of(factor).strip() for name, _role, factor, _seen in rows} == {
        "anna": "On",
        f"{operator.username} You": "OffNeeded by 29 Nov 2026",
        newcomer.username: "OffNeeded from the next visit on",
        "cleo": "OffSigns in by single sign-on",
    }


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"REQUIRE_TWO_FACTOR": "yes"}, "REQUIRE_TWO_FACTOR must be none, admins or all, not “yes”."),
        ({"REQUIRE_TWO_FACTOR_GRACE_DAYS": "-1"}, "REQUIRE_TWO_FACTOR_GRACE_DAYS must be between 0 and 365, not -1."),
        ({"REQUIRE_TWO_FACTOR_GRACE_DAYS": "x"}, "REQUIRE_TWO_FACTOR_GRACE_DAYS must be a whole number, not “x”."),
    ],
)
def test_bad_rule_stops_the_start(changes: dict[str, str], sentence: str) -> None:
    """One that was misspelt would protect nobody."""
    assert start(changes).stderr == f"administrate: {sentence}\n"
