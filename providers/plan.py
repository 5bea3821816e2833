"""A provider's plan in the one form in which every type stores it (Provider.subscription), whatever its API calls it.

    {"name": "creator", "status": "active",        text as reported, empty where it was not
     "used": 412000, "included": 500000,           whole numbers of the type's plan unit, or null
     "resets_at": "2026-12-01T00:00:00+00:00",     when ``used`` starts again, ISO 8601 with its offset, or null
     "period_months": 1,                           how long it counts until then
     "overage": {"amount": "1.5", "currency": "usd"}, "next_invoice": …,     money as decimal text, or null
     "currency": "usd"}                            what the plan is paid in, empty where that is not known

A plan is shown, and compared with what is stored; nothing is computed from it. So what can't be is unknown, not wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from core.money import Money

_LARGEST_COUNT = 2**53
_ABSURD = Decimal(10) ** 15
_LONGEST_PERIOD = 120


@dataclass(frozen=True)
class Plan:
    """What is known of a plan; counts are of the type's plan unit."""

    name: str
    status: str
    used: int | None
    included: int | None
    resets_at: datetime | None
    period_months: int
    overage: Money | None
    next_invoice: Money | None

    @classmethod
    def of(cls, stored: object) -> Plan | None:
        """The plan of Provider.subscription; None where none was read."""
        if not isinstance(stored, dict):
            return None
        months = _whole(stored.get("period_months"))
        return cls(
            name=_text(stored.get("name")),
            status=_text(stored.get("status")),
            used=_whole(stored.get("used")),
            included=_whole(stored.get("included")),
            resets_at=_moment(stored.get("resets_at")),
            period_months=months if months and months <= _LONGEST_PERIOD else 1,
            overage=_money(stored.get("overage")),
            next_invoice=_money(stored.get("next_invoice")),
        )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST_COUNT else None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _money(value: Any) -> Money | None:
    if not isinstance(value, dict) or not isinstance(value.get("currency"), str) or not value["currency"]:
        return None
    try:
        amount = Decimal(str(value.get("amount")))
    except InvalidOperation:
        return None
    return Money(value["currency"].lower(), amount) if amount.is_finite() and abs(amount) < _ABSURD else None
