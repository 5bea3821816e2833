"""Compares what is derived from usage – who pays for it, and its sums – with what it derives from, and repairs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from core.days import as_date
from costs.models import SUMS, TOTALS, AttributedUsage, ChangedSpan, Span, Total
from costs.usage import sums
from costs.usage.attribution import attribute, locked
from costs.usage.totals import add_up, columns_of_total, select
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


def verify_all_totals() -> list[Difference]:
    """The same of what is added up over all providers; nobody waits.

    Each table and span is compared in one statement, and so as it is at one moment; what is marked as changed then is
    no difference.
    """
    found = []
    for total in TOTALS:
        rows = {(span.value, day): number for span in Span for day, number in _differing(total, span)}
        if rows:
            days = sorted(day for _span, day in rows)
            found.append(Difference(str(total._meta.verbose_name), sum(rows.values()), days[0], days[-1]))
            sums.mark_changed(list(rows))
    if found:
        add_up(waits=True)
    return found


def _differing(total: type[Total], span: Span) -> list[tuple[date, int]]:
    """The first days of which rows are other ones than what they derive from, and how many."""
    columns = columns_of_total(total)
    is_new = f"used.day NOT IN (SELECT day FROM {ChangedSpan._meta.db_table} WHERE span = {span.value})"
    stood = f"SELECT {', '.join(columns)} FROM {total._meta.db_table} AS used WHERE span = {span.value} AND {is_new}"
    apart = _apart(columns, stood, select(total, span, is_new))
    rows = _run(f"SELECT day, SUM(apart) FROM ({apart}) AS differing GROUP BY day")
    return [(as_date(day), int(number)) for day, number in rows]


def _apart(columns: Sequence[str], stood: str, stands: str) -> str:
    """Selects the days of rows that are in one of both alone, with how often."""
    named = ", ".join(columns)
    return f"""
        SELECT day, ABS(SUM(sign)) AS apart FROM (
            SELECT {named}, 1 AS sign FROM ({stood}) AS stood UNION ALL
            SELECT {named}, -1 AS sign FROM ({stands}) AS stands
        ) AS both_of_them GROUP BY {named} HAVING SUM(sign) <> 0
    """


@dataclass(frozen=True)
class _Compared:
    """The rows of one table, as they stood and as they stand."""

    model: type[Model]
    owner: str
    owners: set[int]

    def remember(self) -> None:
        _run(f"CREATE TEMPORARY TABLE {self._stood} AS {self._rows}")

    def forget(self) -> None:
        _run(f"DROP TABLE {self._stood}")

    def differences(self) -> Iterator[Difference]:
        stood = f"SELECT {', '.join(self._columns)} FROM {self._stood}"
        apart = _apart(self._columns, stood, self._rows)
        ((rows, first, last),) = _run(f"SELECT SUM(apart), MIN(day), MAX(day) FROM ({apart}) AS differing")
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
        table = self.model._meta.db_table
        return f"SELECT {', '.join(self._columns)} FROM {table} WHERE {self.owner} IN ({owners})"


def _run(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
