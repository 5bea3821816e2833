"""manage.py sync_provider"""

from __future__ import annotations

import logging
import sys
from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.db import DatabaseError
from django.utils import timezone
from tqdm import tqdm

from core.commands import ProductCommand, bad_input, failure, utc_day
from core.database import in_one_line
from core.days import EARLIEST_DAY
from providers import registry
from providers.lookups import provider_named
from providers.models import Provider, SyncRun
from providers.registry import Progress
from providers.services.queueing import request_sync

logger = logging.getLogger(__name__)


class Command(ProductCommand):
    help = (
        "Sync one provider, or all that are not paused, now and in this process. "
        "Without dates: finishes the initial sync, else reads whatever is due. "
        "Prints the rows read, inserted, changed and unchanged; exit code 1 when a sync failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("name", nargs="?", metavar="NAME", help="the provider's name")
        which.add_argument("--all", action="store_true", help="every provider that is not paused")
        parser.add_argument("--from", dest="first", type=utc_day, metavar="DATE", help="first UTC day (YYYY-MM-DD)")
        parser.add_argument("--to", dest="last", type=utc_day, metavar="DATE", help="last UTC day, inclusive")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = _checked(options["first"], options["last"], today=timezone.now().date())
        providers = list(Provider.objects.active()) if options["all"] else [provider_named(options["name"])]
        if gone := next((provider for provider in providers if provider.disconnected_at), None):
            raise bad_input(f"{gone.name} is disconnected. Give it a key first: manage.py replace_provider_key")
        failures = [sentence for provider in providers if (sentence := self._sync(provider, first, last))]
        if failures:
            for sentence in failures[:-1]:
                self.stderr.write(f"Error: {sentence}")
            raise failure(failures[-1])

    def _sync(self, provider: Provider, first: date | None, last: date | None) -> str:
        """Sync and report; the sentence to fail with, empty when all went well."""
        queued = request_sync(
            provider=provider,
            trigger=SyncRun.Trigger.MANUAL,
            now=timezone.now(),
            requested_from=first,
            requested_to=last,
        )
        with tqdm(desc=provider.name, unit="day", file=sys.stderr, leave=False, disable=None) as bar:

            def show(progress: Progress) -> None:
                bar.total = progress.days_total
                bar.update(progress.days_done - bar.n)

            try:
                run = registry.engine().sync(queued.pk, on_progress=show)
            except DatabaseError as error:
                logger.exception("The sync of %s failed", provider.name)
                return f"{provider.name}: The database could not be written: {in_one_line(error)}."
            except Exception:  # one provider's failure never stops another's
                logger.exception("The sync of %s failed", provider.name)
                queued.refresh_from_db()
                return f"{provider.name}: {queued.error_text or 'An error in Administrate itself: its log says more.'}"
        if run is None:
            provider.refresh_from_db()
            if not provider.is_claimed(timezone.now()):
                return f"{provider.name}: the sync was interrupted. What it read is stored; run this again to go on."
            SyncRun.objects.unfinished().filter(pk=queued.pk, started_at=None, requested_from__isnull=False).delete()
            return f"{provider.name} is being synced by another process. Try again when that has ended."
        self.stdout.write(
            f"{provider.name}: {run.rows_read} rows read, {run.rows_inserted} inserted, "
            f"{run.rows_changed} changed, {run.rows_unchanged} unchanged"
        )
        return "" if run.outcome == SyncRun.Outcome.SUCCEEDED else f"{provider.name}: {run.error_text}"


def _checked(first: date | None, last: date | None, *, today: date) -> tuple[date | None, date | None]:
    if first is None and last is None:
        return None, None
    if first is None:
        raise bad_input("--to needs --from.")
    last = last or today
    if first < EARLIEST_DAY:
        raise bad_input(f"--from must not be before {EARLIEST_DAY.isoformat()}.")
    if first > today:
        raise bad_input(f"--from must not be after today ({today.isoformat()}, UTC).")
    if last > today:
        raise bad_input(f"--to must not be after today ({today.isoformat()}, UTC).")
    if first > last:
        raise bad_input("--from must not be after --to.")
    return first, last
