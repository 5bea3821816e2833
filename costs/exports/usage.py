"""Usage as CSV: exact decimals, unknown is empty, text that a spreadsheet would run as a formula is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.csv_files import csv_chunks, csv_text, escape_formula, plain
from costs.exports.rows import Names, Row, rows_by_day
from costs.models import AttributedUsageQuerySet
from providers.models import Project, Provider

COLUMNS = (
    "date",
    "provider",
    "project_id",
    "project",
    "company",
    "model",
    "credits",
    "minutes",
    "requests",
    "cost",
    "currency",
    "estimated",
)


def usage_csv(usage: AttributedUsageQuerySet) -> Iterator[str]:
    """The rows of ``usage`` that hold anything, under COLUMNS, in chunks.

    Ordered by date, provider, project_id and model (by code point, on every database). ``project_id`` is empty for
    usage without a key; ``company`` is empty where a day is unassigned. Of a row that is split between companies there
    is one line for each of them, in the order of their names.
    """
    names = Names(_described)
    yield csv_text([COLUMNS])
    yield from csv_chunks(
        _line(*found)
        for of_day in rows_by_day(usage.used())
        for found in sorted(names.known(of_day), key=lambda found: _order(*found))
    )


@dataclass(frozen=True)
class _Key:
    order: tuple[str, str]
    cells: tuple[str, str, str]  # provider, project_id, project


def _described(project: Project, provider: Provider) -> _Key:
    external_id = "" if project.kind == Project.Kind.KEYLESS else project.external_id
    cells = (escape_formula(provider.name), escape_formula(external_id), escape_formula(project.display_name))
    return _Key((provider.name, external_id), cells)


def _order(row: Row, key: _Key, company: str) -> tuple[tuple[str, str], str, str]:
    return key.order, row.model, company


def _line(row: Row, key: _Key, company: str) -> tuple[str, ...]:
    """Only text cells are escaped: a number is never touched."""
    return (
        row.day.isoformat(),
        *key.cells,
        escape_formula(company),
        escape_formula(row.model),
        plain(row.credits),
        plain(row.minutes),
        plain(row.requests),
        plain(row.cost),
        row.currency,
        "true" if row.estimated else "false",
    )
