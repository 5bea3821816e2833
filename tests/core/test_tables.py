"""A table is made once: one template draws it, and the CSV holds the same cells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils.html import format_html

from core.cells import Cell
from core.paging import Page
from core.table_csv import table_csv
from core.tables import Column, Row, Table

ROOT = Path(__file__).resolve().parents[2]
ROOMS = [ROOT / "templates", *(path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests")]
NAME = Column("Name", is_number=False)


def drawn(*rows: Row, columns: tuple[Column, ...] = (NAME,), **more: Any) -> str:
    html = render_to_string("_table.html", {"table": Table("Caption", columns, rows, **more)})
    return re.sub(r">\s+<", "><", html)


def csv_of(*rows: Row, columns: tuple[Column, ...]) -> list[str]:
    return "".join(table_csv(Table("Caption", columns, rows))).splitlines()


def a_page(start: int, end: int) -> Page:
    return Page([], f"{start + 1}–{end} of 3", slice(start, end), "Pages of keys", "/?page=1#keys", "")


def test_only_one_template_draws_tables() -> None:
    """No other template, view or script of the product holds a table's markup."""
    files = [path for room in ROOMS for path in room.rglob("*") if path.suffix in {".html", ".py", ".js"}]

    assert [str(path.relative_to(ROOT)) for path in files if re.search(r"<table\b", path.read_text("utf-8"))] == [
        "templates/_table.html"
    ]


def test_a_text_is_escaped_and_a_cell_is_not() -> None:
    """What came from outside can't become markup."""
    html = drawn(Row((Cell("<em>1</em>", 1), "<b>")), columns=(NAME, Column("Text", is_number=False)))

    assert '<th scope="row"><em>1</em></th><td class="is-text">&lt;b&gt;</td>' in html


@pytest.mark.parametrize(
    ("row", "opening"),
    [
        (Row(("a",)), "<tr>"),
        (Row(("a",), is_muted=True), '<tr class="is-muted">'),
        (Row(("a",), is_strong=True), '<tr class="is-strong">'),
        (Row(("a",), id="key-1"), '<tr id="key-1">'),
    ],
)
def test_a_row_says_what_it_is(row: Row, opening: str) -> None:
    """Links and scripts find a row by its id, styles by its class."""
    assert f'{opening}<th scope="row">a</th></tr>' in drawn(row)


def test_a_column_of_checkboxes_has_no_heading() -> None:
    """A cell of the head that holds a control is no heading, and the name beside it stays the row's."""
    select = Column("", css="select-cell", head=format_html("{}", "all"))
    name = Column("Name", is_number=False, heads_rows=True)

    html = drawn(Row(("box", "a")), columns=(select, name))

    assert '<td class="select-cell">all</td><th scope="col">Name</th>' in html
    assert '<td class="select-cell">box</td><th scope="row">a</th>' in html


def test_page_and_file_can_word_a_column_in_their_own_ways() -> None:
    """A column for one of both is left out of the other, its notes included."""
    columns = (NAME, Column("Rows", in_file=False), Column("Read", on_page=False), Column("Changed", on_page=False))
    row = Row(("a", Cell("12 read", None, "a note"), "12", "3"))

    html = drawn(row, columns=columns)

    assert "12 read" in html
    assert "Changed" not in html
    assert csv_of(row, columns=columns) == ["Name,Read,Changed", "a,12,3"]


def test_a_heading_of_html_is_text_in_the_file() -> None:
    """A file's heading has no tags."""
    column = Column(format_html("<i>{}</i>", "R&D"), is_number=False)

    assert csv_of(Row(("a",)), columns=(column,)) == ["R&D", "a"]


def test_the_page_shows_its_piece_and_the_file_everything() -> None:
    """Paging cuts what is drawn; the CSV has each row once."""
    rows = tuple(Row((name,)) for name in "abc")

    html = drawn(*rows, page=a_page(1, 2), drawn=slice(1, 2))

    assert re.findall(r'<th scope="row">(\w)</th>', html) == ["b"]
    assert "2–2 of 3" in html
    assert csv_of(*rows, columns=(NAME,)) == ["Name", "a", "b", "c"]


def test_links_to_other_pages_are_named() -> None:
    """Only the pages that there are have a link."""
    html = drawn(Row(("a",)), page=a_page(1, 2))

    assert '<nav class="pager" aria-label="Pages of keys">' in html
    assert "Previous" in html
    assert "Next" not in html


def test_a_caption_with_an_isolated_name_is_text_in_the_attribute() -> None:
    """Where no element can stand the name does without."""
    table = Table(format_html("Keys of <bdi>{}</bdi>", "A & B"), (NAME,), ())

    html = render_to_string("_table.html", {"table": table})

    assert 'aria-label="Keys of A &amp; B"' in html
    assert "Keys of <bdi>A &amp; B</bdi></caption>" in html


def test_a_plain_table_has_neither_frame_nor_box() -> None:
    """The sums of a statement are set by the statement's own styles."""
    html = drawn(Row(("a",)), is_plain=True, hides_head=True)

    assert "<table><caption" in html
    assert '<thead class="visually-hidden">' in html
    assert "table-scroll" not in html
