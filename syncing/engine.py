"""The sync of one provider: claim it, read the account, then read and store usage piece by piece.

A piece is fetched and read whole before one short transaction stores it; nothing is fetched inside a transaction. A run
that is interrupted anywhere can be carried out again: what was stored stays, what is missing is still due.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction

from core.secrets import ApiKey, KeyUnreadableError
from core.sums import TotalTooLargeError
from costs.models import ReadDay
from costs.usage.writing import ImplausibleAnswerError, Usage, write_usage
from elevenlabs_sync.account import read_account
from elevenlabs_sync.account_totals import AccountTotalsReader
from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.hosts import base_url
from elevenlabs_sync.reading import Call, Reading, UsageReader
from providers.models import Project, Provider, SyncRun
from providers.registry import Progress
from providers.services.projects import projects_for_usage
from syncing.claims import ClaimLostError, new_owner, release_claim, renew_claim, take_claim
from syncing.errors import ProviderError, UnexpectedResponseError
from syncing.retrying import RetryBudget, RetryPolicy
from syncing.runs import begin_run, finish_run, note, put_back_run, record_run
from syncing.windows import Window, due_days, pieces

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

DEFAULT_POLICY = RetryPolicy()

# Set when this process is asked to end: a running sync then stops at the next safe point and goes back to the queue.
stopping = threading.Event()


MAX_NOTED_COLUMNS = 20

# Seconds after which a run makes room for others and is queued again; below the task's time limits in settings.
LONGEST_RUN = 20 * 60


class InterruptedSyncError(Exception):
    """The process is ending, or has worked long enough: the run goes back to the queue with what it has stored."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_client(*, region: str, api_key: ApiKey, deadline: float = 60) -> ElevenLabsClient:
    """A client for the workspace; ``deadline`` bounds each request as a whole, in seconds."""
    return ElevenLabsClient(
        base_url=base_url(region),
        api_key=api_key.reveal(),
        user_agent=f"Administrate/{settings.VERSION}",
        deadline=deadline,
    )


def open_reader(
    client: ElevenLabsClient, provider: Provider, *, call: Call, clock: Clock
) -> UsageReader | AccountTotalsReader:
    """What reads the provider's usage, by the source that was chosen when it was connected."""
    if provider.source == Provider.Source.ACCOUNT_TOTALS:
        return AccountTotalsReader(
            client, call=call, clock=clock, currency=provider.currency, key_hash=Project.ACCOUNT_ID
        )
    return UsageReader(client, call=call, clock=clock, cost_from=provider.cost_from)


def run_sync(
    run_id: int,
    *,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    clock: Clock = utc_now,
    policy: RetryPolicy = DEFAULT_POLICY,
) -> SyncRun | None:
    """Carry out a queued run and return it ended.

    None when it has to wait: somebody else syncs the provider or took it over, or this process is ending; the run then
    stays unfinished for the sweep. Failures are recorded in the run, not raised – except those
    that are nobody's fault but ours, which are recorded and raised.
    """
    run = SyncRun.objects.select_related("provider").filter(pk=run_id).first()
    if run is None or run.is_finished:
        return run
    owner = new_owner()
    if not take_claim(provider=run.provider, owner=owner, now=clock()):
        put_back_run(run=run)
        return None
    try:
        run.refresh_from_db()  # and its provider: somebody else may have ended the run before the claim was ours
        if run.is_finished:
            return run
        return _Sync(run, owner=owner, clock=clock, policy=policy, on_progress=on_progress).carry_out()
    except InterruptedSyncError:
        put_back_run(run=run, undo_attempt=True)
        return None
    except ClaimLostError:
        logger.warning("Sync run %s was taken over by another worker", run.pk)
        return None
    finally:
        release_claim(provider=run.provider, owner=owner)


