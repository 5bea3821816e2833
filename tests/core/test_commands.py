"""What all commands share: their errors, dates and names."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from core.commands import ProductCommand, bad_input, failure, invalid, utc_day
from providers.lookups import provider_named
from tests.factories import make_provider

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "text", ["2026-02-29", "2026-13-01", "yesterday", "", "2026-1-1", "22/11/2026", "2026-11-22T00:00"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    """The sentence says what is expected."""
    with pytest.raises(argparse.ArgumentTypeError, match="YYYY-MM-DD"):
        utc_day(text)


def test_leap_day_is_a_day() -> None:
    """2028 has one."""
    assert utc_day("2028-02-29") == date(2028, 2, 29)


@pytest.mark.parametrize("name", ["Production", "PRODUCTION", "production"])
def test_provider_is_found_whatever_its_capitals(name: str) -> None:
    """Names are unique without them."""
    provider = make_provider(name="Production")

    assert provider_named(name) == provider


@pytest.mark.parametrize("name", ["", "Prod", "Production ", "%", "_roduction"])
def test_unknown_provider_is_refused_and_known_ones_named(name: str) -> None:
    """Neither parts nor patterns of a name are taken."""
    make_provider(name="Production")

    with pytest.raises(CommandError, match="Known: “Production”") as caught:
        provider_named(name)

    assert caught.value.returncode == 2


def test_without_any_provider_the_sentence_says_so() -> None:
    """Nothing to choose from."""
    with pytest.raises(CommandError, match="None is connected"):
        provider_named("x")


def test_sentences_are_one_line() -> None:
    """Whatever is quoted in them."""
    assert str(bad_input("a\nb\r\n c\udcff")) == "a b c?"
    assert (bad_input("x").returncode, failure("x").returncode) == (2, 1)


def test_invalid_fields_are_named() -> None:
    """A field's message alone may not say whose it is."""
    error = invalid(ValidationError({"name": ["Blank.", "Bad."], "__all__": ["Taken."]}))

    assert str(error) == "name: Blank. name: Bad. Taken."
    assert str(invalid(ValidationError("Only this."))) == "Only this."


def test_a_command_starts_without_checking_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks load all of them; they are asked of the code before it is released, and by `manage.py check`."""

    class Command(ProductCommand):
        def handle(self, *_args: Any, **_options: Any) -> str:
            return "done"

    command = Command()
    monkeypatch.setattr(command, "check", lambda **_options: pytest.fail("checked"))

    assert command.execute(**vars(command.create_parser("manage.py", "example").parse_args([]))) == "done"


def test_database_that_can_not_be_used_is_one_sentence() -> None:
    """Not a traceback."""

    class Command(ProductCommand):
        def handle(self, *_args: Any, **_options: Any) -> None:
            raise OperationalError("connection refused\nIs the server running?")

    with pytest.raises(CommandError, match=r"The database can't be used: connection refused$") as caught:
        call_command(Command(), skip_checks=True)

    assert caught.value.returncode == 1
