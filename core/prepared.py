"""Queries and updates whose SQL is made once, for what is asked so often that making it takes longer than the database.

Django makes the SQL of a QuerySet anew each time: of a small one that is nearly all of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.sql import UpdateQuery
from django.db.transaction import TransactionManagementError, mark_for_rollback_on_error

_Row = TypeVar("_Row")


class Given(Expression):
    """A value in the conditions of a prepared query, or one that a prepared update sets, which it is told each time; of
    several with one ``name`` the one at ``place``.
    """

    def __init__(self, name: str, output_field: Field[Any, Any], place: int | None = None) -> None:
        super().__init__(output_field=output_field)
        self.name = name
        self.place = place

    @classmethod
    def several(cls, name: str, output_field: Field[Any, Any], count: int) -> list[Given]:
        return [cls(name, output_field, place) for place in range(count)]

    def as_sql(self, _compiler: Any, _connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)

    def read(self, values: dict[str, Any], connection: Any) -> Any:
        """As the database's driver is told it."""
        value = values[self.name] if self.place is None else values[self.name][self.place]
        return self.output_field.get_db_prep_save(value, connection)


def given(model: type[Model], names: Iterable[str]) -> dict[str, Given]:
    """A value for each of these fields, by its name."""
    fields = {field.name: field for field in model._meta.concrete_fields}
    return {name: Given(name, fields[name]) for name in names}


def _told(params: Sequence[Any], values: dict[str, Any], connection: Any) -> list[Any]:
    return [each.read(values, connection) if isinstance(each, Given) else each for each in params]


class PreparedQuery(Generic[_Row]):
    """What ``make`` asks for – objects or tuples –, with the values of its Givens told by name.

    ``make`` is called at the first asking; whatever else its SQL holds stays as it was then. What it asks for must not
    be empty by itself (no row can have ``pk__in=[]``), and has no ``prefetch_related``. Raises
    TransactionManagementError where rows are to be locked outside a transaction.
    """

    def __init__(self, make: Callable[[], QuerySet[Any, _Row]]) -> None:
        self._make = make

    def ask(self, **values: Any) -> Sequence[_Row]:
        queryset, compiler, sql, params = self._made
        bound = copy(compiler)
        bound.connection = connections[DEFAULT_DB_ALIAS]
        if queryset.query.select_for_update and bound.connection.get_autocommit():
            raise TransactionManagementError("select_for_update cannot be used outside of a transaction.")
        told = _told(params, values, bound.connection)
        bound.as_sql = lambda: (sql, told)
        stand_in: Any = _Bound(bound)
        rows: Any = queryset._iterable_class(QuerySet(queryset.model, stand_in, DEFAULT_DB_ALIAS))
        return list(rows)

    @cached_property
    def _made(self) -> tuple[QuerySet[Any, _Row], Any, str, Sequence[Any]]:
        queryset = self._make()
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        compiler.connection = None  # which is this thread's
        return queryset, compiler, sql, params


class PreparedUpdate:
    """Sets fields of the rows that ``make`` gives, likewise to Givens or to what stays the same."""

    def __init__(self, make: Callable[[], tuple[QuerySet[Any], Mapping[str, Any]]]) -> None:
        self._make = make

    def carry_out(self, **values: Any) -> int:
        """How many rows there were."""
        sql, params = self._made
        connection = connections[DEFAULT_DB_ALIAS]
        with mark_for_rollback_on_error(using=DEFAULT_DB_ALIAS), connection.cursor() as cursor:
            cursor.execute(sql, _told(params, values, connection))
            found: int = cursor.rowcount
        return found

    @cached_property
    def _made(self) -> tuple[str, Sequence[Any]]:
        queryset, changes = self._make()
        query: Any = queryset.query.chain(UpdateQuery)
        query.add_update_values(changes)
        made: tuple[str, Sequence[Any]] = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        return made


class _Bound:
    """In a query's place: all that reading rows asks of it."""

    def __init__(self, compiler: Any) -> None:
        self._compiler = compiler

    def get_compiler(self, using: str) -> Any:  # noqa: ARG002 - as Django calls it
        return self._compiler
