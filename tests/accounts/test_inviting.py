"""Invitations: made by an Admin, shown once, used once."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Membership, Role
from accounts.services.inviting import InvitationOverError, accept_invitation, invite
from accounts.services.members import change_role, deactivate_member, remove_member
from providers.models import Company
from tests.accounts.conftest import Announcement
from tests.factories import NOW, make_company, make_user

pytestmark = pytest.mark.django_db

JOIN = {"username": "berta", "password": "a-very-long-one", "password_again": "a-very-long-one"}


def make_invitation(*, role: Role = Role.VIEWER, email: str = "", companies: tuple[Company, ...] = ()) -> str:
    """The path of the link."""
    admin = make_user(role=Role.ADMIN)
    _invitation, token = invite(role=role, companies=companies, email=email, invited_by=admin, now=timezone.now())
    return f"/accounts/invitations/{token}/"


def test_an_invitation_is_a_link_that_is_shown_once(signed_in: Client, operator: User) -> None:
    """The page that answers has it; the list and the database have not."""
    response = signed_in.post("/settings/members/invite/", {"email": "berta@example.com", "role": "member"})

    page = response.content.decode()
    (token,) = re.findall(r"http://testserver/accounts/invitations/([\w-]{43})/", page)
    invitation = Invitation.objects.get()
    assert response.status_code == 201
    assert "no-store" in response["Cache-Control"]
    assert token not in signed_in.get("/settings/members/").content.decode()
    assert token not in str(Invitation.objects.values())
    assert (invitation.role, invitation.email, invitation.invited_by) == ("member", "berta@example.com", operator)
    assert invitation.expires_at == NOW + timedelta(days=7)


@pytest.mark.parametrize(
    "lose",
    [
        lambda maker: change_role(user=maker, role=Role.MEMBER),
        lambda maker: deactivate_member(user=maker),
        lambda maker: remove_member(user=maker),
    ],
    ids=["demoted", "deactivated", "removed"],
)
def test_an_invitation_is_worth_what_its_maker_may_give_now(client: Client, lose: Callable[[User], None]) -> None:
    """Whoever is no active Admin any more has nothing to give: the link is over, and the list says why."""
    maker, other = make_user(role=Role.ADMIN), make_user(role=Role.ADMIN)
    token = invite(role=Role.ADMIN, companies=[], email="", invited_by=maker, now=timezone.now())[1]
    link = f"/accounts/invitations/{token}/"
    opened = client.get(link).status_code

    lose(maker)
    people = User.objects.count()
    answers = [client.get(link).status_code, client.post(link, JOIN).status_code]
    client.force_login(other)

    assert (opened, answers) == (200, [404, 404])
    assert User.objects.count() == people
    assert "is no Admin any more" in client.get("/settings/members/").content.decode()


def test_who_loses_the_role_while_somebody_joins_lets_nobody_in() -> None:
    """The form was open already: what counts is the moment in which the account would be made."""
    maker = make_user(role=Role.ADMIN)
    make_user(role=Role.ADMIN)
    invitation, _token = invite(role=Role.ADMIN, companies=[], email="", invited_by=maker, now=timezone.now())

    change_role(user=maker, role=Role.VIEWER)

    with pytest.raises(InvitationOverError):
        accept_invitation(invitation=invitation, username="berta", password="a-very-long-one", now=timezone.now())
    assert not User.objects.filter(username="berta").exists()


def test_an_address_may_be_invited_again_by_who_still_may() -> None:
    """An invitation that opens nothing stands in nobody's way."""
    maker, other = make_user(role=Role.ADMIN), make_user(role=Role.ADMIN)
    invite(role=Role.ADMIN, companies=[], email="b@x.example", invited_by=maker, now=timezone.now())
    deactivate_member(user=maker)

    again, _token = invite(role=Role.VIEWER, companies=[], email="b@x.example", invited_by=other, now=timezone.now())

    assert list(Invitation.objects.open(timezone.now())) == [again]


def test_inviting_is_told_without_the_link(signed_in: Client, operator: User, announced: list[Announcement]) -> None:
    """Role, companies and e-mail address."""
    acme = make_company(name="Acme")

    signed_in.post(
        "/settings/members/invite/", {"role": "company_viewer", "companies": [acme.pk], "email": "b@x.example"}
    )

    new = {"role": "Company viewer", "companies": ["Acme"], "email": "b@x.example"}
    assert announced == [Announcement("member.invited", Invitation.objects.get(), operator, {}, new)]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose a role."),
        ({"role": "root"}, "Choose one of the roles."),
        ({"role": "company_viewer"}, "Choose at least one company for a Company viewer."),
        ({"role": "viewer", "email": "not an address"}, "Enter an e-mail address like anna@example.com, or none."),
        ({"role": "viewer", "email": "member@example.com"}, "Somebody with this e-mail address is a member already."),
        ({"role": "viewer", "email": "Invited@example.com"}, "This e-mail address is invited already."),
    ],
)
def test_a_bad_invitation_is_refused(signed_in: Client, form: dict[str, str], sentence: str) -> None:
    """422 with a sentence; nothing is made."""
    make_user(email="Member@example.com")
    make_invitation(email="invited@example.com")

    response = signed_in.post("/settings/members/invite/", form)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert Invitation.objects.count() == 1


