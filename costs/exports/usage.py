"""Usage as CSV: exact decimals, unknown is empty, text that a spreadsheet would run as a formula is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from core.csv_files import csv_cell, csv_text, escape_formula, text_chunks
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
    "kind",
    "allocated",
)


def usage_csv(usage: AttributedUsageQuerySet) -> Iterator[str]:
    """The rows of ``usage`` that hold anything, under COLUMNS, in chunks.

    Ordered by date, provider, project_id and model (by code point, on every database). ``project_id`` is empty for
    usage without a key; ``company`` is empty where a day is unassigned. Of a row that is split between companies there
    is one line for each of them, in the order of their names.
    """
    names = Names(_described)
    yield csv_text([COLUMNS])
    yield from text_chunks(
        _line(*found)
        for of_day in rows_by_day(usage.used())
        for found in sorted(names.known(of_day), key=lambda found: _order(*found))
    )


@dataclass(frozen=True)
class _Key:
    order: tuple[str, str]
    cells: str  # provider, project_id, project
    kind: str


def _described(project: Project, provider: Provider) -> _Key:
    external_id = "" if project.kind == Project.Kind.KEYLESS else project.external_id
    cells = (provider.name, external_id, project.display_name)
    return _Key((provider.name, external_id), ",".join(map(_text, cells)), project.kind)


def _order(row: Row, key: _Key, company: str) -> tuple[tuple[str, str], str, str]:
    return key.order, row.model, company


def _line(row: Row, key: _Key, company: str) -> str:
    return (
        f"{row.day.isoformat()},{key.cells},{_text(company)},{_text(row.model)},{row.credits_text},{row.minutes_text},"
        f"{row.requests_text},{row.cost_text},{csv_cell(row.currency)},{'true' if row.estimated else 'false'},"
        f"{key.kind},{'true' if row.allocated else 'false'}\n"
    )


@lru_cache(maxsize=4096)  # a file repeats few texts
def _text(text: str) -> str:
    """A text cell; only these are escaped, a number is never touched."""
    return csv_cell(escape_formula(text))
