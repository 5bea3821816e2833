"""manage.py clean_up"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from administrate.retention import clean_up
from core.commands import ProductCommand


class Command(ProductCommand):
    help = (
        "Delete what has grown too old: audit entries (AUDIT_KEEP_DAYS), sync runs (SYNC_RUN_KEEP_DAYS), what "
        "assignments could be undone with (a year), expired sessions and cache entries. Done every night by itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many rows would be deleted")

    def handle(self, *args: Any, **options: Any) -> None:
        done = "would be deleted" if options["dry_run"] else "deleted"
        for cleaned in clean_up(now=timezone.now(), dry_run=options["dry_run"]):
            self.stdout.write(f"{cleaned.what}: {cleaned.number} {done}")
