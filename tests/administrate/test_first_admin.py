"""The first user: made while there is none, and never again."""

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from administrate.first_admin import create_first_admin
from tests.factories import make_user
from tests.providers.commands import ran

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def test_first_admin_gets_a_generated_password() -> None:
    """It is told once, and works."""
    admin = create_first_admin()

    assert admin is not None
    assert admin.generated_password is not None
    assert len(admin.generated_password) >= 16
    user = User.objects.get(username="admin")
    assert user.check_password(admin.generated_password)
    assert user.is_superuser
    assert user.is_staff


def test_each_generated_password_is_new() -> None:
    """No two installations share one."""
    one = create_first_admin()
    User.objects.all().delete()

    assert one != create_first_admin()


def test_given_name_and_password_are_taken(settings: Settings) -> None:
    """And the password is not repeated."""
    settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD = "chief", "a given password"

    admin = create_first_admin()

    assert admin is not None
    assert (admin.username, admin.generated_password) == ("chief", None)
    assert User.objects.get(username="chief").check_password("a given password")


def test_with_any_user_nothing_is_made(settings: Settings) -> None:
    """ADMIN_PASSWORD acts only while no user exists; the one that stands keeps its own."""
    make_user(username="admin", password="its own password")
    settings.ADMIN_PASSWORD = "another password"

    assert create_first_admin() is None
    assert User.objects.get().check_password("its own password")


def test_command_prints_the_password_once() -> None:
    """The second time there is nothing to say."""
    output = ran("create_first_admin")

    password = output.split("Password: ")[1].split(" ")[0]
    assert "Username: admin" in output
    assert User.objects.get().check_password(password)
    assert ran("create_first_admin") == ""


def test_first_admin_can_sign_in() -> None:
    """By the ways that the settings allow."""
    admin = create_first_admin()

    assert admin is not None
    assert authenticate(username=admin.username, password=admin.generated_password) is not None
