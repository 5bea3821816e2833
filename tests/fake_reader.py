"""A reader whose answers a test chooses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from syncing.errors import ProviderError
from syncing.reader import ListedAgent, ListedKey, Reading, SyncSession, UsageRow
from syncing.windows import Window

Errors = list[ProviderError]
Part = TypeVar("Part")


@dataclass
class FakeReader:
    """See syncing.reader.Reader. Each part of the account may be an error; ``errors`` meet the reading of usage."""

    told_plan: dict[str, Any] | ProviderError | None = None
    told_keys: list[ListedKey] | ProviderError | None = None
    told_agents: list[ListedAgent] | ProviderError | None = None
    told_names: dict[str, str] | ProviderError | None = None
    rows: list[UsageRow] = field(default_factory=list)
    errors: Errors = field(default_factory=Errors)
    cost_from: date | None = None
    unread_columns: frozenset[str] = frozenset()
    excerpt: str = "an answer"
    windows: list[Window] = field(default_factory=list)
    session: SyncSession | None = None

    def plan(self) -> dict[str, Any] | None:
        return _told(self.told_plan)

    def listed_keys(self) -> list[ListedKey] | None:
        return _told(self.told_keys)

    def listed_agents(self) -> list[ListedAgent] | None:
        return _told(self.told_agents)

    def model_names(self) -> dict[str, str] | None:
        return _told(self.told_names)

    def read(self, window: Window) -> Iterator[Reading]:
        assert self.session is not None
        rows = self.session.call(lambda: self._answer(window))
        yield Reading(window, rows, self.session.clock(), self.cost_from, self.unread_columns)

    def _answer(self, window: Window) -> list[UsageRow]:
        self.windows.append(window)
        if self.errors:
            raise self.errors.pop(0)
        return [row for row in self.rows if window.first <= row.day <= window.last]


def _told(part: Part | ProviderError) -> Part:
    if isinstance(part, ProviderError):
        raise part
    return part


def usage_row(day: date, **figures: Any) -> UsageRow:
    """1,000 credits of the key "key-1", without a price unless the test names one."""
    fields: dict[str, Any] = {
        "external_id": "key-1",
        "key_name": "Support line",
        "day": day,
        "model": "small",
        "credits": Decimal(1000),
        "minutes": None,
        "requests": None,
        "cost": None,
        "currency": "",
    }
    return UsageRow(**fields | figures)


def listed_key(external_id: str, **fields: Any) -> ListedKey:
    """A key that is in use and has no limit."""
    known: dict[str, Any] = {
        "external_id": external_id,
        "name": external_id.title(),
        "hint": external_id[-4:],
        "is_disabled": False,
        "disabled_reason": "",
        "expires_at": None,
        "credit_limit": None,
        "credits_used": None,
    }
    return ListedKey(**known | fields)
