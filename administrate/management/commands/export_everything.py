"""manage.py export_everything"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from administrate.data_export import export_everything, export_to_stream
from core.commands import ProductCommand, bad_input, failure


class Command(ProductCommand):
    help = (
        "Write all that is stored as CSV files with a manifest: usage, FOCUS, restatements, companies, providers, "
        "projects, assignments, rules, statements, sync runs, audit log, members, budgets, alerts and how people are "
        "told. Never a key, a password or a webhook's address."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--output",
            type=Path,
            required=True,
            metavar="DIR|FILE.zip|-",
            help="a folder that is made, or a zip file, only its owner can read; - writes a zip to standard output",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["output"]
        piped = target == Path("-")
        try:
            if piped:
                written = export_to_stream(sys.stdout.buffer, now=timezone.now())
            else:
                written = export_everything(target, now=timezone.now())
        except FileExistsError as error:
            raise bad_input(f"{target} can't be written: {error.strerror}.") from None
        except OSError as error:
            raise failure(f"{target} can't be written: {error.strerror or error}.") from None
        for each in written:
            (self.stderr if piped else self.stdout).write(f"{each.file}: {each.rows} rows")
