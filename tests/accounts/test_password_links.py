"""A new password without the Django admin and without mail: a link that an Admin hands over."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, PasswordLink, Role, Session
from accounts.services.members import change_role, deactivate_member, remove_member
from accounts.services.password_links import make_password_link
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

NEW = "quite-another-long-one"
CHOSEN = {"password": NEW, "password_again": NEW}


def a_link(user: User, *, made_by: User | None = None) -> str:
    """The path of a link for ``user``."""
    maker = made_by or make_user(role=Role.ADMIN)
    return f"/accounts/new-password/{make_password_link(user=user, made_by=maker, now=timezone.now())[1]}/"


@pytest.fixture
def berta() -> User:
    user = make_user(role=Role.MEMBER)
    user.set_password("the-forgotten-one")
    user.save()
    return user


def test_a_password_link_is_shown_once(signed_in: Client, operator: User, berta: User) -> None:
    """The page that answers has it; the database has not, and the log tells who made it."""
    response = signed_in.post(f"/settings/members/{berta.pk}/password-link/")

    (token,) = re.findall(r"http://testserver/accounts/new-password/([\w-]{43})/", response.content.decode())
    entry = AuditEntry.objects.get(action="member.password_link_made")
    assert response.status_code == 201
    assert "no-store" in response["Cache-Control"]
    assert token not in str(PasswordLink.objects.values())
    assert entry.actor_name == operator.get_username()


def test_whoever_has_the_link_chooses_a_password_once(client: Client, berta: User) -> None:
    """The new one holds, every session has ended, and nobody is signed in by the link itself."""
    elsewhere = Client()
    elsewhere.force_login(berta)
    link = a_link(berta)

    answer = client.post(link, CHOSEN)

    berta.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/")
    assert berta.check_password(NEW)
    assert not Session.objects.filter(user=berta).exists()
    assert client.get("/").status_code == 302
    assert (client.get(link).status_code, client.post(link, CHOSEN).status_code) == (404, 404)
    assert AuditEntry.objects.filter(action="password.reset").count() == 1


def test_a_weak_password_is_refused_in_words(client: Client, berta: User) -> None:
    """The link still works afterwards."""
    link = a_link(berta)

    answer = client.post(link, {"password": "1234567890", "password_again": "1234567890"})

    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
    assert client.get(link).status_code == 200


def test_a_password_link_ends_after_a_day(client: Client, berta: User) -> None:
    """To the second."""
    link = a_link(berta)
    PasswordLink.objects.update(ends_at=timezone.now() - timedelta(seconds=1))

    assert client.get(link).status_code == 404


def test_a_newer_link_replaces_the_one_before(client: Client, berta: User) -> None:
    """There is one way in at a time."""
    first, second = a_link(berta), a_link(berta)

    assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)


@pytest.mark.parametrize(
    "lose",
    [
        lambda maker: change_role(user=maker, role=Role.MEMBER),
        lambda maker: deactivate_member(user=maker),
        lambda maker: remove_member(user=maker),
    ],
    ids=["demoted", "deactivated", "removed"],
)
def test_a_password_link_is_worth_what_its_maker_may_give_now(
    client: Client, berta: User, lose: Callable[[User], None]
) -> None:
    """Whoever is no active Admin any more opens nobody's account."""
    maker = make_user(role=Role.ADMIN)
    make_user(role=Role.ADMIN)
    link = a_link(berta, made_by=maker)

    lose(maker)

    assert client.post(link, CHOSEN).status_code == 404


def test_a_deactivated_member_gets_no_password(client: Client, berta: User) -> None:
    """A link from before is void while they are kept out."""
    link = a_link(berta)

    deactivate_member(user=berta)

    assert client.post(link, CHOSEN).status_code == 404


def test_a_password_that_was_changed_meanwhile_ends_the_link(client: Client, berta: User) -> None:
    """Whoever still holds it, in a mailbox or a chat, can't take the account over with it."""
    link = a_link(berta)
    client.post("/accounts/login/", {"login": berta.get_username(), "password": "the-forgotten-one"})
    new = {"oldpassword": "the-forgotten-one", "password1": "another-long-one", "password2": "another-long-one"}

    client.post("/accounts/password/change/", new)

    berta.refresh_from_db()
    assert berta.check_password("another-long-one")
    assert Client().get(link).status_code == 404


def test_who_has_no_password_gets_none_by_a_link(signed_in: Client) -> None:
    """Whoever signs in by single sign-on alone: not offered, and refused."""
    user = make_user(role=Role.MEMBER)
    user.set_unusable_password()
    user.save()

    page = signed_in.get(f"/settings/members/{user.pk}/").content.decode()
    signed_in.post(f"/settings/members/{user.pk}/password-link/")

    assert "Make password link" not in page
    assert not PasswordLink.objects.exists()
