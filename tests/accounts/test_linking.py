"""Single sign-on after the first time: to which account there somebody is linked, and confirming who it is that way."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import Role
from tests.accounts.conftest import Announcement, forget_confirming
from tests.accounts.identity_provider import CALLBACK, Provider, is_signed_in, make_invitation, sign_in
from tests.accounts.identity_provider import provider as provider

pytestmark = pytest.mark.django_db


def test_a_second_account_there_with_the_same_address_is_refused(
    client: Client, provider: Provider, announced: list[Announcement]
) -> None:
    """Addresses are given to other people; the first account goes on."""
    make_invitation()
    sign_in(Client())
    provider.subject = "subject-2"

    response = sign_in(client)

    assert response.status_code == 403
    assert "signs in with another account" in response.content.decode()
    assert not is_signed_in(client)
    assert SocialAccount.objects.get().uid == "subject-1"
    assert announced[-1].action == "session.sign_in_failed"


def test_unlinked_by_an_admin_the_next_account_is_linked(
    client: Client, signed_in: Client, provider: Provider, announced: list[Announcement]
) -> None:
    """By a button on the person's page, which is told and ends their sessions."""
    make_invitation()
    linked, admin = Client(), signed_in
    sign_in(linked)
    berta = User.objects.get(username="berta@example.com")
    page = f"/settings/members/{berta.pk}/"
    offered = f'action="{page}unlink/"' in admin.get(page).content.decode()

    admin.post(f"{page}unlink/")
    was_told, is_out = announced[-1], not is_signed_in(linked)
    provider.subject = "subject-2"
    newcomer = Client()
    sign_in(newcomer)

    assert offered
    assert was_told == Announcement("member.single_sign_on_unlinked", berta, None, {}, {})
    assert is_out
    assert is_signed_in(newcomer)
    assert SocialAccount.objects.get().uid == "subject-2"


def test_who_confirms_that_way_is_asked_there_and_comes_back(client: Client, provider: Provider) -> None:
    """Who is signed in already must show it anew."""
    make_invitation(role=Role.ADMIN)
    sign_in(client)
    forget_confirming(client)
    asked = client.get("/settings/members/invite/")

    there = client.get(asked["Location"])
    query = parse_qs(urlsplit(there["Location"]).query)
    back = client.get(CALLBACK, {"code": "a-code", "state": query["state"][0]})

    assert query["prompt"] == ["login"]
    assert back["Location"] == "/settings/members/invite/"
    assert client.get("/settings/members/invite/").status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(None, 200), (60, 200), (3600, 302)])
def test_signing_in_there_confirms_from_when_they_asked(
    client: Client, provider: Provider, seconds: int | None, status: int
) -> None:
    """A browser that was left open there, too, signs in without asking anybody."""
    make_invitation(role=Role.ADMIN)
    provider.asked_seconds_ago = seconds

    sign_in(client)

    assert is_signed_in(client)
    assert client.get("/settings/members/invite/").status_code == status
