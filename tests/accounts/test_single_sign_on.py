"""Single sign-on, with an OpenID Connect provider of our own on a loopback port: who gets in, and who does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Membership, Role
from accounts.services.inviting import accept_invitation
from accounts.services.members import deactivate_member
from tests.accounts.conftest import Announcement
from tests.accounts.identity_provider import (
    CALLBACK,
    CLIENT_SECRET,
    CONFIGURATION,
    LOGIN,
    Provider,
    is_signed_in,
    make_invitation,
    sign_in,
)
from tests.accounts.identity_provider import provider as provider
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def test_it_is_off_unless_configured(client: Client) -> None:
    """Not offered, and not there."""
    assert "Sign in with" not in client.get("/accounts/login/").content.decode()
    assert client.get(LOGIN).status_code == 404
    assert client.get(CALLBACK).status_code == 404


def test_the_way_there_proves_where_it_began(client: Client, provider: Provider) -> None:
    """State and PKCE, for the address that is registered; nothing of a link's maker's choice gets in."""
    response = client.get(f"{LOGIN}?scope=everything&auth_params=prompt%3Dnone&process=connect&action=x")

    asked = parse_qs(urlsplit(response["Location"]).query)
    assert response["Location"].startswith(f"{provider.issuer}/authorize?")
    assert asked["redirect_uri"] == [f"http://testserver{CALLBACK}"]
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["state"]
    assert "prompt" not in asked


def test_who_is_invited_gets_an_account(client: Client, provider: Provider, announced: list[Announcement]) -> None:
    """With the role of the invitation, and no password."""
    invitation = make_invitation()

    response = sign_in(client)

    berta = User.objects.get(username="berta@example.com")
    invitation.refresh_from_db()
    assert response["Location"] == "/"
    assert is_signed_in(client)
    assert Membership.objects.get(user=berta).role == "member"
    assert not berta.has_usable_password()
    assert invitation.accepted_by == berta
    assert announced[-1] == Announcement("session.signed_in", berta, berta, {}, {"by": ["socialaccount"]})
    assert dict(provider.asked)["/token"]["client_secret"] == [CLIENT_SECRET]


def test_who_came_once_comes_again_by_the_providers_id_of_them(client: Client, provider: Provider) -> None:
    """Whatever became of the address."""
    make_invitation()
    sign_in(Client())
    provider.email, provider.email_verified = "married@example.com", False

    sign_in(client)

    assert is_signed_in(client)
    assert SocialAccount.objects.count() == 1
    assert not User.objects.filter(username__startswith="married").exists()


def test_who_joined_by_the_link_is_the_same_person(client: Client, provider: Provider) -> None:
    """The address of the invitation links them; no second account."""
    invitation = make_invitation()
    berta = accept_invitation(invitation=invitation, username="berta", password="a-very-long-one", now=timezone.now())

    sign_in(client)

    assert SocialAccount.objects.get().user == berta
    assert client.get("/settings/").context["user"] == berta


@pytest.mark.parametrize(
    ("email", "verified"),
    [
        ("nobody@example.com", True),
        ("berta@example.com", False),
        ("berta@example.com", None),
        ("berta@example.com", "false"),
        ("berta@example.com", 1.5),
        ("", True),
        (None, True),
        (["berta@example.com"], True),
        ("%", True),
        ("admin@example.com", True),  # an account's address, but no invitation's
    ],
)
def test_nobody_else_gets_in(
    client: Client, provider: Provider, announced: list[Announcement], email: Any, verified: Any
) -> None:
    """403, no account, no link; it is told without the address."""
    make_invitation()
    make_user(username="root", role=Role.ADMIN, email="admin@example.com")
    people = User.objects.count()
    provider.email, provider.email_verified = email, verified

    response = sign_in(client)

    assert response.status_code == 403
    assert "Nobody here was invited" in response.content.decode()
    assert not is_signed_in(client)
    assert User.objects.count() == people
    assert not SocialAccount.objects.exists()
    assert announced[-1].action == "session.sign_in_failed"
    assert announced[-1].new == {"step": "single sign-on"}


def test_an_expired_invitation_lets_nobody_in(client: Client, provider: Provider) -> None:
    """As with its link."""
    make_invitation()
    Invitation.objects.update(expires_at=timezone.now())

    assert sign_in(client).status_code == 403


def test_a_deactivated_person_stays_out(client: Client, provider: Provider) -> None:
    """Linked or not."""
    make_invitation()
    sign_in(Client())
    deactivate_member(user=User.objects.get(username="berta@example.com"))

    response = sign_in(client)

    assert response["Location"] == "/accounts/inactive/"
    assert not is_signed_in(client)


def test_a_username_that_is_taken_gets_a_number(client: Client, provider: Provider) -> None:
    """Nobody is signed in as somebody else."""
    make_user(username="BERTA@example.com")
    make_invitation()

    sign_in(client)

    assert client.get("/settings/").context["user"].username == "berta@example.com-2"


@pytest.mark.parametrize(
    "wrong",
    [
        {"audience": "another-client"},
        {"token_issuer": "https://evil.example"},
        {"expires_in": -60},
        {"told_subject": "somebody-else"},
        {"subject": ""},
        {"fails_at": "/token"},
        {"fails_at": "/userinfo"},
        {"redirects_at": "/token"},
        {"redirects_at": "/userinfo"},
    ],
)
def test_an_answer_that_can_not_be_trusted_lets_nobody_in(
    client: Client, provider: Provider, wrong: dict[str, Any]
) -> None:
    """A token for another client or of another issuer, an old one, two subjects, an error, a redirect."""
    make_invitation()
    for name, value in wrong.items():
        setattr(provider, name, value)

    response = sign_in(client)

    assert response.status_code in {401, 403, 502}
    assert "You are not signed in" in response.content.decode()
    assert not is_signed_in(client)
    assert "/elsewhere" not in [path for path, _form in provider.asked]


@pytest.mark.parametrize("wrong", [{"fails_at": CONFIGURATION}, {"redirects_at": CONFIGURATION}, {"is_silent": True}])
def test_a_provider_that_is_away_is_said_in_words(client: Client, provider: Provider, wrong: dict[str, Any]) -> None:
    """502 and not an error page; so is one that tells nothing of itself."""
    for name, value in wrong.items():
        setattr(provider, name, value)

    response = client.get(LOGIN)

    assert response.status_code == 502
    assert "does not answer as it should" in response.content.decode()


@pytest.mark.parametrize(
    "query", [{}, {"code": "a-code"}, {"code": "a-code", "state": "forged"}, {"error": "access_denied"}]
)
def test_a_way_back_that_did_not_begin_here_leads_nowhere(
    client: Client, provider: Provider, query: dict[str, str]
) -> None:
    """Nobody can be signed in to somebody else's account by a link."""
    make_invitation()

    response = client.get(CALLBACK, query)

    assert response.status_code == 401
    assert not is_signed_in(client)
    assert provider.asked == []


