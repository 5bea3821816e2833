"""A page's table as CSV, "this view": its rows with exact figures, in its order, whatever page of it is shown.

Money has a column per currency, unknown is empty, and reasons stand in a last column. What a division gave – shares,
changes, forecasts – has 15 significant digits, everything else all that are stored. Rows of totals are left out, so
that a column adds up to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from html import unescape
from itertools import chain, count, islice

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.text import slugify

from core.cells import Cell
from core.csv_files import csv_text, escape_formula, plain
from core.days import DateRange
from core.money import Money
from core.querystate import link
from core.tables import Row, Table

PARAMETER = "csv"
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_CHUNK_LINES = 1000
_LONGEST_NAME = 150


def csv_url(request: HttpRequest, slug: str) -> str:
    """This view with one of its tables as CSV."""
    return link(request, page=None, **{PARAMETER: slug})


def asked_table(request: HttpRequest, tables: Mapping[str, Table]) -> tuple[str, Table] | None:
    """The table that the URL asks for as CSV, with its slug."""
    slug = request.GET.get(PARAMETER, "")
    return (slug, tables[slug]) if slug in tables else None


def csv_response(chunks: Iterator[str], *, name: Sequence[str], days: DateRange | None = None) -> StreamingHttpResponse:
    """A download under file_name(). Without the mark at its beginning Excel would not read it as UTF-8."""
    return StreamingHttpResponse(
        chain([BYTE_ORDER_MARK], chunks),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name(name, days)}"'},
    )


def file_name(name: Sequence[str], days: DateRange | None = None) -> str:
    """Made of ``name`` – what the file holds, and by what it is filtered – and ``days``."""
    words = "-".join(slug for part in name if (slug := slugify(part)))[:_LONGEST_NAME].strip("-")
    dates = f"-{days.first.isoformat()}-to-{days.last.isoformat()}" if days else ""
    return f"administrate-{words}{dates}.csv"


def table_csv(table: Table) -> Iterator[str]:
    """The rows of ``table`` in chunks, under its headings."""
    currencies = [_currencies(table.rows, index) for index in range(len(table.columns))]
    has_notes = any(_note(cell) for row in table.rows for cell in row.cells)
    heads = [
        escape_formula(f"{column.label} ({unit})" if unit else column.label)
        for column, of_column in zip(table.columns, currencies, strict=True)
        for unit in [currency.upper() for currency in of_column] or [column.unit]
    ]
    yield csv_text([tuple(_each_once([*heads, *(["Notes"] if has_notes else [])]))])
    rows = iter(table.rows)
    while chunk := list(islice(rows, _CHUNK_LINES)):
        yield csv_text(_line(row, table, currencies, has_notes=has_notes) for row in chunk)


def _each_once(heads: Iterable[str]) -> Iterator[str]:
    """The headings; one that another column has already gets a number: "Acme (2)"."""
    taken: set[str] = set()
    for head in heads:
        numbered = (head if number == 1 else f"{head} ({number})" for number in count(1))
        one = next(text for text in numbered if text.casefold() not in taken)
        taken.add(one.casefold())
        yield one


def _currencies(rows: Sequence[Row], index: int) -> list[str]:
    """The currencies of a column of money, none for any other column."""
    found: set[str] = set()
    for row in rows:
        value = getattr(row.cells[index], "value", None)
        if isinstance(value, tuple):
            found |= {money.currency for money in value}
    return sorted(found)


def _line(row: Row, table: Table, currencies: Sequence[Sequence[str]], *, has_notes: bool) -> tuple[str, ...]:
    line: list[str] = []
    for cell, of_column in zip(row.cells, currencies, strict=True):
        value = cell.value if isinstance(cell, Cell) else _text(cell)
        if of_column:
            line += [_in_currency(value, currency) for currency in of_column]
        elif isinstance(value, str):
            line.append(escape_formula(value))
        elif isinstance(value, tuple):
            line.append("")
        else:
            line.append(plain(value))
    if has_notes:
        notes = [
            f"{column.label}: {note}"
            for column, cell in zip(table.columns, row.cells, strict=True)
            if (note := _note(cell))
        ]
        line.append(escape_formula(". ".join(notes)))
    return tuple(line)


def _in_currency(value: str | Decimal | int | tuple[Money, ...] | None, currency: str) -> str:
    amounts = value if isinstance(value, tuple) else ()
    return next((plain(money.amount) for money in amounts if money.currency == currency), "")


def _note(cell: str) -> str:
    return cell.note if isinstance(cell, Cell) else ""


def _text(cell: str) -> str:
    """A cell that is no Cell: text as it is, HTML without its tags."""
    return unescape(strip_tags(cell)) if isinstance(cell, SafeString) else cell
