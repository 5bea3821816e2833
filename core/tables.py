"""Plain tables – a heading per row, figures, a row of totals – written in Python and put on the page as one string."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from core.cells import Cell
from core.names import isolated
from core.querystate import Sorting


@dataclass(frozen=True)
class Column:
    label: str
    is_number: bool = True
    sort: str = ""  # what ?sort= calls it; empty: not offered
    is_name: bool = False  # the label came from outside
    unit: str = ""  # of the numbers in the table's CSV, where they stand without it


@dataclass(frozen=True)
class Row:
    """The first cell is the row's heading. A cell that is not yet safe HTML is text."""

    cells: tuple[str, ...]
    is_muted: bool = False


@dataclass(frozen=True)
class Table:
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: Row | None = None
    sorting: Sorting | None = None
    is_dense: bool = False
    csv_url: str = ""  # where the same table is served as CSV
    adds_across: bool = False  # the last cell of each row is the total of the others

    @property
    def rounding_shows(self) -> bool:
        """Whether the figures as shown, each rounded by itself, miss a total as shown."""
        if self.total is None:
            return False
        every_row = (*self.rows, self.total)
        return any(
            _misses((row.cells[index] for row in self.rows), self.total.cells[index])
            for index in range(1, len(self.columns))
        ) or (self.adds_across and any(_misses(row.cells[1:-1], row.cells[-1]) for row in every_row))

    @property
    def html(self) -> SafeString:
        return format_html(
            '<div class="table-scroll" tabindex="0" role="group" aria-label="{caption}">'
            '<table class="data{dense}"><caption class="visually-hidden">{caption}</caption>'
            "<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table></div>",
            caption=self.caption,
            dense=" data--dense" if self.is_dense else "",
            head=format_html_join("", "{}", ((heading(column, self.sorting),) for column in self.columns)),
            body=mark_safe("".join(self._row(row) for row in self.rows)),  # noqa: S308 - cells are escaped in _row
            foot=format_html("<tfoot>{}</tfoot>", self._row(self.total)) if self.total else "",
        )

    def _row(self, row: Row) -> SafeString:
        """By concatenation: format_html for each of thousands of cells would be most of a page's time."""
        opening = '<tr class="is-muted">' if row.is_muted else "<tr>"
        first = f'<th scope="row">{conditional_escape(row.cells[0])}</th>'
        rest = "".join(
            f'<td class="num">{conditional_escape(cell)}</td>'
            if column.is_number
            else f'<td class="is-text">{conditional_escape(cell)}</td>'
            for column, cell in zip(self.columns[1:], row.cells[1:], strict=True)
        )
        return mark_safe(f"{opening}{first}{rest}</tr>")  # noqa: S308 - every part is escaped above


def _misses(parts: Iterable[str], whole: str) -> bool:
    """Whether ``parts`` as shown add up to something else than ``whole`` as shown."""
    if not isinstance(whole, Cell) or not whole.shown:
        return False
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for part in parts:
        if isinstance(part, Cell):
            for currency, shown in part.shown.items():
                sums[currency] += shown
    return any(sums[currency] != shown for currency, shown in whole.shown.items())


def heading(column: Column, sorting: Sorting | None) -> SafeString:
    """A column's heading; with ``sorting`` and a sortable column it is a link and says the direction."""
    css = mark_safe(' class="num"') if column.is_number else ""
    label = isolated(column.label) if column.is_name else column.label
    if sorting is None or not column.sort:
        return format_html('<th scope="col"{}>{}</th>', css, label)
    return format_html(
        '<th scope="col"{} aria-sort="{}"><a href="{}">{}</a></th>',
        css,
        sorting.direction(column.sort),
        sorting.url(column.sort),
        label,
    )
