"""Settings → Members: changing roles, keeping people out, and never losing the last Admin."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from accounts.models import Membership, Role
from accounts.services.members import LastAdminError, change_role, deactivate_member, remove_member
from tests.accounts.conftest import Announcement
from tests.factories import make_company, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return make_user(username="anna", role=Role.MEMBER)


@pytest.fixture
def annas(anna: User) -> Client:
    """A browser in which Anna is signed in."""
    client = Client()
    client.post("/accounts/login/", {"login": "anna", "password": "a-long-password"})
    return client


def role_of(user: User) -> str:
    return Membership.objects.get(user=user).role


def test_members_are_listed_with_what_one_wants_to_know(signed_in: Client, anna: User) -> None:
    """Name, role, companies, second factor, last sign-in."""
    Authenticator.objects.create(user=anna, type=Authenticator.Type.WEBAUTHN, data={"name": "Key"})
    make_user(username="guest", role=Role.COMPANY_VIEWER, companies=[make_company(name="Acme")])

    page = signed_in.get("/settings/members/").content.decode()

    assert "anna" in page
    assert "Company viewer" in page
    assert "Acme" in page
    assert page.count("status--connected") == 1
    assert "Never" in page


def test_the_list_asks_a_fixed_number_of_questions(
    signed_in: Client, django_assert_num_queries: Callable[..., AbstractContextManager[object]]
) -> None:
    """However many people there are."""
    for _number in range(20):
        make_user(role=Role.COMPANY_VIEWER, companies=[make_company()])

    with django_assert_num_queries(6):
        signed_in.get("/settings/members/")


def test_a_role_is_changed_and_told(signed_in: Client, anna: User, announced: list[Announcement]) -> None:
    """With old and new."""
    acme = make_company(name="Acme")

    response = signed_in.post(f"/settings/members/{anna.pk}/", {"role": "company_viewer", "companies": [acme.pk]})

    assert response["Location"] == "/settings/members/"
    assert role_of(anna) == "company_viewer"
    assert list(anna.membership.companies.all()) == [acme]
    new = {"role": "Company viewer", "companies": ["Acme"]}
    assert announced == [Announcement("member.role_changed", anna, None, {"role": "Member"}, new)]


def test_saving_the_same_role_tells_nothing(signed_in: Client, anna: User, announced: list[Announcement]) -> None:
    """The log holds changes."""
    signed_in.post(f"/settings/members/{anna.pk}/", {"role": "member"})

    assert announced == []


def test_the_django_admin_follows_the_role(anna: User) -> None:
    """In and out."""
    make_user(role=Role.ADMIN)

    change_role(user=anna, role=Role.ADMIN)
    anna.refresh_from_db()
    raised = (anna.is_staff, anna.is_superuser)
    change_role(user=anna, role=Role.MEMBER)
    anna.refresh_from_db()

    assert raised == (True, True)
    assert (anna.is_staff, anna.is_superuser) == (False, False)


def test_companies_go_with_the_role_of_a_company_viewer(anna: User) -> None:
    """Coming back to that role starts from nothing."""
    change_role(user=anna, role=Role.COMPANY_VIEWER, companies=[make_company()])
    change_role(user=anna, role=Role.VIEWER, companies=[make_company()])

    assert not Membership.objects.get(user=anna).companies.exists()


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose a role."),
        ({"role": "root"}, "Choose one of the roles."),
        ({"role": "company_viewer"}, "Choose at least one company for a Company viewer."),
        ({"role": "company_viewer", "companies": ["99999"]}, "Choose companies from the list."),
        ({"role": "company_viewer", "companies": ["1 OR 1=1"]}, "Choose companies from the list."),
        ({"role": "mem\x00ber"}, "Choose one of the roles."),
    ],
)
def test_a_bad_form_changes_nothing(signed_in: Client, anna: User, form: dict[str, object], sentence: str) -> None:
    """422 with a sentence."""
    response = signed_in.post(f"/settings/members/{anna.pk}/", form)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert role_of(anna) == "member"


def test_whoever_is_deactivated_is_out_at_once_and_told(
    signed_in: Client, anna: User, annas: Client, announced: list[Announcement]
) -> None:
    """In every browser; being let in again brings none of the old sessions back."""
    before = annas.get("/settings/").status_code

    signed_in.post(f"/settings/members/{anna.pk}/deactivate/")
    out = annas.get("/settings/").status_code
    signed_in.post(f"/settings/members/{anna.pk}/reactivate/")
    later = annas.get("/settings/").status_code

    assert (before, out, later) == (200, 302, 302)
    assert [announcement.action for announcement in announced[-2:]] == ["member.deactivated", "member.reactivated"]
    assert User.objects.get(pk=anna.pk).is_active


def test_removing_asks_by_name(signed_in: Client, anna: User) -> None:
    """Another name removes nobody."""
    response = signed_in.post(f"/settings/members/{anna.pk}/remove/", {"confirmed_name": "berta"})

    assert response.status_code == 422
    assert "Type anna to confirm." in response.content.decode()
    assert User.objects.filter(pk=anna.pk).exists()


def test_whoever_is_removed_is_gone_and_told(
    signed_in: Client, anna: User, annas: Client, announced: list[Announcement]
) -> None:
    """With the sessions."""
    response = signed_in.post(f"/settings/members/{anna.pk}/remove/", {"confirmed_name": "anna"})

    assert response["Location"] == "/settings/members/"
    assert not User.objects.filter(pk=anna.pk).exists()
    assert annas.get("/settings/").status_code == 302
    assert announced[-1].action == "member.removed"
    assert announced[-1].old == {"username": "anna"}


def test_two_factor_is_reset_for_who_lost_it(signed_in: Client, anna: User, announced: list[Announcement]) -> None:
    """The password alone signs in then."""
    for kind, data in (("totp", {"secret": "x"}), ("recovery_codes", {"seed": "x", "used_mask": 0})):
        Authenticator.objects.create(user=anna, type=kind, data=data)

    response = signed_in.post(f"/settings/members/{anna.pk}/reset-two-factor/")

    assert response["Location"] == f"/settings/members/{anna.pk}/"
    assert not Authenticator.objects.exists()
    assert announced == [Announcement("two_factor.reset", anna, None, {}, {})]


@pytest.mark.parametrize("action", ["", "deactivate/", "reactivate/", "reset-two-factor/", "remove/"])
def test_nobody_there_is_404(signed_in: Client, action: str) -> None:
    """Whatever is asked of them."""
    assert signed_in.post(f"/settings/members/999999/{action}", {"role": "viewer"}).status_code == 404


@pytest.mark.parametrize("action", ["deactivate/", "reactivate/", "reset-two-factor/"])
def test_actions_are_no_links(signed_in: Client, anna: User, action: str) -> None:
    """405 to a GET."""
    assert signed_in.get(f"/settings/members/{anna.pk}/{action}").status_code == 405


# The last Admin -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "form"),
    [("", {"role": "member"}), ("deactivate/", {}), ("remove/", {"confirmed_name": "operator"})],
)
def test_the_last_active_admin_stays_one(signed_in: Client, operator: User, action: str, form: dict[str, str]) -> None:
    """Nobody could undo it; a deactivated Admin is no other one."""
    other = make_user(role=Role.ADMIN)
    deactivate_member(user=other)

    response = signed_in.post(f"/settings/members/{operator.pk}/{action}", form)

    assert response.status_code == 422
    assert "This is the last active Admin. Make somebody else an Admin first." in response.content.decode()
    operator.refresh_from_db()
    assert (operator.is_active, operator.is_superuser, role_of(operator)) == (True, True, "admin")


def test_an_admin_leaves_when_there_is_another(signed_in: Client, operator: User) -> None:
    """And is led to a page that is still open."""
    make_user(role=Role.ADMIN)

    response = signed_in.post(f"/settings/members/{operator.pk}/", {"role": "viewer"}, follow=True)

    assert response.status_code == 200
    assert response.redirect_chain[-1][0] == "/settings/"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "leave",
    [
        lambda user: change_role(user=user, role=Role.VIEWER),
        lambda user: deactivate_member(user=user),
        lambda user: remove_member(user=user),
    ],
)
def test_two_admins_who_leave_at_once_are_not_both_let_go(leave: Callable[[User], None]) -> None:
    """Whichever comes second is the last."""
    admins = [make_user(role=Role.ADMIN), make_user(role=Role.ADMIN)]
    together = threading.Barrier(2)
    refused: list[User] = []

    def go(user: User) -> None:
        together.wait()
        try:
            leave(user)
        except LastAdminError:
            refused.append(user)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=[user]) for user in admins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 1
    assert Membership.objects.active_admins().count() == 1