def test_who_cancels_there_is_back_at_the_sign_in_page(client: Client, provider: Provider) -> None:
    """Nothing is said: they know."""
    there = client.get(LOGIN)
    state = parse_qs(urlsplit(there["Location"]).query)["state"][0]

    response = client.get(CALLBACK, {"error": "access_denied", "state": state})

    assert response["Location"] == "/accounts/login/"
    assert not is_signed_in(client)


def test_it_leads_to_where_one_wanted_and_never_to_another_site(client: Client, provider: Provider) -> None:
    """`next`, if it is safe."""
    make_invitation()

    safe = sign_in(Client(), "?next=/settings/security/")
    unsafe = sign_in(client, "?next=https://evil.example/")

    assert safe["Location"] == "/settings/security/"
    assert unsafe["Location"] == "/"


def test_it_links_no_account_to_who_is_signed_in(client: Client, provider: Provider) -> None:
    """A link that somebody follows changes nothing about their account."""
    anna = make_user(username="anna")
    client.force_login(anna)

    response = sign_in(client, "?process=connect")

    assert response.status_code == 403
    assert not SocialAccount.objects.filter(user=anna).exists()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"OIDC_ISSUER": "https://id.example"}, "all three"),
        (
            {"OIDC_ISSUER": "http://id.example", "OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "b"},
            "must be an https address",
        ),
        ({"TRUSTED_PROXIES": "10.0.0.0/8,proxy"}, "neither an address nor a network"),
    ],
)
def test_a_contradictory_environment_stops_the_start(
    tmp_path: Path, environment: dict[str, str], sentence: str
) -> None:
    """With a sentence that names the variable."""
    result = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "administrate.settings", "DATA_DIR": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode != 0
    assert sentence in result.stderr


# Sets the product up, says whether its HTTP client is loaded, and asks for the way to the provider.
ASKED = """
import django, sys
django.setup()
from django.conf import settings
from django.test import Client
settings.ALLOWED_HOSTS = ["testserver"]
print("requests" in sys.modules)
import administrate.urls
print("requests" in sys.modules, Client().get("/accounts/sso/login/").status_code)
"""


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        # Nobody is there, which is a sentence on a page.
        ({"OIDC_ISSUER": "http://127.0.0.1:1", "OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "b"}, "True True 502"),
        ({}, "False False 404"),
    ],
)
def test_nothing_of_it_is_loaded_where_it_is_off(
    home_of_tables: Path, tmp_path: Path, environment: dict[str, str], said: str
) -> None:
    """A tenth of what every process would have to load."""
    home = shutil.copytree(home_of_tables, tmp_path / "home")
    ours = {"DJANGO_SETTINGS_MODULE": "administrate.settings", "DATA_DIR": str(home)}
    result = subprocess.run(
        [sys.executable, "-c", ASKED],
        env=os.environ | ours | environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.split() == said.split()
