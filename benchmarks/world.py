"""The data that is measured on: how much of it, and each row's figures, the same in every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from costs.models import DailyUsage
from costs.usage.writing import Usage

# A stored row as its columns: project, day, model, credits, minutes, requests, cost (scaled), currency.
Row = tuple[int, date, str, int, int | None, int, int | None, str]


@dataclass(frozen=True)
class Size:
    """So many workspaces, each with so many keys, models and days; each shared by about half of the companies."""

    workspaces: int
    keys: int
    models: int
    days: int
    companies: int

    @property
    def rows(self) -> int:
        return self.workspaces * self.keys * self.models * self.days

    @property
    def rows_a_day(self) -> int:
        """Of one workspace."""
        return self.keys * self.models

    @property
    def unassigned_keys(self) -> int:
        """The last so many keys of each workspace belong to nobody."""
        return max(1, self.keys // 25)

    def payer(self, workspace: int, key: int) -> int | None:
        """The number of the company that pays for the key."""
        return None if key >= self.keys - self.unassigned_keys else (workspace + 2 * key) % self.companies


@dataclass(frozen=True)
class Effort:
    """How much is measured of what is not the large world's own data."""

    small: Size  # the world whose pages are the reference of the large one's
    page_seconds: float  # repeating one page
    ranges: tuple[str, ...]  # of benchmarks.pages.RANGES
    written_keys: int  # with 14 models each
    written_windows: int  # of 30 days each
    exported_rows: int
    synced_workspaces: int
    answer_bytes: int
    demo_days: int  # of the embedded product's own data
    served_requests: int
    series: int  # of spend, that are watched
    budgets: int


SMALL = Size(workspaces=1, keys=12, models=3, days=365, companies=5)
QUICK = Size(workspaces=10, keys=10, models=14, days=730, companies=20)
WHOLE = Size(workspaces=20, keys=50, models=14, days=730, companies=100)
TOY_SMALL = Size(workspaces=1, keys=2, models=2, days=40, companies=1)
TOY = Size(workspaces=2, keys=4, models=3, days=100, companies=4)

QUICK_EFFORT = Effort(
    small=SMALL,
    page_seconds=0.3,
    ranges=("this month", "12 months"),
    written_keys=100,
    written_windows=1,
    exported_rows=200_000,
    synced_workspaces=64,
    answer_bytes=40_000_000,
    demo_days=365,
    served_requests=2_000,
    series=2_000,
    budgets=1_000,
)
WHOLE_EFFORT = Effort(
    small=SMALL,
    page_seconds=2,
    ranges=("this month", "90 days", "12 months", "36 months"),
    written_keys=100,
    written_windows=12,
    exported_rows=500_000,
    synced_workspaces=300,
    answer_bytes=40_000_000,
    demo_days=365,
    served_requests=2_000,
    series=2_000,
    budgets=1_000,
)
TOY_EFFORT = Effort(
    small=TOY_SMALL,
    page_seconds=0,
    ranges=("90 days",),
    written_keys=4,
    written_windows=1,
    exported_rows=1_000,
    synced_workspaces=2,
    answer_bytes=50_000,
    demo_days=40,
    served_requests=40,
    series=20,
    budgets=12,
)


def today() -> date:
    return datetime.now(UTC).date()


def days_until_today(count: int) -> list[date]:
    """The last so many UTC days, today included, oldest first."""
    first = today() - timedelta(days=count - 1)
    return [first + timedelta(days=offset) for offset in range(count)]


def rows_of(project: int, number: int, models: int, days: list[date]) -> Iterator[Row]:
    """A project's rows; ``number`` tells one project's figures from another's.

    Every third model has no minutes, and the first model's usage of today has no price yet.
    """
    names = [f"model-{model:02}" for model in range(models)]
    unpriced_on = today()
    for day in days:
        for model, name in enumerate(names):
            seed = (number * 7919 + model * 104_729 + day.toordinal() * 15_485_863) % 99_991
            credits_used = seed * 137 + 10_000
            is_priced = model != 0 or day != unpriced_on
            yield (
                project,
                day,
                name,
                credits_used,
                None if model % 3 == 2 else seed * 6_101 + 1,
                seed % 500 + 1,
                credits_used * 299 + seed if is_priced else None,
                "usd" if is_priced else "",
            )


def as_usage(row: Row) -> Usage:
    """The row as the reader of an answer hands it to the write path."""
    project, day, model, credits_used, minutes, requests, cost, currency = row
    return Usage(
        project_id=project,
        day=day,
        model=model,
        credits=Decimal(credits_used).scaleb(-DailyUsage.CREDITS_SCALE),
        minutes=None if minutes is None else Decimal(minutes).scaleb(-DailyUsage.MINUTES_SCALE),
        requests=requests,
        cost=None if cost is None else Decimal(cost).scaleb(-DailyUsage.COST_SCALE),
        currency=currency,
    )
