"""Who pays for a project on a day: its periods, each of which ends where the next one begins.

Plain values, read by Assignment.objects.by_project(). This is the one place that knows which period is in force.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

# "From the beginning": earlier than any usage day that a provider can report.
BEGINNING = date(1970, 1, 1)

# The ids of companies and how many percent each of them pays, by id; empty: unassigned.
Payers = tuple[tuple[int, Decimal], ...]


@dataclass(frozen=True)
class Period:
    """A time in which the payers of a project stay the same; both days are UTC days that it holds on."""

    starts_on: date
    ends_on: date | None  # None while nothing follows
    payers: Payers
    source: str  # an Assignment.Source

    @property
    def is_from_the_beginning(self) -> bool:
        return self.starts_on == BEGINNING

    def holds_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)

    def percent_of(self, company_id: int) -> Decimal | None:
        """None where the company pays nothing."""
        return dict(self.payers).get(company_id)


@dataclass(frozen=True)
class Periods:
    """Every period of one project, oldest first."""

    in_order: tuple[Period, ...] = ()

    @classmethod
    def of(cls, starts: Iterable[tuple[date, str, Payers]]) -> Periods:
        """From what begins when, in order: the day, the source, the payers."""
        begun = list(starts)
        ends = [starts_on - timedelta(days=1) for starts_on, _source, _payers in begun[1:]]
        return cls(
            tuple(
                Period(starts_on, ends_on, payers, source)
                for (starts_on, source, payers), ends_on in zip(begun, [*ends, None], strict=False)
            )
        )

    def on(self, day: date) -> Period | None:
        """The period in force; None where none has begun, which differs from a period without payers."""
        index = bisect_right(self.in_order, day, key=lambda period: period.starts_on)
        return self.in_order[index - 1] if index else None

    def payers_on(self, day: date) -> Payers:
        """Who pays on ``day``; empty where it is unassigned or no period has begun."""
        period = self.on(day)
        return period.payers if period else ()

    def after(self, day: date) -> tuple[Period, ...]:
        """Those that have not begun on ``day``."""
        return tuple(period for period in self.in_order if period.starts_on > day)

    @property
    def payer_ids(self) -> frozenset[int]:
        """Every company that pays at any time."""
        return frozenset(company_id for period in self.in_order for company_id, _percent in period.payers)

    @property
    def has_splits(self) -> bool:
        return any(len(period.payers) > 1 for period in self.in_order)


NO_PERIODS = Periods()
