"""Reading the totals of an account, per day and model, from the old usage endpoint: the last resort.

For keys that may not read the workspace's analytics, and only where a person has chosen it when connecting: the totals
hold what the keys used, so the two must never be added. Each metric is a request of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.amounts import COST, CREDITS, MINUTES, REQUESTS, Figure
from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.payloads import DailyStats, UsageRow, read_stats
from elevenlabs_sync.reading import Call, Reading
from syncing.errors import MissingPermissionError, RefusedError, RejectedError
from syncing.windows import Window


class AccountTotalsReader:
    """Reads windows of one account; its rows stand under ``key_hash``.

    ``currency`` is the account's own, since the endpoint names none; empty: unknown, and so is every cost.
    Raises the errors of syncing.errors.
    """

    # As UsageReader has them; the totals tell nothing of either.
    cost_from: date | None = None
    unread_columns: frozenset[str] = frozenset()

    def __init__(
        self, client: ElevenLabsClient, *, call: Call, clock: Callable[[], datetime], currency: str, key_hash: str
    ) -> None:
        self._client = client
        self._call = call
        self._clock = clock
        self._currency = currency
        self._key_hash = key_hash
        self._whole_workspace = True

    def check_billing(self) -> None:
        """Nothing: the totals are the same however the account is billed."""

    def read(self, window: Window) -> Iterator[Reading]:
        """The window's usage, whole."""
        read_at = self._clock()
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
                    key_hash=self._key_hash,
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
        document: Any = self._call(
            lambda: self._client.character_stats(
                start=start, end=end, metric=name, include_workspace=self._whole_workspace
            )
        )
        return read_stats(document, figure, first=window.first, last=window.last)
