"""Passwords that everybody would try here first."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from pytest_django.fixtures import Settings

ANNA = User(username="anna.lund", email="a.lund@agency.example", first_name="Annabella", last_name="Lund")


@pytest.fixture(autouse=True)
def site(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["costs.brightvoice.example"]
    settings.OIDC_NAME = "Northwind ID"


@pytest.mark.parametrize(
    "password",
    [
        "elevenlabs",
        "ElevenLabs1",
        "eleven-labs-2026",
        "3l3v3nl4bs!",
        "administrate",
        "Adm1nistrate!",
        "administrate-elevenlabs",
        "adminadmin12",
        "brightvoice",
        "Northwind99",
        "annabella-lund",
        "elevenlabsanna",
    ],
)
def test_names_are_no_password(password: str) -> None:
    """Of the product, its vendor, the site, the sign-in service, the person: however written, and with a number."""
    with pytest.raises(ValidationError, match=r"Names of this product|too similar"):
        validate_password(password, ANNA)


@pytest.mark.parametrize(
    "password", ["correct-horse-battery", "administrate-tulip-garden", "x8!kQz0#pLm2", "blue lund skyline"]
)
def test_a_name_among_other_words_is_no_harm(password: str) -> None:
    """Enough is left without it."""
    validate_password(password, ANNA)


def test_it_needs_no_person() -> None:
    """Before there is an account, too."""
    with pytest.raises(ValidationError, match="Names of this product"):
        validate_password("elevenlabs", None)
