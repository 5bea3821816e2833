"""A provider, the simulated workspace behind it and a clock that only the test moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.test import override_settings

from costs.models import DailyUsage
from elevenlabs_sync.simulator import SIMULATED_API_KEY
from elevenlabs_sync.simulator.routes import USAGE_PATH
from providers.models import Project, Provider, SyncRun
from providers.services.queueing import request_sync
from syncing.engine import run_sync
from syncing.retrying import RetryPolicy
from tests.factories import make_provider
from tests.simulation import EditedWorkspace, FaultySimulator

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
FIRST_DAY = date(2026, 11, 12)
FAST = RetryPolicy(attempts=3, first_wait=0.001, longest_wait=0.01, total_wait=5)

Figures = tuple[Decimal | None, Decimal | None, int | None, Decimal | None]
Usage = dict[tuple[str, date, str], Figures]


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class World:
    """``clock`` is ours; ``server_clock`` is what the workspace's data follow, the same one unless parted."""

    server: FaultySimulator
    provider: Provider
    clock: Clock
    server_clock: Clock
    first_day: date
    progress: list[tuple[int, int]] = field(default_factory=list)

    def run(self, **request: Any) -> SyncRun:
        fields: dict[str, Any] = {"trigger": SyncRun.Trigger.MANUAL, "now": self.clock()} | request
        return request_sync(provider=self.provider, **fields)

    def carry_out(self, run: SyncRun, **options: Any) -> SyncRun | None:
        fields: dict[str, Any] = {
            "clock": self.clock,
            "policy": FAST,
            "on_progress": lambda progress: self.progress.append((progress.days_done, progress.days_total)),
        } | options
        return run_sync(run.pk, **fields)

    def sync(self, **request: Any) -> SyncRun:
        """Request a run and carry it out to its end."""
        ended = self.carry_out(self.run(**request))
        assert ended is not None
        self.provider.refresh_from_db()
        return ended

    @property
    def usage_requests(self) -> list[Any]:
        return [request.body for request in self.server.requests if request.path == USAGE_PATH]

    @property
    def stored(self) -> Usage:
        return stored_usage(self.provider)

    @property
    def truth(self) -> Usage:
        """What the workspace knows of every day up to now."""
        workspace = self.server.current_workspace()
        parts: dict[tuple[str, date, str], list[Any]] = defaultdict(list)
        for row in workspace.rows(self.first_day, self.server_clock().date() + timedelta(days=1)):
            parts[row.key_hash or Project.KEYLESS_ID, row.day, row.model].append(row)
        return {
            identity: (
                sum((row.credits for row in rows), Decimal(0)),
                sum((row.minutes for row in rows), Decimal(0)),
                sum(row.requests for row in rows),
                None if any(row.cost is None for row in rows) else sum((row.cost for row in rows), Decimal(0)),
            )
            for identity, rows in parts.items()
        }


@contextmanager
def world(*, first_day: date = FIRST_DAY, now: datetime = NOW, **server_options: Any) -> Iterator[World]:
    """A workspace whose usage begins on ``first_day``, its running server, and a provider that has read nothing yet."""
    server_clock = Clock(now)

    def workspace() -> EditedWorkspace:
        today = server_clock().date()
        return EditedWorkspace(today, history_days=max(0, (today - first_day).days))

    with FaultySimulator(workspace, **server_options) as server, override_settings(ELEVENLABS_BASE_URL=server.base_url):
        provider = make_provider(api_key=SIMULATED_API_KEY, history_from=first_day, last_synced_at=None, currency="")
        yield World(server, provider, server_clock, server_clock, first_day)


def stored_usage(provider: Provider) -> Usage:
    """The rows above zero; checks on the way that money always has its currency."""
    found: Usage = {}
    for row in DailyUsage.objects.for_provider(provider).select_related("project"):
        assert row.currency == ("" if row.cost is None else "usd")
        if row.credits or row.minutes or row.requests or row.cost:
            found[row.project.external_id, row.day, row.model] = (row.credits, row.minutes, row.requests, row.cost)
    return found


def milliseconds(day: date, **after: float) -> int:
    """Unix milliseconds of the beginning of ``day`` (UTC), or of a moment after it."""
    moment = datetime.combine(day, time(), tzinfo=UTC) + timedelta(**after)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
