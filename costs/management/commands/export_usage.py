"""manage.py export_usage"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q

from core.commands import ProductCommand, bad_input, failure, utc_day
from core.wording import count
from costs.exports.focus import count_unpriced, focus_csv
from costs.exports.usage import usage_csv
from costs.models import AttributedUsage, Restatement
from costs.pages.restatements import restatements_csv
from providers.lookups import provider_named


class Command(ProductCommand):
    help = (
        "Write stored usage as CSV, one row per day, API key and model; without dates every stored day. "
        "Amounts are exact; empty means unknown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=utc_day, metavar="DATE", help="first UTC day (YYYY-MM-DD)")
        parser.add_argument("--to", dest="last", type=utc_day, metavar="DATE", help="last UTC day, inclusive")
        parser.add_argument("--provider", metavar="NAME", help="only this provider")
        parser.add_argument(
            "--format",
            choices=["csv", "focus"],
            default="csv",
            help="csv, or a FOCUS 1.2 dataset, in which rows without a price are left out (default: csv)",
        )
        parser.add_argument(
            "--restatements",
            action="store_true",
            help="instead of usage, the log of changes to days that had already settled: what stood, what stands since",
        )
        parser.add_argument("--output", type=Path, metavar="FILE", help="instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = options["first"], options["last"]
        if first and last and first > last:
            raise bad_input("--from must not be after --to.")
        is_focus = options["format"] == "focus"
        if is_focus and options["restatements"]:
            raise bad_input("--restatements has a format of its own: leave --format focus out.")
        wanted = Q()
        if options["provider"] is not None:
            wanted &= Q(project__provider=provider_named(options["provider"]))
        if first:
            wanted &= Q(day__gte=first)
        if last:
            wanted &= Q(day__lte=last)
        usage = AttributedUsage.objects.filter(wanted)
        if options["restatements"]:
            chunks = restatements_csv(Restatement.objects.filter(wanted))
        else:
            chunks = focus_csv(usage) if is_focus else usage_csv(usage)
        if options["output"]:
            _write_file(options["output"], chunks)
        else:
            self._print(chunks)
        if is_focus and (unpriced := count_unpriced(usage)):
            self.stderr.write(
                f"{count(unpriced, 'row')} without a price {'was' if unpriced == 1 else 'were'} left out."
            )

    def _print(self, chunks: Iterator[str]) -> None:
        try:
            for chunk in chunks:
                self.stdout.write(chunk, ending="")
            self.stdout.flush()
        except BrokenPipeError:  # the reader has seen enough
            _give_up_standard_output()
        except OSError as error:
            _give_up_standard_output()
            raise failure(f"Standard output can't be written: {error.strerror or error}.") from None


def left_out(unpriced: int) -> str:
    """How many rows the file lacks, in a sentence; empty where none."""
    if not unpriced:
        return ""
    return f"{count(unpriced, 'row')} without a price {'was' if unpriced == 1 else 'were'} left out."


def _give_up_standard_output() -> None:
    """Or Python would try to write the rest of it at its end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write_file(target: Path, chunks: Iterator[str]) -> None:
    """Write beside the target and move it there at the end: never half a file, never a lost one."""
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:50]}-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.writelines(chunks)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise failure(f"{target} can't be written: {error.strerror or error}.") from None
