"""A page's table as data: columns, rows of cells, total. ``_table.html`` draws it, core.table_csv writes it.

A table is built once. Columns that the page words in another way than the file – "1,200 read, 3 changed" for two
columns of numbers – say which of both they are for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from core.cells import FOCUSABLE_HINT, HINT, Cell, Hint, hints_of, text_of, without_hints
from core.names import isolated
from core.paging import Page
from core.querystate import Sorting


@dataclass(frozen=True)
class Column:
    """``label`` is text or safe HTML; where it is empty the column has no heading, only what ``head`` holds."""

    label: str
    is_number: bool = True
    sort: str = ""  # what ?sort= calls it; empty: not offered
    is_name: bool = False  # the label came from outside
    unit: str = ""  # of the numbers in the table's CSV, where they stand without it
    css: str | None = None  # classes of its cells in place of those for numbers and text
    head: str = ""
    heads_rows: bool = False  # its cells are the headings of the rows; if no column says so, those of the first
    on_page: bool = True
    in_file: bool = True
    figure: str = ""  # which figure it holds, where it has no column without that: see Table.with_figures()


@dataclass(frozen=True)
class Row:
    """A cell for each column. A cell that is not yet safe HTML is text."""

    cells: tuple[str, ...]
    is_muted: bool = False
    is_strong: bool = False
    id: str = ""  # of its element, for links that lead to it


@dataclass(frozen=True)
class Table:
    caption: str  # text or safe HTML
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: Row | None = None
    sorting: Sorting | None = None
    is_dense: bool = False
    css: str = ""  # more classes of the table
    csv_url: str = ""  # where the same table is served as CSV
    adds_across: bool = False  # the last cell of each row is the total of the others
    says_rounding: bool | None = None  # whether the note on rounding is shown; None: where the figures call for it
    page: Page | None = None  # the piece of a longer table that is shown, with links to the others
    drawn: slice | None = None  # of ``rows``, those that the page shows; None: all, as the CSV always does
    is_plain: bool = False  # a few sums that need neither a frame nor a box that scrolls
    hides_head: bool = False  # the headings are for screen readers alone

    def with_figures(self, figures: Collection[str]) -> Table:
        """The same without the columns of other figures."""
        kept = [index for index, column in enumerate(self.columns) if not column.figure or column.figure in figures]
        if len(kept) == len(self.columns):
            return self

        def keep(row: Row) -> Row:
            return replace(row, cells=tuple(row.cells[index] for index in kept))

        return replace(
            self,
            columns=tuple(self.columns[index] for index in kept),
            rows=tuple(keep(row) for row in self.rows),
            total=keep(self.total) if self.total else None,
        )

    @cached_property
    def rounding_shows(self) -> bool:
        """Whether the figures as shown, each rounded by itself, miss a total as shown."""
        if self.says_rounding is not None:
            return self.says_rounding
        if self.total is None:
            return False
        every_row = (*self.rows, self.total)
        return any(
            _misses((row.cells[index] for row in self.rows), self.total.cells[index])
            for index in range(1, len(self.columns))
        ) or (self.adds_across and any(_misses(row.cells[1:-1], row.cells[-1]) for row in every_row))

    @property
    def name(self) -> str:
        """The caption where no HTML can stand."""
        return text_of(self.caption)

    @property
    def classes(self) -> str:
        return " ".join(filter(None, ("data", "data--dense" if self.is_dense else "", self.css)))

    @property
    def headings(self) -> SafeString:
        return format_html_join("", "{}", ((heading(each, self.sorting),) for each in self.columns if each.on_page))

    @property
    def body(self) -> SafeString:
        return self._explained_below("".join(self._row(row) for row in self.rows[self.drawn or slice(None)]))

    @property
    def foot(self) -> SafeString | None:
        return self._explained_below(self._row(self.total)) if self.total else None

    @property
    def signs(self) -> list[tuple[str, str, str]]:
        """Each sign that stands in cells with its reason; and in which columns, where it has several."""
        columns: dict[Hint, dict[str, None]] = defaultdict(dict)
        for _row, column, hint in self._hints:
            if hint.sign:
                columns[hint][column] = None
        often = Counter(hint.sign for hint in columns)
        return [
            (hint.sign, hint.reason, ", ".join(filter(None, where)) if often[hint.sign] > 1 else "")
            for hint, where in columns.items()
        ]

    @property
    def remarks(self) -> list[tuple[str, str, str]]:
        """What is said of one value alone: its row, its column, and the remark."""
        return [(row, column, hint.reason) for row, column, hint in self._hints if not hint.sign]

    @cached_property
    def _hints(self) -> list[tuple[str, str, Hint]]:
        if self.is_plain:  # a few, which take the focus themselves
            return []
        shown = [*self.rows[self.drawn or slice(None)], *([self.total] if self.total else [])]
        return [
            (without_hints(row.cells[self._head]), text_of(column.label), hint)
            for row in shown
            for column, cell in zip(self.columns, row.cells, strict=True)
            if column.on_page
            for hint in hints_of(cell)
        ]

    def _explained_below(self, html: str) -> SafeString:
        """Without the stops of its hints: the keyboard goes from link to link, and reads what is below."""
        return mark_safe(html if self.is_plain else html.replace(FOCUSABLE_HINT, HINT))  # noqa: S308 - escaped in _row

    @cached_property
    def _head(self) -> int:
        """Which column's cells are the headings of the rows."""
        return next((index for index, column in enumerate(self.columns) if column.heads_rows), 0)

    def _row(self, row: Row) -> SafeString:
        """By concatenation: a template or format_html for each of thousands of cells would be most of a page's time."""
        cells = "".join(
            f"{opening}{conditional_escape(row.cells[index])}{closing}" for index, opening, closing in self._frames
        )
        css = ' class="is-muted"' if row.is_muted else ' class="is-strong"' if row.is_strong else ""
        row_id = _attribute("id", row.id) if row.id else ""
        return mark_safe(f"<tr{row_id}{css}>{cells}</tr>")  # noqa: S308 - every part is escaped above

    @cached_property
    def _frames(self) -> tuple[tuple[int, str, str], ...]:
        """For each column of the page: its place, and the text before and after its cells."""
        return tuple(
            (index, f'<th scope="row"{_attribute("class", column.css or "")}>', "</th>")
            if index == self._head
            else (index, f"<td{_attribute('class', _css(column))}>", "</td>")
            for index, column in enumerate(self.columns)
            if column.on_page
        )


def heading(column: Column, sorting: Sorting | None) -> SafeString:
    """A column's heading; with ``sorting`` and a sortable column it is a link and says the direction."""
    if not column.label:
        css = _attribute("class", column.css or "")
        return format_html("<td{}>{}</td>", css, column.head)
    css = _attribute("class", "num" if column.is_number else "")
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


def _css(column: Column) -> str:
    if column.css is not None:
        return column.css
    return "num" if column.is_number else "is-text"


def _attribute(name: str, value: str) -> SafeString:
    """' class="num"'; nothing without a value."""
    return format_html(' {}="{}"', name, value) if value else SafeString("")


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
