"""Reasons in a table's cells: heard there, shown on hover, and read below the table by keyboard and touch."""

from __future__ import annotations

import re
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import format_html

from core.cells import Cell, with_hint, without_hints
from core.tables import Column, Row, Table

COLUMNS = (Column("Company", is_number=False), Column("Spend"), Column("Change"))


def row(name: str, spend: str = "$1.00", change: str = "") -> Row:
    return Row((name, spend, change))


def a_table(*rows: Row, **more: Any) -> Table:
    return Table("Spend", COLUMNS, rows, **more)


def drawn(table: Table) -> str:
    return re.sub(r">\s+<", "><", render_to_string("_table.html", {"table": table}))


def test_a_hint_in_a_table_is_no_stop_of_the_tab_key() -> None:
    """The reason stays in the cell for who listens; one for whom it is the only place is still a stop."""
    hint = with_hint("$1.00", lacks="Some is unread")

    html = drawn(a_table(row("Acme", hint)))

    assert 'class="hint" tabindex' in hint
    assert '<span class="hint">$1.00' in html
    assert html.count("tabindex") == 1  # of the box that scrolls
    assert '<span data-sign="*">Some is unread</span>' in html


def test_other_stops_in_cells_stay() -> None:
    """Only hints lose theirs."""
    html = drawn(a_table(row("Acme", format_html('<pre tabindex="0">{}</pre>', "An answer"))))

    assert '<pre tabindex="0">An answer</pre>' in html


def test_a_sign_is_explained_once_below_its_table() -> None:
    """However many rows it stands in; in the total as well."""
    star = with_hint("$1.00", lacks="Some is unread")

    table = a_table(row("Acme", star), row("Globex", star), total=row("Total", with_hint("—", "Not priced yet")))

    assert table.signs == [("*", "Some is unread", ""), ("—", "Not priced yet", "")]
    assert '<li><span class="signs__sign">*</span> Some is unread</li>' in drawn(table)


def test_a_sign_with_two_reasons_says_in_which_columns() -> None:
    """Else nobody could tell which is meant."""
    table = a_table(row("Acme", with_hint("—", "Not priced yet"), with_hint("—", "Nothing to compare")))

    assert table.signs == [("—", "Not priced yet", "Spend"), ("—", "Nothing to compare", "Change")]


def test_what_is_said_of_one_value_is_listed_by_row_and_column() -> None:
    """With names from outside as they are; what is general is not repeated there."""
    change = Cell(with_hint("▲ 5 %", "Of credits", label="Estimated", says="$1.00 & more before"), 5)

    table = a_table(row("<Acme>", change=change))

    assert table.remarks == [("<Acme>", "Change", "$1.00 & more before")]
    assert table.signs == [("Estimated", "Of credits", "")]
    assert "<li><bdi>&lt;Acme&gt;</bdi>, Change: $1.00 &amp; more before</li>" in drawn(table)


def test_rows_that_are_not_drawn_explain_nothing() -> None:
    """The next page of a long table has its own signs."""
    table = a_table(row("Acme"), row("Globex", with_hint("—", "Not priced yet")), drawn=slice(0, 1))

    assert table.signs == []


def test_a_few_sums_without_a_frame_keep_their_stops() -> None:
    """Nothing is explained below them."""
    html = drawn(a_table(row("Acme", with_hint("—", "Not priced yet")), is_plain=True))

    assert 'class="hint" tabindex="0"' in html
    assert "signs" not in html


def test_a_cell_reads_without_its_reasons() -> None:
    """As it stands on the page."""
    day = format_html("22 Nov <span>{}</span>", with_hint("provisional", "May be restated", lacks="Some is unread"))

    assert without_hints(day) == "22 Nov provisional"
