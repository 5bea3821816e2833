"""Usage as CSV: exact decimals, unknown is empty, text that a spreadsheet would run as a formula is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from core.csv_files import csv_cell, csv_text, escape_formula, text_chunks, units_text
from costs.exports.rows import Names, Row, rows_by_day
from costs.models import AttributedUsageQuerySet, DailyUsage
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


_BOOLEAN = {True: "true", False: "false"}
_credits = units_text(DailyUsage.CREDITS_SCALE)
_minutes = units_text(DailyUsage.MINUTES_SCALE)
_cost = units_text(DailyUsage.COST_SCALE)


def usage_csv(usage: AttributedUsageQuerySet) -> Iterator[str]:
    """The rows of ``usage`` that hold anything, under COLUMNS, in chunks.

    Ordered by date, provider, project_id and model (by code point, on every database). ``project_id`` is empty for
    usage without a key; ``company`` is empty where a day is unassigned. Of a row that is split between companies there
    is one line for each of them, in the order of their names.
    """
    names = Names(_described)
    yield csv_text([COLUMNS])
    yield from text_chunks(
        line
        for of_day in rows_by_day(usage.used())
        for key, found in names.in_order(of_day)
        for line in _lines(of_day[0][0], key, found)
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


def _lines(day: date, key: _Key, found: Iterable[tuple[str, str, Row]]) -> Iterator[str]:
    """The lines of a key's rows of one day."""
    start = f"{day.isoformat()},{key.cells}"
    for model, company, row in found:
        _day, _project, _company, _model, credits_, minutes, requests, cost, currency, estimated, allocated = row
        yield (
            f"{start},{_text(company)},{_text(model)},{_credits(credits_)},{_minutes(minutes)},"
            f"{'' if requests is None else requests},{_cost(cost)},{csv_cell(currency)},"
            f"{_BOOLEAN[estimated]},{key.kind},{_BOOLEAN[allocated]}\n"
        )


@lru_cache(maxsize=4096)  # a file repeats few texts
def _text(text: str) -> str:
    """A text cell; only these are escaped, a number is never touched."""
    return csv_cell(escape_formula(text))
