"""A page's table as CSV, "this view": its rows with exact figures, in its order, whatever page of it is shown.

Money has a column per currency, unknown is empty, and reasons stand in a last column. What a division gave – shares,
changes, forecasts – has 15 significant digits, everything else all that are stored. Rows of totals are left out, so
that a column adds up to them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import count
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.text import slugify

from core.cells import Cell, text_of
from core.csv_files import csv_chunks, csv_text, escape_formula, plain
from core.days import DateRange
from core.money import Money
from core.paging import PAGE_SIZE, Page, paginate
from core.querystate import link
from core.tables import Column, Table

PARAMETER = "csv"
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_LONGEST_NAME = 150


def csv_url(request: HttpRequest, slug: str) -> str:
    """This view with one of its tables as CSV."""
    return link(request, page=None, **{PARAMETER: slug})


def asked_table(request: HttpRequest, tables: Mapping[str, Table]) -> tuple[str, Table] | None:
    """The table that the URL names as CSV, with its slug."""
    slug = request.GET.get(PARAMETER, "")
    return (slug, tables[slug]) if slug in tables else None


def paginate_table(request: HttpRequest, items: Sequence[Any], *, of: str, anchor: str) -> Page:
    """As paginate(), of what makes the rows of a table: as a file it has one page."""
    size = max(len(items), 1) if PARAMETER in request.GET else PAGE_SIZE
    return paginate(request, items, of=of, size=size, anchor=anchor)


def csv_response(chunks: Iterator[str], *, name: Sequence[str], days: DateRange | None = None) -> StreamingHttpResponse:
    """A download under file_name(). Without the mark at its beginning Excel would not read it as UTF-8."""
    return StreamingHttpResponse(
        csv_content(chunks),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name(name, days)}"'},
    )


def csv_content(chunks: Iterator[str]) -> Generator[str]:
    """A file of ``chunks`` as csv_response() sends it.

    A generator, so that closing the answer closes ``chunks`` with the cursor they may read from. Left to the garbage
    collector, that may happen amid another query on the same connection, which then waits for itself for ever.
    """
    yield BYTE_ORDER_MARK
    yield from chunks


def file_name(name: Sequence[str], days: DateRange | None = None) -> str:
    """Made of ``name`` – what the file holds, and by what it is filtered – and ``days``."""
    words = "-".join(slug for part in name if (slug := slugify(part)))[:_LONGEST_NAME].strip("-")
    dates = f"-{days.first.isoformat()}-to-{days.last.isoformat()}" if days else ""
    return f"administrate-{words}{dates}.csv"


def table_csv(table: Table) -> Iterator[str]:
    """The rows of ``table`` in chunks, under its headings; without the columns that are for the page alone."""
    kept = [index for index, column in enumerate(table.columns) if column.in_file]
    columns = [table.columns[index] for index in kept]
    lines = [[row.cells[index] for index in kept] for row in table.rows]
    currencies = [_currencies(line[index] for line in lines) for index in range(len(columns))]
    has_notes = any(_note(cell) for line in lines for cell in line)
    heads = [
        escape_formula(f"{text_of(column.label)} ({unit})" if unit else text_of(column.label))
        for column, of_column in zip(columns, currencies, strict=True)
        for unit in [currency.upper() for currency in of_column] or [column.unit]
    ]
    yield csv_text([tuple(_each_once([*heads, *(["Notes"] if has_notes else [])]))])
    yield from csv_chunks(_line(cells, columns, currencies, has_notes=has_notes) for cells in lines)


def _each_once(heads: Iterable[str]) -> Iterator[str]:
    """The headings; one that another column has already gets a number: "Acme (2)"."""
    taken: set[str] = set()
    for head in heads:
        numbered = (head if number == 1 else f"{head} ({number})" for number in count(1))
        one = next(text for text in numbered if text.casefold() not in taken)
        taken.add(one.casefold())
        yield one


def _currencies(cells: Iterable[str]) -> list[str]:
    """The currencies of a column of money, none for any other column."""
    found: set[str] = set()
    for cell in cells:
        value = getattr(cell, "value", None)
        if isinstance(value, tuple):
            found |= {money.currency for money in value}
    return sorted(found)


def _line(
    cells: Sequence[str], columns: Sequence[Column], currencies: Sequence[Sequence[str]], *, has_notes: bool
) -> tuple[str, ...]:
    line: list[str] = []
    for cell, of_column in zip(cells, currencies, strict=True):
        value = cell.value if isinstance(cell, Cell) else text_of(cell)
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
            f"{text_of(column.label)}: {note}"
            for column, cell in zip(columns, cells, strict=True)
            if (note := _note(cell))
        ]
        line.append(escape_formula(". ".join(notes)))
    return tuple(line)


def _in_currency(value: str | Decimal | int | tuple[Money, ...] | None, currency: str) -> str:
    amounts = value if isinstance(value, tuple) else ()
    return next((plain(money.amount) for money in amounts if money.currency == currency), "")


def _note(cell: str) -> str:
    return cell.note if isinstance(cell, Cell) else ""
