"""Compares what is derived from usage – who pays for it, and its sums – with what it derives from, and repairs it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from core.days import as_date
from costs.models import SUMS, TOTALS, AttributedUsage, CompanySum, SpanSum
from costs.usage import sums
from costs.usage.attribution import attribute, locked
from costs.usage.company_totals import add_up
from providers.models import Project, Provider


@dataclass(frozen=True)
class Difference:
    """Rows of one table that were not what they derive from."""

    what: str  # "company sum"
    rows: int
    first: date
    last: date


def verify(provider: Provider) -> list[Difference]:
    """Derive everything of a provider anew, and say what was otherwise; where nothing was, nothing is written.

    Meanwhile its syncs and assignments wait.
    """
    with transaction.atomic():
        locked([provider.pk])
        projects = set(Project.objects.for_provider(provider).values_list("pk", flat=True))
        compared = [_Compared(AttributedUsage, "project_id", projects)]
        compared += [_Compared(model, "provider_id", {provider.pk}) for model in SUMS]
        for table in compared:
            table.remember()
        attribute(projects)
        sums.rebuild(provider.pk)
        found = [difference for table in compared for difference in table.differences()]
        for table in compared:
            table.forget()
        if not found:
            transaction.set_rollback(True)
    return found


def verify_company_totals() -> list[Difference]:
    """The same of what is added up over all providers; meanwhile everybody's syncs and assignments wait."""
    with transaction.atomic():
        locked(Provider.objects.values_list("pk", flat=True))
        add_up(waits=True)
        compared = [_Compared(model) for model in TOTALS]
        for table in compared:
            table.remember()
        tables: tuple[type[SpanSum], ...] = (CompanySum, *TOTALS)
        if stored := {span for model in tables for span in model.objects.all().spans()}:
            sums.mark_changed(stored)
        add_up(waits=True)
        found = [difference for table in compared for difference in table.differences()]
        for table in compared:
            table.forget()
    return found


@dataclass(frozen=True)
class _Compared:
    """The rows of one table, as they stood and as they stand: those of some owners, or all."""

    model: type[Model]
    owner: str = ""
    owners: Collection[int] = ()

    def remember(self) -> None:
        self._run(f"CREATE TEMPORARY TABLE {self._stood} AS {self._rows}")

    def forget(self) -> None:
        self._run(f"DROP TABLE {self._stood}")

    def differences(self) -> Iterator[Difference]:
        columns = ", ".join(self._columns)
        ((rows, first, last),) = self._run(f"""
            SELECT SUM(apart), MIN(day), MAX(day) FROM (
                SELECT ABS(SUM(sign)) AS apart, day FROM (
                    SELECT {columns}, 1 AS sign FROM {self._stood} UNION ALL
                    SELECT {columns}, -1 AS sign FROM ({self._rows}) AS stands
                ) AS both_of_them GROUP BY {columns} HAVING SUM(sign) <> 0
            ) AS differing
        """)
        if rows:
            yield Difference(str(self.model._meta.verbose_name), int(rows), as_date(first), as_date(last))

    @property
    def _stood(self) -> str:
        return f"stood_{self.model._meta.db_table}"

    @property
    def _columns(self) -> list[str]:
        return [str(field.column) for field in self.model._meta.concrete_fields if field.column not in {None, "id"}]

    @property
    def _rows(self) -> str:
        owners = ", ".join(map(str, sorted(self.owners))) or "NULL"
        where = f" WHERE {self.owner} IN ({owners})" if self.owner else ""
        return f"SELECT {', '.join(self._columns)} FROM {self.model._meta.db_table}{where}"

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
