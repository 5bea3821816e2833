"""Reading the totals of an account, per day and model, from the old usage endpoint: the last resort.

For keys that may not read the workspace's analytics, and only where a person has chosen it when connecting: the totals
hold what the keys used, so the two must never be added. Each metric is a request of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.amounts import COST, CREDITS, MINUTES, REQUESTS, Figure
from elevenlabs_sync.account import AccountReader
from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.payloads import DailyStats, read_stats
from syncing.errors import MissingPermissionError, RefusedError, RejectedError
from syncing.reader import Reading, SyncSession, UsageRow
from syncing.windows import Window


class AccountTotalsReader(AccountReader):
    """Reads windows of one account; its rows stand under ``external_id``. A syncing.reader.Reader.

    ``currency`` is the account's own, since the endpoint names none; empty: unknown, and so is every cost. The plan,
    once it is read, says it anew.
    """

    def __init__(self, client: ElevenLabsClient, *, session: SyncSession, currency: str, external_id: str) -> None:
        super().__init__(client)
        self._session = session
        self._currency = currency
        self._external_id = external_id
        self._whole_workspace = True

    def plan(self) -> dict[str, Any] | None:
        plan = super().plan()
        self._currency = (plan or {}).get("currency") or self._currency
        return plan

    def listed_agents(self) -> None:
        """None: totals are of the whole account."""

    def read(self, window: Window) -> Iterator[Reading]:
        """The window's usage, whole."""
        read_at = self._session.clock()
        credits_ = self._credits(window, read_at)
        minutes = self._optional(window, read_at, "minutes_used", MINUTES)
        requests = self._optional(window, read_at, "request_count", REQUESTS)
        cost = self._optional(window, read_at, "fiat_units_spent", COST) if self._currency else None
        rows = []
        for day, model in sorted({*credits_, *(minutes or {}), *(requests or {}), *(cost or {})}):
            credits_used, minutes_used, request_count, spent = (
                None if stats is None else stats.get((day, model), Decimal(0))
                for stats in (credits_, minutes, requests, cost)
            )
            rows.append(
                UsageRow(
                    external_id=self._external_id,
                    key_name="",
                    day=day,
                    model=model,
                    credits=credits_used,
                    minutes=minutes_used,
                    requests=None if request_count is None else int(request_count),
                    cost=spent,
                    currency="" if spent is None else self._currency,
                )
            )
        yield Reading(window, [row for row in rows if not row.is_empty], read_at)

    def _credits(self, window: Window, now: datetime) -> DailyStats:
        """Of the whole workspace where the key may see it, else of the key's own user."""
        try:
            return self._stats(window, now, "credits", CREDITS)
        except (MissingPermissionError, RefusedError):
            if not self._whole_workspace:
                raise
            self._whole_workspace = False
            return self._stats(window, now, "credits", CREDITS)

    def _optional(self, window: Window, now: datetime, name: str, figure: Figure) -> DailyStats | None:
        """None where the endpoint does not offer the metric."""
        try:
            return self._stats(window, now, name, figure)
        except RejectedError:
            return None

    def _stats(self, window: Window, now: datetime, name: str, figure: Figure) -> DailyStats:
        start, end = window.bounds(now=now)
        document: Any = self._session.call(
            lambda: self._client.character_stats(
                start=start, end=end, metric=name, include_workspace=self._whole_workspace
            )
        )
        return read_stats(document, figure, first=window.first, last=window.last)
