"""Usernames: which new ones there may be, and that each spelling means one person."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Role
from accounts.names import find_person, free_name_for, is_taken
from accounts.services.inviting import invite
from tests.factories import make_user

pytestmark = pytest.mark.django_db

PASSWORD = {"password": "a-very-long-one", "password_again": "a-very-long-one"}
CYRILLIC = "\u0430dmin"  # its first letter only looks like an "a"
WIDE = "\uff21nna"  # "Anna", its first letter as wide as a Chinese one


@pytest.fixture
def link() -> str:
    admin = make_user(username="admin", role=Role.ADMIN)
    token = invite(role=Role.VIEWER, companies=[], email="", invited_by=admin, now=timezone.now())[1]
    return f"/accounts/invitations/{token}/"


@pytest.mark.parametrize("name", [CYRILLIC, "m\u0131a", "jürgen", "anna\u200b", "an na", "анна"])
def test_a_new_name_is_ascii(client: Client, link: str, name: str) -> None:
    """Whatever looks like somebody else's name, and is not, is refused with a sentence."""
    response = client.post(link, PASSWORD | {"username": name})

    assert response.status_code == 422
    assert "Use only the letters a to z, digits and @ . + - _" in response.content.decode()
    assert User.objects.count() == 1


@pytest.mark.parametrize("name", ["ADMIN", "Admin", "\uff41dmin"])
def test_a_name_is_taken_in_every_spelling(client: Client, link: str, name: str) -> None:
    """In capitals and in letters of another width, which are the same letters."""
    response = client.post(link, PASSWORD | {"username": name})

    assert response.status_code == 422
    assert "This username is taken." in response.content.decode()


@pytest.mark.parametrize("name", ["ANNA", "Anna", WIDE])
def test_the_database_holds_no_name_twice(name: str) -> None:
    """Whoever makes the account, and however."""
    make_user(username="anna")

    with pytest.raises(IntegrityError):
        User.objects.create_user(username=name, password="a-long-password")


@pytest.mark.parametrize("typed", ["anna", "ANNA", "aNNa", WIDE, " anna "])
def test_every_spelling_signs_in(client: Client, typed: str) -> None:
    """As the same person."""
    make_user(username="Anna")

    response = client.post("/accounts/login/", {"login": typed, "password": "a-long-password"})

    assert response["Location"] == "/"


def test_a_name_that_only_looks_the_same_signs_in_nobody(client: Client) -> None:
    """Letters of another script are other letters."""
    make_user(username="admin")

    assert find_person(CYRILLIC) is None
    assert client.post("/accounts/login/", {"login": CYRILLIC, "password": "a-long-password"}).status_code == 422


def test_an_existing_name_of_other_letters_keeps_working(client: Client) -> None:
    """Only new ones are held to ASCII."""
    make_user(username="Jürgen")

    assert client.post("/accounts/login/", {"login": "jÜRGEN", "password": "a-long-password"})["Location"] == "/"


def test_a_changed_name_has_another_key() -> None:
    """The shell can change one; the old name is free then."""
    anna = make_user(username="anna")

    anna.username = "Berta"
    anna.save()

    assert find_person("berta") == anna
    assert not is_taken("anna")
    assert Membership.objects.get(user=anna).name_key == "berta"


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("berta@example.com", "berta@example.com-2"),
        ("o'brien@example.com", "o_brien@example.com"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
    ],
)
def test_single_sign_on_gives_a_name_of_the_same_kind(email: str, name: str) -> None:
    """Made of the address."""
    make_user(username="BERTA@example.com")

    assert free_name_for(email) == name
