"""What an amount may be: its currencies, its digits, and the most that storage holds of it.

Amounts are stored as 64-bit integers at a fixed scale. This module imports nothing of Django or of the product, so that
readers of answers can use them as well as what stores them.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

# Those that providers bill in; lower-case ISO codes.
CURRENCIES = ("usd", "eur", "inr", "pln", "gbp")
DEFAULT_CURRENCY = "usd"  # of a zero, where nothing was ever paid

LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True)
class Figure:
    """A figure as it is stored: with ``digits`` after the point."""

    digits: int

    @cached_property
    def unit(self) -> Decimal:
        """The smallest amount that is stored."""
        return Decimal(1).scaleb(-self.digits)

    @cached_property
    def largest(self) -> Decimal:
        """The most that one row, or one sum of rows that is stored, can hold."""
        return Decimal(LARGEST_INTEGER).scaleb(-self.digits)


CREDITS = Figure(digits=4)
MINUTES = Figure(digits=6)
REQUESTS = Figure(digits=0)
COST = Figure(digits=10)
