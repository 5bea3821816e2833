"""Sums that are exact however large: the one place that knows how each engine adds up 64-bit integers.

PostgreSQL adds bigints up to a numeric. SQLite ends a query whose sum passes 64 bits; there the upper and the lower
half of each value are added up apart and put together in Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, OperationalError
from django.db.models import IntegerField, Sum

from core.amounts import COST
from core.expressions import TableExpression

_HALF = 32
_UPPER = f"SUM({{value}} >> {_HALF})"
_LOWER = f"SUM({{value}} & {2**_HALF - 1})"


class TotalTooLargeError(ValidationError):
    """A sum does not fit the 64 bits in which it is kept; the text is for the person."""

    text = (
        f"Usage would add up to more than can be stored in one figure ({int(COST.largest):,} in one currency). "
        "Nothing was changed."
    )

    def __init__(self) -> None:
        super().__init__(self.text)


class ExactSum(Sum):
    """As Sum, of whole numbers and ScaledDecimalFields; only read in Python, never stored by a query."""

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, tuple[str | int, ...]]:
        halves = []
        for half in (_UPPER, _LOWER):
            part = self.copy()
            part.template = half.format(value="(%(expressions)s)")
            halves.append(part.as_sql(compiler, connection, **context))
        (upper, params), (lower, more) = halves
        return f"({upper} || ':' || {lower})", (*params, *more)

    @cached_property
    def convert_value(self) -> Any:
        return _whole


class RawSums(TableExpression):
    """Sums of one table as columns beside one another: of ``figures``, as whole() reads them, then ``counts``.

    Figures are names of columns of 64 bits, added up as ExactSum does, without their fields' conversions; counts are
    SQL of sums that stay small, of the table "{table}". To be selected last, and grouped by the columns before it.
    """

    contains_aggregate = True

    def __init__(self, field: str, *, figures: tuple[str, ...], counts: tuple[str, ...]) -> None:
        """``field`` is any of the table."""
        super().__init__(field, figures, counts, output_field=IntegerField())
        self._figures, self._counts = figures, counts

    def make_sql(self, table: str, connection: Any) -> tuple[str, Sequence[Any]]:
        figures = (_raw_sum(f"{table}.{name}", connection.vendor) for name in self._figures)
        return ", ".join([*figures, *(count.format(table=table) for count in self._counts)]), ()

    def get_group_by_cols(self) -> list[Any]:
        return []

    def get_db_converters(self, connection: Any) -> list[Any]:  # noqa: ARG002 - as Django calls it
        return []


def _raw_sum(value: str, vendor: str) -> str:
    if vendor != "sqlite":
        return f"SUM({value})"
    return f"({_UPPER.format(value=value)} || ':' || {_LOWER.format(value=value)})"


def whole(value: Any) -> Any:
    """The whole number that a figure of RawSums is, as an int or a Decimal; None where it added nothing up."""
    return _whole(value, None, None) if isinstance(value, str) else value


def sum_halves(expression: str) -> str:
    """SQL for the sums of both halves of ``expression``, on either engine; join_halves() makes one number of them."""
    value = f"({expression})"
    return f"{_UPPER.format(value=value)}, {_LOWER.format(value=value)}"


def join_halves(upper: Decimal | int | None, lower: Decimal | int | None) -> int | None:
    """The sum of which the database gave both halves; None where it added nothing up."""
    return None if upper is None or lower is None else (int(upper) << _HALF) + int(lower)


@contextmanager
def storing_sums() -> Iterator[None]:
    """Around a statement that stores sums: raises TotalTooLargeError where one passes 64 bits."""
    try:
        yield
    except (DataError, OperationalError) as error:
        if getattr(error.__cause__, "sqlstate", "") == "22003" or "integer overflow" in str(error):
            raise TotalTooLargeError from error
        raise


def _whole(value: Any, _expression: object, _connection: object) -> int | None:
    if isinstance(value, str):
        upper, lower = value.split(":")
        return join_halves(int(upper), int(lower))
    return None if value is None else int(value)
