"""The model field for exact amounts.

SQLite keeps decimals as binary floating point and its sums drift; a 64-bit integer at a fixed scale is exact, and fast,
on both engines. In Python the value is always a Decimal.
"""

from collections.abc import Callable, Iterable
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from core.amounts import LARGEST_INTEGER
from core.sums import TotalTooLargeError

Cell = TypeVar("Cell")

# In which nothing is rounded: that raises an ArithmeticError.
_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation])
_ONE = Decimal(1)

if TYPE_CHECKING:
    _BigIntegerField = models.BigIntegerField[Decimal | None, Decimal | None]
else:
    _BigIntegerField = models.BigIntegerField


class ScaledDecimalField(_BigIntegerField):
    """A Decimal with ``scale`` digits after the point, stored as the integer value · 10^scale.

    Aggregates (Sum, Min, Max) of the field are Decimals as well. A value with more digits than the scale is refused
    with ValueError, never rounded: rounding is the reader's decision, made once. One of more than 64 bits can't be
    stored: TotalTooLargeError.
    """

    def __init__(self, *args: Any, scale: int, **kwargs: Any) -> None:
        self.scale = scale
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"scale": self.scale}

    def from_db_value(self, value: Any, _expression: object, _connection: BaseDatabaseWrapper) -> Decimal | None:
        # A sum of bigints is a numeric in PostgreSQL and an integer in SQLite.
        return None if value is None else Decimal(int(value)).scaleb(-self.scale)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        if isinstance(value, int | str):
            try:
                return Decimal(value)
            except ArithmeticError:
                pass
        raise ValidationError("Enter a number.")

    def get_prep_value(self, value: Any) -> int | None:
        scaled = None if value is None else to_scaled(Decimal(value), self.scale)
        if scaled is not None and not -LARGEST_INTEGER - 1 <= scaled <= LARGEST_INTEGER:
            raise TotalTooLargeError
        return scaled


def to_scaled(value: Decimal, scale: int) -> int:
    """Return value · 10^scale; raises ValueError where that is no integer."""
    (scaled,) = to_scaled_column([value], scale, cell=int, unknown=0)
    return scaled


def to_scaled_column(
    values: Iterable[Decimal | None], scale: int, *, cell: Callable[[Decimal], Cell], unknown: Cell
) -> list[Cell]:
    """As to_scaled(), of many values at once; ``cell`` makes what is returned of a Decimal that has no other digits.

    What is not a number is refused by ``cell``, or by the database.
    """
    scaled_by, without_point = _EXACT.scaleb, _EXACT.quantize
    try:
        return [unknown if value is None else cell(without_point(scaled_by(value, scale), _ONE)) for value in values]
    except (ArithmeticError, ValueError):  # rounding, or nothing finite
        raise ValueError(f"A value is not exact at {scale} digits after the point.") from None
