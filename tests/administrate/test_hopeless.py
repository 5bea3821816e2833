"""Secrets that are none stop the start, in a sentence that does not repeat them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from administrate.first_admin import create_first_admin
from administrate.hopeless import flaw_of_encryption_keys, flaw_of_first_password
from tests.administrate.starting import start
from tests.providers.commands import refused

pytestmark = pytest.mark.any_engine


SAME = base64.urlsafe_b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", "xyzzy", "SECRET_KEY is too short"),
        ("SECRET_KEY", "xyzzy" * 10, "SECRET_KEY repeats itself"),
        ("ENCRYPTION_KEYS", "shortish", "Key 1 of ENCRYPTION_KEYS is not a Fernet key"),
        ("ENCRYPTION_KEYS", f"{Fernet.generate_key().decode()},shortish", "Key 2 of ENCRYPTION_KEYS is not"),
        ("ENCRYPTION_KEYS", SAME, "Key 1 of ENCRYPTION_KEYS repeats itself"),
    ],
)
def test_hopeless_secret_stops_the_start(name: str, value: str, sentence: str) -> None:
    """One sentence that names the variable and holds nothing of its value."""
    done = start({name: value})

    assert done.returncode == 1
    assert done.stderr.startswith(f"administrate: {sentence}")
    assert done.stderr.count("\n") == 1
    assert not any(part in done.stderr for part in value.split(","))


def test_hopeless_secret_stops_the_web_server(tmp_path: Path) -> None:
    """Once, with the same sentence, and nothing is left behind."""
    changes = {"SECRET_KEY": "xyzzy", "TMPDIR": str(tmp_path)}

    done = start(changes, "-m", "gunicorn", "administrate.wsgi", "--bind", "127.0.0.1:0")

    assert done.returncode == 1
    assert done.stderr.startswith("administrate: SECRET_KEY is too short")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_debug_is_content_with_any_secret() -> None:
    """Who tries something out on the own machine is not held up."""
    done = start({"SECRET_KEY": "xyzzy", "DEBUG": "true"})

    assert done.returncode == 0


def test_two_encryption_keys_are_two() -> None:
    """The same one twice is a rotation that has not happened."""
    one, two = Fernet.generate_key().decode(), Fernet.generate_key().decode()

    assert flaw_of_encryption_keys([one, two]) == ""
    assert flaw_of_encryption_keys([one, two, one]) == "ENCRYPTION_KEYS holds the same key twice."


@pytest.mark.parametrize(
    "password", ["a", "7letter", "password1", "Password123", "administrate", "ElevenLabs", "the-chief"]
)
def test_hopeless_first_password_is_refused(password: str) -> None:
    """Too short, tried by everybody, or the name of the product or the account – and never repeated."""
    flaw = flaw_of_first_password(password, username="The-Chief")

    assert flaw.startswith("ADMIN_PASSWORD is ")
    assert password == "a" or password not in flaw


@pytest.mark.parametrize("password", ["operator-pass-1", "correct-horse-battery", "only-for-tests-0815", "a given pw"])
def test_ordinary_first_password_is_taken(password: str) -> None:
    """A script may set one that people would not be allowed to choose."""
    assert flaw_of_first_password(password, username="operator") == ""


@pytest.mark.django_db
def test_command_refuses_a_hopeless_first_password(settings: Settings) -> None:
    """Exit code 2, and no account is made with it."""
    settings.ADMIN_PASSWORD = "7letter"

    error = refused("create_first_admin", code=2)

    assert error == "Error: ADMIN_PASSWORD is too short: it needs at least 8 characters.\n"
    assert not User.objects.exists()


@pytest.mark.django_db
def test_debug_takes_any_first_password(settings: Settings) -> None:
    """As with the other secrets."""
    settings.DEBUG, settings.ADMIN_PASSWORD = True, "7letter"

    assert create_first_admin() is not None


@pytest.mark.django_db
def test_hopeless_first_password_is_no_matter_once_somebody_is_there(settings: Settings) -> None:
    """It acts only while no user exists; a left-over one must not stop an upgrade."""
    create_first_admin()
    settings.ADMIN_PASSWORD = "7letter"

    assert create_first_admin() is None