class _Sync:
    """One attempt at one run, while the claim is held."""

    def __init__(
        self,
        run: SyncRun,
        *,
        owner: str,
        clock: Clock,
        policy: RetryPolicy,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.run = run
        self.provider = run.provider
        self.owner = owner
        self.clock = clock
        self.on_progress = on_progress
        self.begun_at = time.monotonic()
        self.retries = RetryBudget(policy, sleep=self._sleep)

    def carry_out(self) -> SyncRun:
        if not begin_run(run=self.run, now=self.clock()):
            return self.run
        try:
            with open_client(region=self.provider.region, api_key=self.provider.api_key) as client:
                try:
                    read_account(client=client, attempt=self._attempt, run=self.run, clock=self.clock)
                    self._read_usage(client)
                except UnexpectedResponseError:
                    record_run(run=self.run, excerpt=client.excerpt)
                    raise
        except KeyUnreadableError:
            text = "The stored API key can't be decrypted with the present ENCRYPTION_KEYS: enter the key again."
            return self._finish(SyncRun.Outcome.FAILED, "key_unreadable", text)
        except ProviderError as error:
            return self._finish(SyncRun.Outcome.FAILED, error.code, str(error), key_was_refused=error.refuses_key)
        except ImplausibleAnswerError as error:
            return self._finish(SyncRun.Outcome.NEEDS_LOOK, "implausible", str(error))
        except TotalTooLargeError as error:
            return self._finish(SyncRun.Outcome.FAILED, "total_too_large", error.text)
        except (ClaimLostError, InterruptedSyncError):
            raise
        except DatabaseError:
            text = "The database could not be written. What was stored before stays; the next sync tries again."
            self._finish(SyncRun.Outcome.FAILED, "database", text)
            raise
        except Exception:
            text = "An error in Administrate itself ended the sync. Its log says more; the next sync tries again."
            self._finish(SyncRun.Outcome.FAILED, "internal", text)
            raise
        return self._finish(SyncRun.Outcome.SUCCEEDED)

    def _finish(
        self, outcome: SyncRun.Outcome, code: str = "", text: str = "", *, key_was_refused: bool = False
    ) -> SyncRun:
        self.run.refresh_from_db()  # a transaction that was rolled back took its figures along
        with transaction.atomic():
            renew_claim(provider=self.provider, owner=self.owner, now=self.clock())
            finish_run(
                run=self.run,
                outcome=outcome,
                error_code=code,
                error_text=text,
                key_was_refused=key_was_refused,
                now=self.clock(),
            )
        return self.run

    # --- Usage --------------------------------------------------------------------------------------------------------

    def _read_usage(self, client: ElevenLabsClient) -> None:
        windows = self._windows()
        if not windows:
            return
        record_run(
            run=self.run,
            stage=SyncRun.Stage.USAGE,
            window_from=windows[-1].first,
            window_to=windows[0].last,
            days_done=0,
            days_total=sum(len(window) for window in windows),
        )
        self._show_progress()
        reader = open_reader(client, self.provider, call=self._with_retries, clock=self.clock)
        if self.run.requested_from:  # by night or by hand; the hour's sync trusts what is remembered
            reader.check_billing()
        for window in windows:
            for reading in reader.read(window):
                self._store(reading, cost_from=reader.cost_from)
                self._show_progress()
        self._note_columns(reader.unread_columns)

    def _note_columns(self, columns: frozenset[str]) -> None:
        """Remark once on each column that answers have gained; it is ignored."""
        new = sorted(columns - set(self.provider.noted_columns))[:MAX_NOTED_COLUMNS]
        if not new:
            return
        self.provider.noted_columns = sorted({*self.provider.noted_columns, *new})
        self.provider.save(update_fields=["noted_columns"])
        note(self.run, f"ElevenLabs' answer has columns that are not read: {', '.join(new)}.")

    def _windows(self) -> list[Window]:
        today = self.clock().date()
        if self.run.requested_from and self.run.requested_to:
            first, last = self.run.requested_from, min(self.run.requested_to, today)
            return pieces(first + timedelta(days=offset) for offset in range((last - first).days + 1))
        return pieces(
            due_days(
                today=today,
                history_from=self.provider.history_from,
                trailing_days=settings.SYNC_TRAILING_DAYS,
                settled=frozenset(
                    reading.day for reading in ReadDay.objects.for_provider(self.provider) if reading.is_settled
                ),
            )
        )

    @transaction.atomic
    def _store(self, reading: Reading, *, cost_from: date | None) -> None:
        """One transaction for all that an answer changes, and only while the claim is still ours."""
        renew_claim(provider=self.provider, owner=self.owner, now=self.clock())
        if cost_from != self.provider.cost_from:
            self.provider.cost_from = cost_from
            self.provider.save(update_fields=["cost_from"])
        project_ids = projects_for_usage(
            provider=self.provider, names={row.key_hash: row.key_name for row in reading.rows}
        )
        written = write_usage(
            provider=self.provider,
            first=reading.window.first,
            last=reading.window.last,
            rows=[
                Usage(
                    project_id=project_ids[row.key_hash],
                    day=row.day,
                    model=row.model,
                    credits=row.credits,
                    minutes=row.minutes,
                    requests=row.requests,
                    cost=row.cost,
                    currency=row.currency,
                )
                for row in reading.rows
            ],
            read_at=reading.read_at,
            run=self.run,
            accept_implausible=self.run.accepts_implausible,
        )
        self._learn_currency(reading)
        record_run(
            run=self.run,
            days_done=self.run.days_done + len(reading.window),
            rows_read=self.run.rows_read + len(reading.rows),
            rows_inserted=self.run.rows_inserted + written.inserted,
            rows_changed=self.run.rows_changed + written.changed,
            rows_unchanged=self.run.rows_unchanged + written.unchanged,
        )

    def _learn_currency(self, reading: Reading) -> None:
        """What the usage is paid in, where the subscription did not tell: the pages' zeros need a currency too."""
        if not self.provider.currency:
            self.provider.currency = next((row.currency for row in reading.rows if row.currency), "")
            self.provider.save(update_fields=["currency"])

    def _show_progress(self) -> None:
        self.on_progress(Progress(days_done=self.run.days_done, days_total=self.run.days_total))

    # --- Staying alive ------------------------------------------------------------------------------------------------

    def _with_retries(self, call: Callable[[], Any]) -> Any:
        return self.retries.call(lambda: self._attempt(call))

    def _attempt(self, call: Callable[[], Any]) -> Any:
        """One request, after a sign of life."""
        if stopping.is_set() or time.monotonic() - self.begun_at > LONGEST_RUN:
            raise InterruptedSyncError
        renew_claim(provider=self.provider, owner=self.owner, now=self.clock())
        return call()

    def _sleep(self, seconds: float) -> None:
        renew_claim(provider=self.provider, owner=self.owner, now=self.clock())
        if stopping.wait(seconds):
            raise InterruptedSyncError
