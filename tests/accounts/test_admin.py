"""Users in the Django admin: looked at, and given a new password."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import Membership, Role
from tests.accounts.conftest import Announcement
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.fixture
def anna() -> User:
    return make_user(username="anna", role=Role.MEMBER)


def test_nothing_of_second_factors_and_sessions_is_shown_there() -> None:
    """Of all models about people only the users."""
    shown = {model._meta.label for model in admin.site._registry}

    assert "auth.User" in shown
    assert not {label for label in shown if label.split(".")[0] in {"mfa", "usersessions", "socialaccount", "account"}}
    assert "auth.Group" not in shown


def test_a_forged_form_makes_nobody_an_admin(signed_in: Client, anna: User) -> None:
    """Role and activity are changed in Settings → Members, which keeps the last Admin."""
    form = {"first_name": "Anna", "is_superuser": "on", "is_staff": "on", "username": "root", "user_permissions": ["1"]}

    signed_in.post(f"/admin/auth/user/{anna.pk}/change/", form)

    anna.refresh_from_db()
    assert (anna.first_name, anna.username, anna.is_staff, anna.is_superuser, anna.is_active) == (
        "Anna",
        "anna",
        False,
        False,
        True,
    )
    assert Membership.objects.get(user=anna).role == "member"


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
def test_people_are_neither_made_nor_deleted_there(signed_in: Client, anna: User, path: str) -> None:
    """403."""
    assert signed_in.get(f"/admin/auth/user/{path.format(pk=anna.pk)}").status_code == 403


def test_a_new_password_ends_every_session_and_is_told(
    signed_in: Client, anna: User, announced: list[Announcement]
) -> None:
    """For who forgot theirs: there is no mail to send a link by."""
    annas = Client()
    annas.post("/accounts/login/", {"login": "anna", "password": "a-long-password"})

    form = {"password1": "another-long-one", "password2": "another-long-one", "usable_password": "true"}
    signed_in.post(f"/admin/auth/user/{anna.pk}/password/", form)

    anna.refresh_from_db()
    assert anna.check_password("another-long-one")
    assert annas.get("/settings/").status_code == 302
    assert announced[-1] == Announcement("password.changed", anna, None, {}, {})