def test_who_is_invited_chooses_how_to_sign_in(client: Client, announced: list[Announcement]) -> None:
    """And is signed in, with the role and the companies of the invitation."""
    acme = make_company(name="Acme")
    link = make_invitation(role=Role.COMPANY_VIEWER, companies=(acme,), email="berta@example.com")

    response = client.post(link, JOIN)

    berta = User.objects.get(username="berta")
    membership = Membership.objects.get(user=berta)
    assert response["Location"] == "/"
    assert client.get("/", follow=True).redirect_chain[-1][0] == f"/companies/{acme.pk}/"
    assert (membership.role, list(membership.companies.all())) == ("company_viewer", [acme])
    assert (berta.email, berta.is_staff, berta.is_superuser) == ("berta@example.com", False, False)
    assert berta.check_password("a-very-long-one")
    assert [told.action for told in announced] == ["member.invited", "member.joined", "session.signed_in"]


def test_an_invited_admin_is_one(client: Client) -> None:
    """Django's admin included."""
    client.post(make_invitation(role=Role.ADMIN), JOIN)

    berta = User.objects.get(username="berta")
    assert (berta.membership.role, berta.is_staff, berta.is_superuser) == ("admin", True, True)
    assert client.get("/admin/").status_code == 200


def test_a_link_works_once(client: Client) -> None:
    """The second time it says no more than that it does not work."""
    link = make_invitation()
    client.post(link, JOIN)
    stranger = Client()

    answers = [stranger.get(link), stranger.post(link, JOIN | {"username": "carla"})]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert "This invitation doesn&#x27;t work" in answers[0].content.decode().replace("n't", "n&#x27;t")
    assert not User.objects.filter(username="carla").exists()


def test_a_link_ends_after_seven_days(client: Client) -> None:
    """To the second."""
    link = make_invitation()
    Invitation.objects.update(expires_at=timezone.now())

    assert client.post(link, JOIN).status_code == 404
    assert not User.objects.filter(username="berta").exists()


def test_a_withdrawn_link_does_not_work(signed_in: Client, client: Client, announced: list[Announcement]) -> None:
    """And it is told."""
    link = make_invitation(email="berta@example.com")
    invitation = Invitation.objects.get()

    signed_in.post(f"/settings/members/invitations/{invitation.pk}/withdraw/")

    assert Client().get(link).status_code == 404
    assert announced[-1].action == "member.invitation_withdrawn"
    assert announced[-1].old == {"email": "berta@example.com"}


def test_an_accepted_invitation_can_not_be_withdrawn(signed_in: Client) -> None:
    """404: it is a person now."""
    Client().post(make_invitation(), JOIN)
    invitation = Invitation.objects.get()

    assert signed_in.post(f"/settings/members/invitations/{invitation.pk}/withdraw/").status_code == 404


@pytest.mark.parametrize("token", ["x", "a" * 43, "a" * 2000, "%00"])
def test_a_guessed_link_is_404(client: Client, token: str) -> None:
    """Whatever stands in it."""
    assert client.get(f"/accounts/invitations/{token}/").status_code == 404


def test_who_is_signed_in_does_not_join_again(client: Client) -> None:
    """The invitation stays for whom it is for."""
    link = make_invitation()
    client.force_login(make_user())

    response = client.post(link, JOIN)

    assert response.status_code == 409
    assert Invitation.objects.get().accepted_at is None


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"username": ""}, "Choose a username."),
        ({"username": "Anna"}, "This username is taken. Choose another one."),
        ({"username": "b" * 151}, "The username is longer than 150 characters."),
        ({"username": "<script>"}, "Use only the letters a to z"),
        ({"username": "ber\x00ta"}, "Null characters are not allowed."),
        ({"password": "", "password_again": ""}, "Choose a password."),
        ({"password": "short", "password_again": "short"}, "This password is too short."),
        ({"password": "password1234", "password_again": "password1234"}, "This password is too common."),
        (
            {"username": "bertaberta", "password": "bertaberta1", "password_again": "bertaberta1"},
            "The password is too similar to the username.",
        ),
        ({"password": "12345678901", "password_again": "12345678901"}, "This password is entirely numeric."),
        ({"password_again": "something-else"}, "The two passwords differ."),
        ({"password": "x" * 1001, "password_again": "x" * 1001}, "The password is longer than 1,000 characters."),
    ],
)
def test_a_bad_choice_is_refused(client: Client, overrides: dict[str, str], sentence: str) -> None:
    """422 with a sentence, no account, the password not echoed."""
    make_user(username="anna")
    link = make_invitation()

    response = client.post(link, JOIN | overrides)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert "a-very-long-one" not in response.content.decode()
    assert Invitation.objects.get().accepted_at is None
    assert not User.objects.filter(username="berta").exists()


def test_joining_needs_its_token() -> None:
    """A page of another site can't send the form."""
    assert Client(enforce_csrf_checks=True).post(make_invitation(), JOIN).status_code == 403


def test_whoever_was_removed_does_not_come_back_by_the_old_link(client: Client) -> None:
    """Nor by single sign-on: the invitation is gone with the person."""
    link = make_invitation(email="berta@example.com")
    client.post(link, JOIN)

    User.objects.get(username="berta").delete()

    assert not Invitation.objects.exists()
    assert Client().get(link).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_who_use_a_link_at_once_are_not_both_let_in() -> None:
    """One account is made, and nothing is left of the other."""
    make_invitation()
    invitation = Invitation.objects.get()
    together = threading.Barrier(2)
    refused: list[str] = []

    def join(username: str) -> None:
        together.wait()
        try:
            accept_invitation(invitation=invitation, username=username, password="a-very-long-one", now=timezone.now())
        except InvitationOverError:
            refused.append(username)
        finally:
            connection.close()

    threads = [threading.Thread(target=join, args=[name]) for name in ("berta", "carla")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 1
    assert User.objects.filter(username__in=["berta", "carla"]).count() == 1
