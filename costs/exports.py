"""Usage as CSV: exact decimals, unknown is empty, text that a spreadsheet would run as a formula is made inert."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby, islice
from unicodedata import normalize

from django.db.models import QuerySet

from costs.models import AttributedUsage, AttributedUsageQuerySet, Restatement
from providers.models import Project

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
_RESTATED = ("credits", "minutes", "requests", "cost", "currency")
RESTATEMENT_COLUMNS = (
    "restated_at",
    "run",
    "date",
    "provider",
    "project_id",
    "project",
    "model",
    *(f"{name}_{when}" for name in _RESTATED for when in ("before", "after")),
)
CHUNK_LINES = 1000
_FORMULA_SIGNS = frozenset("=+-@\t\r\n")


def usage_csv(usage: AttributedUsageQuerySet) -> Iterator[str]:
    """The rows of ``usage`` that hold anything, under COLUMNS, in chunks of about a thousand lines.

    Ordered by date, provider, project_id and model (by code point, on every database). ``project_id`` is empty for
    usage without a key; ``company`` is empty where a day is unassigned. Of a row that is split between companies there
    is one line for each of them, in the order of their names.
    """
    rows = usage.used().select_related("project__provider", "company").order_by("day").iterator(chunk_size=2000)
    yield csv_text([COLUMNS])
    lines: list[tuple[str, ...]] = []
    for _day, of_day in groupby(rows, key=lambda row: row.day):
        lines += sorted((_line(row) for row in of_day), key=_order)
        if len(lines) >= CHUNK_LINES:
            yield csv_text(_escaped(lines))
            lines = []
    yield csv_text(_escaped(lines))


def restatements_csv(restatements: QuerySet[Restatement]) -> Iterator[str]:
    """The restatement log under RESTATEMENT_COLUMNS, in chunks: what stood of a settled day, what stands since, when.

    In the order in which it happened. ``run`` is the id of the sync run, empty where that is no longer kept.
    """
    yield csv_text([RESTATEMENT_COLUMNS])
    rows = restatements.select_related("project__provider").order_by("restated_at", "pk").iterator(chunk_size=2000)
    while chunk := list(islice(rows, CHUNK_LINES)):
        yield csv_text(_restatement_line(row) for row in chunk)


def plain(value: Decimal | int | None) -> str:
    """Exact, without exponent or padding; empty when unknown."""
    if value is None:
        return ""
    text = f"{value or 0:f}" if isinstance(value, Decimal) else str(value)  # a zero may be negative in Python
    return text.rstrip("0").rstrip(".") if "." in text else text


def inert(text: str) -> str:
    """``text`` with a leading apostrophe where a spreadsheet would take it for a formula.

    Some take full-width and small forms of the signs (＝, ﹢) for the signs themselves.
    """
    return f"'{text}" if normalize("NFKC", text[:1]) in _FORMULA_SIGNS else text


def _line(row: AttributedUsage) -> tuple[str, ...]:
    project = row.project
    return (
        row.day.isoformat(),
        project.provider.name,
        "" if project.kind == Project.Kind.KEYLESS else project.external_id,
        project.display_name,
        row.company.name if row.company else "",
        row.model,
        plain(row.credits),
        plain(row.minutes),
        plain(row.requests),
        plain(row.cost),
        row.currency,
        "true" if row.estimated else "false",
    )


def _restatement_line(row: Restatement) -> tuple[str, ...]:
    project = row.project
    figures = (getattr(row, name) for name in RESTATEMENT_COLUMNS[7:])
    return (
        row.restated_at.isoformat(timespec="seconds"),
        "" if row.run_id is None else str(row.run_id),
        row.day.isoformat(),
        inert(project.provider.name),
        "" if project.kind == Project.Kind.KEYLESS else inert(project.external_id),
        inert(project.display_name),
        inert(row.model),
        *(value if isinstance(value, str) else plain(value) for value in figures),
    )


def _order(line: tuple[str, ...]) -> tuple[str, ...]:
    date, provider, project_id, _project, company, model = line[:6]
    return date, provider, project_id, model, company


def _escaped(lines: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Only text cells: a number is never touched."""
    return ((line[0], *(inert(cell) for cell in line[1:6]), *line[6:]) for line in lines)


def csv_text(lines: Iterable[tuple[str, ...]]) -> str:
    """The lines as CSV, each ended by a line feed; a cell is quoted where it has to be."""
    buffer = _LineFeeds()
    csv.writer(buffer, lineterminator="\r\n").writerows(lines)
    return buffer.getvalue()


class _LineFeeds(io.StringIO):
    """Takes the writer's lines and ends each in a line feed alone.

    The writer quotes a carriage return within a cell only where its own line end has one; unquoted it would break the
    row in two.
    """

    def write(self, line: str, /) -> int:
        return super().write(line.removesuffix("\r\n") + "\n")
