"""What the product's commands have in common: a ready database, one-line errors, exit codes.

0 done · 1 it failed · 2 the input was bad.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, NoReturn

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from core.database import NotMigratedError, ensure_migrated, in_one_line, is_out_of_order
from core.days import parse_day
from core.secrets import mask_api_keys


class Error(CommandError):
    """Printed as one line "Error: …"; ``returncode`` is the exit code."""


def bad_input(sentence: str) -> Error:
    return Error(_one_line(sentence), returncode=2)


def invalid(error: ValidationError) -> Error:
    """Bad input by what a model says of it; its fields are named, because a message alone may not."""
    if not hasattr(error, "error_dict"):
        return bad_input(" ".join(error.messages))
    return bad_input(
        " ".join(
            message if field == NON_FIELD_ERRORS else f"{field}: {message}"
            for field, messages in error.message_dict.items()
            for message in messages
        )
    )


def failure(sentence: str) -> Error:
    return Error(_one_line(sentence), returncode=1)


def _one_line(sentence: str) -> str:
    """Whatever was typed or reported and is quoted in it, but no API key; bytes that are no text are replaced."""
    return mask_api_keys(" ".join(sentence.encode(errors="replace").decode().split()))


class ProductCommand(BaseCommand):
    """A command for people and scripts."""

    # Django's checks load every page and operation: half of what a command takes to start. `make lint` asks them of the
    # code, and `manage.py check` of an installation.
    skips_checks = True

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.set_defaults(skip_checks=self.skips_checks)

        def refuse(message: str) -> NoReturn:
            raise bad_input(f"{message} (see --help)")

        parser.error = refuse  # type: ignore[method-assign]  # argparse would print its usage above the error
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except CommandError as error:  # raised while parsing, before Django's own handling begins
            self.stderr.write(f"Error: {error}")
            raise SystemExit(error.returncode) from None

    def execute(self, *args: Any, **options: Any) -> str | None:
        for value in options.values():
            if isinstance(value, str) and ("\0" in value or value != value.encode(errors="replace").decode()):
                raise bad_input(f"“{value}” has characters that no name has.")
        try:
            ensure_migrated()
            with _quiet(options.get("verbosity", 1)):
                return super().execute(*args, **options)
        except NotMigratedError as error:
            raise failure(str(error)) from None
        except DatabaseError as error:
            if not is_out_of_order(error):
                raise
            raise failure(f"The database can't be used: {in_one_line(error)}") from None


@contextmanager
def _quiet(verbosity: int) -> Iterator[None]:
    """Below verbosity 2, silence the sync log up to warnings: the command prints sentences of its own."""
    talkative = logging.getLogger("syncing")
    level = talkative.level
    if verbosity < 2:
        talkative.setLevel(logging.WARNING)
    try:
        yield
    finally:
        talkative.setLevel(level)


def utc_day(text: str) -> date:
    """An argument's type: a UTC day as YYYY-MM-DD."""
    try:
        return parse_day(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is not a date (YYYY-MM-DD)") from None
