"""How amounts are written for people. Rounding happens here and nowhere else: half-up, from the exact value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from functools import cache

UNKNOWN = "—"
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "inr": "₹", "pln": "zł "}
_CENT = Decimal("0.01")
_SIGNIFICANT = Context(prec=15, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, order=True)
class Money:
    """An exact amount of one currency (lower-case ISO code)."""

    currency: str
    amount: Decimal

    def __str__(self) -> str:
        symbol = SYMBOLS.get(self.currency, f"{self.currency.upper()} ")
        sign = "−" if self.amount < 0 else ""
        if 0 < abs(self.amount) < _CENT:
            return f"{sign}<{symbol}0.01"
        return f"{sign}{symbol}{abs(to_cents(self.amount)):,.2f}"


@cache
def _unit(digits: int) -> Decimal:
    return Decimal(1).scaleb(-digits)


def rounded(value: Decimal, digits: int) -> Decimal:
    """Half-up; a zero has no sign."""
    result = value.quantize(_unit(digits), rounding=ROUND_HALF_UP)
    return result or abs(result)


def to_cents(amount: Decimal) -> Decimal:
    return rounded(amount, 2)


def to_tenth(value: Decimal) -> Decimal:
    return rounded(value, 1)


def to_tenth_below(value: Decimal) -> Decimal:
    """Of shares that must not look full before they are."""
    return value.quantize(Decimal("0.1"), rounding=ROUND_DOWN)


def to_significant(value: Decimal) -> Decimal:
    """As files write what a division gave: 15 significant digits."""
    return _SIGNIFICANT.plus(value)


def signed(value: Decimal) -> str:
    """With its sign and thousands separators: "+1,204.5", "−3.0"."""
    return f"{'−' if value < 0 else '+'}{abs(value):,}"


def format_number(value: Decimal | int | None, digits: int = 0) -> str:
    """With thousands separators, rounded half-up to ``digits``; "—" when unknown, "<1" where rounding would hide it."""
    if value is None:
        return UNKNOWN
    exact, sign = abs(Decimal(value)), "−" if value < 0 else ""
    unit = _unit(digits)
    return f"{sign}<{unit}" if 0 < exact < unit else f"{sign}{rounded(exact, digits):,}"
