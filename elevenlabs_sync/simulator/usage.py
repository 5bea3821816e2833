"""The rows of the simulated usage: what happened (`Used`), what of it can be known (`UsageRow`), and sums (`Totals`).

Plain values only; they are drawn in `workspace` and laid out for the wire in `tabular`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What can be known of one key's use of one model on one UTC day.

    `key_hash` and `key_name` are None for usage made without a key. `credits` are whole, `minutes` have four decimals;
    these and `requests` are None on days that are billed by cost. `cost` is in the workspace's currency with up to six
    decimals, or None while it is not priced yet.
    """

    key_hash: str | None
    key_name: str | None
    day: date
    model: str
    product_type: str
    credits: Decimal | None
    minutes: Decimal | None
    requests: int | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Used:
    """What one key did with one model on one UTC day, whether or not the API reports it; `slug` names the key.

    `agent` names the agent for which it did it, if any.
    """

    slug: str
    key_hash: str | None
    key_name: str | None
    day: date
    model: str
    product_type: str
    credits: Decimal
    minutes: Decimal
    requests: int
    cost: Decimal | None
    agent: str | None = None

    def plus(self, other: "Used") -> "Used":
        """Both together; a sum with an unknown part is unknown."""
        unpriced = self.cost is None or other.cost is None
        return replace(
            self,
            credits=self.credits + other.credits,
            minutes=self.minutes + other.minutes,
            requests=self.requests + other.requests,
            cost=None if unpriced else (self.cost or Decimal(0)) + (other.cost or Decimal(0)),
        )

    def row(self, *, billed_by_cost: bool) -> UsageRow:
        """What can be known of it."""
        return UsageRow(
            key_hash=self.key_hash,
            key_name=self.key_name,
            day=self.day,
            model=self.model,
            product_type=self.product_type,
            credits=None if billed_by_cost else self.credits,
            minutes=None if billed_by_cost else self.minutes,
            requests=None if billed_by_cost else self.requests,
            cost=self.cost,
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """Exact sums of what is known of some days.

    `cost` adds up the priced rows, the others are counted in `unpriced_rows`. `credits`, `minutes` and `requests` add
    up the rows that have them, the others are counted in `unmetered_rows`; they are None where rows exist but none of
    them has any, and 0 where nothing was used.
    """

    credits: Decimal | None
    minutes: Decimal | None
    requests: int | None
    cost: Decimal
    unpriced_rows: int
    unmetered_rows: int = 0

    @classmethod
    def of(cls, rows: Iterable[UsageRow]) -> "Totals":
        """The sums of `rows`."""
        rows = list(rows)
        metered = [row for row in rows if row.credits is not None]
        known = bool(metered) or not rows
        return cls(
            credits=sum((row.credits or Decimal(0) for row in metered), Decimal(0)) if known else None,
            minutes=sum((row.minutes or Decimal(0) for row in metered), Decimal(0)) if known else None,
            requests=sum(row.requests or 0 for row in metered) if known else None,
            cost=sum((row.cost for row in rows if row.cost is not None), Decimal(0)),
            unpriced_rows=sum(row.cost is None for row in rows),
            unmetered_rows=len(rows) - len(metered),
        )
