"""The subscription card of a provider's page: the plan as ElevenLabs reported it, as far as it did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.amounts import DEFAULT_CURRENCY
from core.money import Money, format_number
from costs.pages import formatters
from costs.reports.reconciliation import whole

WARNING_AT_PERCENT = 90
_ABSURD = Decimal(10) ** 15


@dataclass(frozen=True)
class Plan:
    """The subscription as the provider reported it, as far as it did."""

    tier: str
    status: str
    used: str
    used_value: int | None
    limit_value: int | None
    resets: str
    overage: str
    next_invoice: str
    usage_warning: str  # that the credits are nearly used up, used up, or how many more were used; else empty


def read_plan(subscription: object) -> Plan | None:
    """Read leniently: it is shown, nothing is computed from it but a percentage."""
    if not isinstance(subscription, dict):
        return None
    used, limit = whole(subscription.get("character_count")), whole(subscription.get("character_limit"))
    reset = whole(subscription.get("next_character_count_reset_unix"))
    overage = subscription.get("current_overage")
    tier = _words(subscription.get("tier"))
    return Plan(
        tier=f"{tier} plan" if tier else "Plan not reported",
        status=_words(subscription.get("status")),
        used=f"{format_number(used)} of {format_number(limit)} credits used"
        if used is not None and limit is not None
        else "",
        used_value=used,
        limit_value=limit,
        resets=f"Resets {formatters.day(datetime.fromtimestamp(reset, tz=UTC).date())}"
        if reset is not None and 0 < reset < 2**32
        else "",
        overage=_overage(overage),
        next_invoice=_next_invoice(subscription),
        usage_warning=_usage_warning(used, limit),
    )


def _usage_warning(used: int | None, limit: int | None) -> str:
    if not used or limit is None:
        return ""
    if used > limit:
        return f"Used up: {format_number(used - limit)} credits over"
    if used == limit:
        return "Used up"
    return "Nearly used up" if used * 100 >= limit * WARNING_AT_PERCENT else ""


def _overage(overage: object) -> str:
    if not isinstance(overage, dict):
        return ""
    try:
        amount = Money(str(overage.get("currency") or DEFAULT_CURRENCY).lower(), Decimal(str(overage["amount"])))
    except (ArithmeticError, KeyError):
        return ""
    return str(amount) if amount.amount.is_finite() and 0 < abs(amount.amount) < _ABSURD else ""


def _next_invoice(subscription: dict[str, Any]) -> str:
    """What is due next; unknown where the amount has no currency."""
    cents, currency = whole(subscription.get("next_invoice_amount_due_cents")), subscription.get("currency")
    if cents is None or not isinstance(currency, str) or not currency:
        return ""
    return str(Money(currency.lower(), Decimal(cents).scaleb(-2)))


def _words(value: object) -> str:
    """ "past_due" → "Past due"."""
    return value.replace("_", " ").strip().capitalize() if isinstance(value, str) else ""
