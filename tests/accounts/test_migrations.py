"""What an upgrade makes of the people who were there before roles were."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import User

from accounts.models import Membership
from tests.factories import make_user

give_roles = import_module("accounts.migrations.0002_roles_of_existing_users").give_roles


@pytest.mark.django_db
def test_superusers_become_admins_and_everybody_else_a_member() -> None:
    """Nobody gains anything; staff who were no superusers lose Django's admin, which is the Admins' now."""
    for name, staff, superuser in (("root", True, True), ("staff", True, False), ("anna", False, False)):
        make_user(username=name, is_staff=staff, is_superuser=superuser)
    Membership.objects.all().delete()

    give_roles(apps, None)
    give_roles(apps, None)

    roles = dict(Membership.objects.values_list("user__username", "role"))
    assert roles == {"root": "admin", "staff": "member", "anna": "member"}
    assert set(User.objects.filter(is_staff=True).values_list("username", flat=True)) == {"root"}
