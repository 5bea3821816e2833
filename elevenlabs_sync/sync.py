"""The sync of one provider: claim it, read the account, then read and store usage piece by piece.

A piece is fetched and read whole before one short transaction stores it; nothing is fetched inside a transaction. A run
that is interrupted anywhere can be carried out again: what was stored stays, what is missing is still due.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction

from costs.models import ReadDay
from costs.writing import ImplausibleAnswerError, Usage, Written, write_usage
from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.errors import (
    AnswerTooLargeError,
    ElevenLabsError,
    MissingPermissionError,
    UnexpectedResponseError,
)
from elevenlabs_sync.hosts import base_url
from elevenlabs_sync.payloads import UsageRow, read_models, read_service_accounts, read_subscription, read_usage
from elevenlabs_sync.retrying import RetryBudget, RetryPolicy
from elevenlabs_sync.windows import Window, due_days, pieces
from providers.models import SyncRun
from providers.registry import Progress
from providers.secrets import ApiKey, KeyUnreadableError
from providers.services.claims import ClaimLostError, new_owner, release_claim, renew_claim, take_claim
from providers.services.projects import ListedProject, projects_for_usage, record_listed_projects
from providers.services.runs import begin_run, finish_run, put_back_run, record_run

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

DEFAULT_POLICY = RetryPolicy()

# Set when this process is asked to end: a running sync then stops at the next safe point and goes back to the queue.
stopping = threading.Event()


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
        run.provider.refresh_from_db()
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
                self._read_account(client)
                self._read_all_usage(client)
        except KeyUnreadableError:
            text = "The stored API key can't be decrypted with the present ENCRYPTION_KEYS: enter the key again."
            return self._finish(SyncRun.Outcome.FAILED, "key_unreadable", text)
        except ElevenLabsError as error:
            return self._finish(SyncRun.Outcome.FAILED, error.code, str(error))
        except ImplausibleAnswerError as error:
            return self._finish(SyncRun.Outcome.NEEDS_LOOK, "implausible", str(error))
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

    def _finish(self, outcome: SyncRun.Outcome, code: str = "", text: str = "") -> SyncRun:
        self.run.refresh_from_db()  # a transaction that was rolled back took its figures along
        finish_run(run=self.run, outcome=outcome, error_code=code, error_text=text, now=self.clock())
        return self.run

    # --- The account: optional, a key need not be allowed to read it --------------------------------------------------

    def _read_account(self, client: ElevenLabsClient) -> None:
        """Refresh plan, key listing and model names as far as the key may read them; usage decides about failures."""
        record_run(run=self.run, stage=SyncRun.Stage.ACCOUNT)
        try:
            self._read_subscription(client)
            record_run(run=self.run, stage=SyncRun.Stage.KEYS)
            self._read_keys(client)
            self._read_model_names(client)
        except UnexpectedResponseError:
            raise
        except ElevenLabsError as error:
            logger.info("%s: the account could not be read: %s", self.provider, error.code)

    def _read_subscription(self, client: ElevenLabsClient) -> None:
        found: dict[str, Any] | None
        try:
            found = read_subscription(self._attempt(client.subscription))
        except ElevenLabsError as error:
            if error.retryable or isinstance(error, UnexpectedResponseError):
                raise
            found = None
        self.provider.subscription = found
        self.provider.subscription_read_at = self.clock()
        self.provider.currency = (found or {}).get("currency") or self.provider.currency
        self.provider.save(update_fields=["subscription", "subscription_read_at", "currency"])

    def _read_keys(self, client: ElevenLabsClient) -> None:
        """List the keys of service accounts; only an admin of a multi-seat workspace may, anybody else is refused."""
        try:
            listed = read_service_accounts(self._attempt(client.service_accounts))
        except ElevenLabsError as error:
            if error.retryable or isinstance(error, UnexpectedResponseError):
                raise
            return
        record_listed_projects(
            provider=self.provider,
            listed=[
                ListedProject(
                    external_id=key.key_hash,
                    name=key.name,
                    hint=key.hint,
                    is_disabled=key.is_disabled,
                    disabled_reason=key.disable_reason,
                )
                for key in listed
            ],
            now=self.clock(),
        )
        record_run(run=self.run, keys_found=len(listed))

    def _read_model_names(self, client: ElevenLabsClient) -> None:
        try:
            names = read_models(self._attempt(client.models))
        except MissingPermissionError:
            return
        if names != self.provider.model_names:
            self.provider.model_names = names
            self.provider.save(update_fields=["model_names"])

    # --- Usage --------------------------------------------------------------------------------------------------------

    def _read_all_usage(self, client: ElevenLabsClient) -> None:
        windows = self._windows()
        record_run(
            run=self.run,
            stage=SyncRun.Stage.USAGE,
            window_from=windows[-1].first,
            window_to=windows[0].last,
            days_done=0,
            days_total=sum(len(window) for window in windows),
        )
        self._show_progress()
        for window in windows:
            self._read_usage(client, window)

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

    def _read_usage(self, client: ElevenLabsClient, window: Window) -> None:
        read_at = self.clock()
        start, end = window.bounds(now=read_at)
        try:
            document = self.retries.call(lambda: self._attempt(client.usage_by_product, start=start, end=end))
        except AnswerTooLargeError:
            if len(window) == 1:
                raise
            for half in window.halves():
                self._read_usage(client, half)
            return
        rows = read_usage(document, first=window.first, last=window.last)
        with transaction.atomic():
            renew_claim(provider=self.provider, owner=self.owner, now=self.clock())
            written = self._store(window, rows, read_at=read_at)
            record_run(
                run=self.run,
                days_done=self.run.days_done + len(window),
                rows_read=self.run.rows_read + len(rows),
                rows_inserted=self.run.rows_inserted + written.inserted,
                rows_changed=self.run.rows_changed + written.changed,
                rows_unchanged=self.run.rows_unchanged + written.unchanged,
            )
        self._show_progress()

    def _store(self, window: Window, rows: list[UsageRow], *, read_at: datetime) -> Written:
        project_ids = projects_for_usage(provider=self.provider, names={row.key_hash: row.key_name for row in rows})
        return write_usage(
            provider=self.provider,
            first=window.first,
            last=window.last,
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
                for row in rows
            ],
            read_at=read_at,
            accept_implausible=self.run.accepts_implausible,
        )

    def _show_progress(self) -> None:
        self.on_progress(Progress(days_done=self.run.days_done, days_total=self.run.days_total))

    # --- Staying alive ------------------------------------------------------------------------------------------------

    def _attempt(self, call: Callable[..., Any], **arguments: Any) -> Any:
        """One request, after a sign of life."""
        if stopping.is_set() or time.monotonic() - self.begun_at > LONGEST_RUN:
            raise InterruptedSyncError
        renew_claim(provider=self.provider, owner=self.owner, now=self.clock())
        return call(**arguments)

    def _sleep(self, seconds: float) -> None:
        renew_claim(provider=self.provider, owner=self.owner, now=self.clock())
        if stopping.wait(seconds):
            raise InterruptedSyncError
