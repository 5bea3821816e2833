"""Expressions of one table whose SQL is written by hand.

Where Django would take longer to put it together from small pieces than a database to carry it out.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import Any

from django.db.models import Expression, F, Field


class TableExpression(Expression):
    """What ``make_sql`` says of the table that has ``field``, under the name that a query gives it."""

    def __init__(self, field: str, *given: Hashable, output_field: Field[Any, Any]) -> None:
        """``given`` is all that the SQL depends on beside the table."""
        super().__init__(output_field=output_field)
        self._field: Any = F(field)
        self._given = given

    def make_sql(self, table: str, connection: Any) -> tuple[str, Sequence[Any]]:
        """The SQL and its parameters, as the driver takes them; ``table`` is quoted."""
        raise NotImplementedError

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = self.make_sql(compiler.quote_name_unless_alias(self._field.alias), connection)
        return sql, tuple(params)

    def get_source_expressions(self) -> list[Any]:
        return [self._field]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self._field,) = exprs

    @cached_property
    def identity(self) -> Any:
        """What Django knows the same expression by."""
        return type(self), self._field, self._given
