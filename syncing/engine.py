"""The sync of one provider: claim it, read the account where that is due, then read and store usage piece by piece.

A piece is fetched and read whole before one short transaction stores it; nothing is fetched inside a transaction. A run
that is interrupted anywhere can be carried out again: what was stored stays, what is missing is still due.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import BigIntegerField

from core.days import utc_now
from core.prepared import Given, PreparedQuery
from core.secrets import KeyUnreadableError, mask_api_keys
from core.sums import TotalTooLargeError
from costs.usage.coverage import settled_days
from costs.usage.writing import ImplausibleAnswerError
from providers.models import Project, SyncRun
from providers.registry import Progress
from syncing import provider_types
from syncing.account import account_is_due, read_account
from syncing.claims import ClaimLostError, hold_claim, new_owner, release_claims_of, renew_claim, take_claim_of_run
from syncing.errors import ProviderError, UnexpectedResponseError
from syncing.provider_types import ProviderType
from syncing.reader import Reader, Reading, SyncSession
from syncing.retrying import RetryBudget, RetryPolicy
from syncing.runs import begin_run, finish_run, put_back_run, record_run
from syncing.storing import (
    KnownProject,
    kept_conversations,
    known_projects,
    names_something_new,
    note_columns,
    standing_usage,
    store_reading,
)
from syncing.windows import Window, due_days, pieces

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Part = TypeVar("Part")

DEFAULT_POLICY = RetryPolicy()

# Set when this process has to end: a running sync then stops at the next safe point and goes back to the queue.
stopping = threading.Event()

# Seconds after which a run makes room for others and is queued again; below the task's time limits in settings.
LONGEST_RUN = 20 * 60

# A claim that was taken or renewed within so many seconds outlasts the next request.
RENEW_AFTER = 30


_RUNS: PreparedQuery[SyncRun] = PreparedQuery(
    lambda: SyncRun.objects.select_related("provider").filter(pk=Given("run", BigIntegerField())).order_by()
)


class InterruptedSyncError(Exception):
    """The process is ending, or has worked long enough: the run goes back to the queue with what it has stored."""


def run_sync(
    run_id: int,
    *,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    clock: Clock = utc_now,
    policy: RetryPolicy = DEFAULT_POLICY,
) -> SyncRun | None:
    """Carry out a queued run and return it ended.

    None when it has to wait: another worker syncs the provider or took it over, or this process is ending; the run then
    stays unfinished for the sweep. The provider's failures are recorded in the run and not raised; those of the
    database and of this program are recorded and raised. Raises KeyError where the provider's type is not installed.
    """
    owner = new_owner()
    if not take_claim_of_run(run_id=run_id, owner=owner, now=clock()):
        run = next(iter(_RUNS.ask(run=run_id)), None)
        if run is None or run.is_finished:
            return run
        provider_types.get(run.provider.type)
        put_back_run(run=run)
        return None
    sync = None
    try:
        run = next(iter(_RUNS.ask(run=run_id)), None)
        if run is None or run.is_finished:  # by another worker, or with its provider, before this one had the claim
            return run
        provider_type = provider_types.get(run.provider.type)
        sync = _Sync(run, provider_type, owner=owner, clock=clock, policy=policy, on_progress=on_progress)
        try:
            return sync.carry_out()
        except InterruptedSyncError:
            put_back_run(run=run, undo_attempt=True)
        except ClaimLostError:
            logger.warning("Sync run %s was taken over by another worker", run.pk)
        return None
    finally:
        if sync is None or sync.holds_claim:
            release_claims_of(owner)


class _Sync:
    """One attempt at one run, while the claim is held."""

    def __init__(
        self,
        run: SyncRun,
        provider_type: ProviderType,
        *,
        owner: str,
        clock: Clock,
        policy: RetryPolicy,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.run = run
        self.provider = run.provider
        self.type = provider_type
        self.owner = owner
        self.clock = clock
        self.on_progress = on_progress
        self.begun_at = time.monotonic()
        self.retries = RetryBudget(policy, sleep=self._sleep)
        self.renewed_at = self.begun_at
        self.holds_claim = True  # until the run has ended
        self.account_was_read = False
        self._known: Mapping[str, KnownProject] | None = None

    def carry_out(self) -> SyncRun:
        session = SyncSession(
            call=self._with_retries,
            clock=self.clock,
            rechecks=self.run.requested_from is not None,  # by night or by hand
            once=self._attempt,
            agent_ids=self._agent_ids,
            standing=lambda window: standing_usage(self.provider, window),
            conversations=lambda window: kept_conversations(self.provider, window),
        )
        try:
            windows, with_account = self._windows(), account_is_due(self.run, now=self.clock())
            stage = {} if with_account else {"stage": SyncRun.Stage.USAGE}
            if not begin_run(run=self.run, now=self.clock(), **_covered(windows), **stage):
                return self.run
            with self.type.open_reader(self.provider, session=session) as reader:
                try:
                    if with_account:
                        self._read_account(reader)
                    self._read_usage(reader, windows)
                except UnexpectedResponseError:
                    record_run(run=self.run, excerpt=mask_api_keys(reader.excerpt))
                    raise
        except KeyUnreadableError:
            text = "The stored API key can't be decrypted with the present ENCRYPTION_KEYS: enter the key again."
            return self._finish(SyncRun.Outcome.FAILED, "key_unreadable", text)
        except ProviderError as error:
            text = mask_api_keys(self.type.explain(error))
            return self._finish(SyncRun.Outcome.FAILED, error.code, text, key_was_refused=error.refuses_key)
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
        if outcome != SyncRun.Outcome.SUCCEEDED:
            self.run.refresh_from_db()  # a transaction that was rolled back took its figures along
        with transaction.atomic():
            finish_run(
                run=self.run,
                outcome=outcome,
                error_code=code,
                error_text=text,
                key_was_refused=key_was_refused,
                now=self.clock(),
                owner=self.owner,
            )
        self.holds_claim = False
        return self.run

    # --- The account --------------------------------------------------------------------------------------------------

    def _read_account(self, reader: Reader) -> None:
        self.account_was_read = True
        read_account(reader, run=self.run, label=self.type.label, attempt=self._attempt, clock=self.clock)
        record_run(run=self.run, stage=SyncRun.Stage.USAGE)
        self._known = None

    def _known_projects(self) -> Mapping[str, KnownProject]:
        """What is stored, by external id, as it was when first asked for or after the account was read."""
        if self._known is None:
            self._known = known_projects(self.provider)
        return self._known

    def _agent_ids(self) -> frozenset[str]:
        return frozenset(key for key, known in self._known_projects().items() if known.kind == Project.Kind.AGENT)

    # --- Usage --------------------------------------------------------------------------------------------------------

    def _read_usage(self, reader: Reader, windows: Sequence[Window]) -> None:
        self._show_progress()
        unread: set[str] = set()
        for window in windows:
            for reading in reader.read(window):
                if not self.account_was_read and names_something_new(self.provider, reading, self._known_projects()):
                    self._read_account(reader)
                self._renew_claim_in_time()
                self._store(reading)
                unread |= reading.unread_columns
                self._show_progress()
        note_columns(self.run, frozenset(unread), label=self.type.label)

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
                settled=settled_days(self.provider),
            )
        )

    @transaction.atomic
    def _store(self, reading: Reading) -> None:
        """One transaction for all that an answer changes, and only while the claim is still ours."""
        held = hold_claim(provider=self.provider, owner=self.owner)
        store_reading(self.run, reading, held=held, known=self._known_projects())

    def _show_progress(self) -> None:
        self.on_progress(Progress(days_done=self.run.days_done, days_total=self.run.days_total))

    # --- Staying alive ------------------------------------------------------------------------------------------------

    def _with_retries(self, call: Callable[[], Part]) -> Part:
        return self.retries.call(lambda: self._attempt(call))

    def _attempt(self, call: Callable[[], Part]) -> Part:
        """One request, after a sign of life unless there has just been one."""
        if stopping.is_set() or time.monotonic() - self.begun_at > LONGEST_RUN:
            raise InterruptedSyncError
        self._renew_claim_in_time()
        return call()

    def _sleep(self, seconds: float) -> None:
        self._renew_claim()
        if stopping.wait(seconds):
            raise InterruptedSyncError

    def _renew_claim_in_time(self) -> None:
        if time.monotonic() - self.renewed_at > RENEW_AFTER:
            self._renew_claim()

    def _renew_claim(self) -> None:
        renew_claim(provider=self.provider, owner=self.owner, now=self.clock())
        self.renewed_at = time.monotonic()


def _covered(windows: Sequence[Window]) -> dict[str, Any]:
    """What a run knows of the days that it will read, newest window first."""
    if not windows:
        return {}
    return {
        "window_from": windows[-1].first,
        "window_to": windows[0].last,
        "days_done": 0,
        "days_total": sum(len(window) for window in windows),
    }
