"""What an upgrade makes of the people who were there before: their roles, and the keys of their names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from accounts.models import Membership

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(*targets: tuple[str, str]) -> Any:
    """Bring the database there, and give its models as they were."""
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes("accounts"))
    return MigrationExecutor(connection).loader.project_state(list(targets)).apps


@pytest.fixture
def before() -> Iterator[Any]:
    """The models of the release that knew no roles."""
    yield migrate(("accounts", "0001_initial"))
    migrate()


def make_people(apps: Any, *people: tuple[str, bool, bool]) -> None:
    made = User(username="any")
    made.set_password("a-long-password")
    for name, staff, superuser in people:
        apps.get_model("auth", "User").objects.create(
            username=name, is_staff=staff, is_superuser=superuser, password=made.password
        )


def test_superusers_become_admins_and_everybody_else_a_member(before: Any) -> None:
    """Nobody gains anything; staff who were no superusers lose Django's admin, which is the Admins' now."""
    make_people(before, ("root", True, True), ("staff", True, False), ("anna", False, False))

    migrate()

    roles = dict(Membership.objects.values_list("user__username", "role"))
    assert roles == {"root": "admin", "staff": "member", "anna": "member"}
    assert set(User.objects.filter(is_staff=True).values_list("username", flat=True)) == {"root"}


def test_people_who_differ_in_capitals_alone_sign_in_each_as_themselves(before: Any) -> None:
    """By the name as it is spelled; every other spelling is that of the one in small letters."""
    for name in ("Anna", "anna", "ANNA", "Ärger", "Berta"):
        make_people(before, (name, False, False))

    migrate()

    who = {}
    for typed in ("Anna", "anna", "ANNA", "aNNa", "Ärger", "äRGER", "berta", "Berta"):
        client = Client()
        client.post("/accounts/login/", {"login": typed, "password": "a-long-password"})
        who[typed] = client.get("/settings/").context["user"].username
    expected = dict(zip(who, ("Anna", "anna", "ANNA", "anna", "Ärger", "Ärger", "Berta", "Berta"), strict=True))
    assert who == expected
