"""What an amount may be: its currencies, its digits, and the most that storage holds of it.

Amounts are stored as 64-bit integers at a fixed scale. This module imports nothing of Django or of the product, so that
readers of answers can use them as well as what stores them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import lcm

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

    def shared(self, amount: Decimal | int | None, weights: Sequence[Decimal | int]) -> list[Decimal | None]:
        """``amount`` in proportion to ``weights``, in whole units: parts that add up to it exactly.

        By largest remainder; of equal remainders the first comes first. Unknown stays unknown in every part.
        """
        if amount is None:
            return [None] * len(weights)
        # Whole numbers: no digit can be lost.
        units = int(Decimal(amount).scaleb(self.digits))
        fractions = [Fraction(weight) for weight in weights]
        common = lcm(*(fraction.denominator for fraction in fractions))
        whole = [int(fraction * common) for fraction in fractions]
        total = sum(whole)
        parts = [units * weight // total for weight in whole]
        ranked = sorted(range(len(whole)), key=lambda index: (-(units * whole[index] % total), index))
        for index in ranked[: units - sum(parts)]:
            parts[index] += 1
        return [Decimal(part).scaleb(-self.digits) for part in parts]


CREDITS = Figure(digits=4)
MINUTES = Figure(digits=6)
REQUESTS = Figure(digits=0)
COST = Figure(digits=10)
