"""A table as CSV: exact amounts per currency, unknown as nothing, reasons beside it, and text that stays text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from django.test import RequestFactory
from django.utils.html import format_html
from hypothesis import given
from hypothesis import strategies as st

from core.cells import Cell
from core.days import DateRange
from core.money import Money
from core.table_csv import asked_table, csv_response, csv_url, table_csv
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.reports.totals import NOTHING, Totals
from costs.usage.coverage import Reading
from elevenlabs_sync.words import WORDS
from tests.pages import file_name

NOVEMBER = DateRange(date(2026, 11, 1), date(2026, 11, 30))
COLUMNS = (Column("Company", is_number=False), Column("Spend"), Column("Credits"))


def make_table(*rows: tuple[str, ...], columns: tuple[Column, ...] = COLUMNS, total: Row | None = None) -> Table:
    return Table("Caption", columns, tuple(Row(row) for row in rows), total)


def make_totals(*amounts: str, credits_used: str | None = "1", **overrides: object) -> Totals:
    """Of amounts as "1.50 usd"."""
    costs = tuple(sorted(Money(currency, Decimal(amount)) for amount, currency in map(str.split, amounts)))
    return Totals(
        credits=None if credits_used is None else Decimal(credits_used),
        costs=costs,
        **overrides,  # type: ignore[arg-type]  # whatever a test says
    )


def row_of(name: str, totals: Totals, *, reading: Reading = Reading.WHOLE) -> tuple[str, ...]:
    return name, formatters.money(totals, "usd", reading=reading), formatters.amount(totals, "credits", reading=reading)


def read(table: Table) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(table_csv(table)), newline=""), strict=True))


def test_amounts_are_exact_and_without_signs() -> None:
    """To the last stored digit; a page rounds, a file does not."""
    table = make_table(row_of("Acme", make_totals("1234567.0000000001 usd", credits_used="98765.4321")))

    assert read(table) == [["Company", "Spend (USD)", "Credits"], ["Acme", "1234567.0000000001", "98765.4321"]]


def test_each_currency_is_a_column_of_its_own() -> None:
    """Of all rows, by name; a row without any of it has nothing there."""
    table = make_table(
        row_of("Acme", make_totals("2 usd")),
        row_of("Globex", make_totals("3 eur", "0.5 usd")),
        row_of("Initech", NOTHING),
    )

    assert read(table) == [
        ["Company", "Spend (EUR)", "Spend (USD)", "Credits"],
        ["Acme", "", "2", "1"],
        ["Globex", "3", "0.5", "1"],
        ["Initech", "", "0", "0"],
    ]


def test_rows_of_totals_are_left_out() -> None:
    """A column then adds up to them."""
    table = make_table(row_of("Acme", make_totals("2 usd")), total=Row(row_of("Total", make_totals("2 usd"))))

    assert [line[0] for line in read(table)] == ["Company", "Acme"]


@pytest.mark.parametrize(
    ("totals", "reading", "line"),
    [
        (make_totals(unpriced_rows=1), Reading.WHOLE, ["", "1", f"Spend: {WORDS.unpriced}"]),
        (make_totals("2 usd", unpriced_rows=1), Reading.WHOLE, ["2", "1", f"Spend: {WORDS.partly_unpriced}"]),
        (make_totals("2 usd", estimated=True), Reading.WHOLE, ["2", "1", f"Spend: {WORDS.estimated}"]),
        (
            make_totals("2 usd", estimated=True, unpriced_rows=1),
            Reading.WHOLE,
            ["2", "1", f"Spend: {WORDS.estimated}. {WORDS.partly_unpriced}"],
        ),
        (NOTHING, Reading.NONE, ["", "", f"Spend: {formatters.UNREAD}. Credits: {formatters.UNREAD}"]),
        (NOTHING, Reading.PART, ["0", "0", f"Spend: {formatters.PARTLY_UNREAD}. Credits: {formatters.PARTLY_UNREAD}"]),
        (make_totals("2 usd", credits_used=None), Reading.WHOLE, ["2", "", f"Credits: {WORDS.not_reported}"]),
    ],
)
def test_unknown_is_empty_and_says_why(totals: Totals, reading: Reading, line: list[str]) -> None:
    """As does a sum that is not the whole; the reasons stand last, each with its column."""
    table = make_table(row_of("Acme", totals, reading=reading), row_of("Plain", make_totals("1 usd")))

    assert read(table) == [
        ["Company", "Spend (USD)", "Credits", "Notes"],
        ["Acme", *line],
        ["Plain", "1", "1", ""],
    ]


def test_a_column_of_nothing_but_unknown_names_no_currency() -> None:
    """There is none."""
    table = make_table(row_of("Acme", make_totals(unpriced_rows=1)))

    assert read(table)[0] == ["Company", "Spend", "Credits", "Notes"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_a_spreadsheet_would_run_is_made_inert(start: str) -> None:
    """In cells and in headings, which are names too; never in numbers."""
    evil = f"{start}HYPERLINK(1)"
    columns = (Column(evil), Column(evil), Column(f"{evil}!"))
    table = make_table((evil, formatters.money(make_totals("1 usd"), "usd"), Cell("shown", evil)), columns=columns)

    assert read(table) == [[f"'{evil}", f"'{evil} (USD)", f"'{evil}!"], [f"'{evil}", "1", f"'{evil}"]]


def test_negative_numbers_stay_numbers() -> None:
    """A change for the worse is no formula; the unit stands in the heading."""
    table = make_table(("Acme", Cell("▼ −10.0 %", Decimal("-10.0"))), columns=(COLUMNS[0], Column("Change", unit="%")))

    assert read(table) == [["Company", "Change (%)"], ["Acme", "-10"]]


@pytest.mark.parametrize("name", ['a"b', "a,b", "a\nb", "a\rb", "a\r\nb", "<b>x</b>", "&amp;", "名前;\t", "end\r", "🎙"])
def test_any_name_survives(name: str) -> None:
    """As text, and as a link with a badge: the file holds the name, not its HTML."""
    link = Cell(format_html('<a href="/">{}</a> <span>badge</span>', name), name)

    assert read(make_table((name, link), columns=COLUMNS[:2]))[1] == [name, name]


def test_html_without_a_value_is_its_text() -> None:
    """So that nothing of the markup gets into a file, whoever made the cell."""
    html = format_html("<b>{}</b><br>", "a < b & c")

    assert read(make_table(("Acme", html), columns=COLUMNS[:2]))[1] == ["Acme", "a < b & c"]


@given(st.lists(st.decimals(0, 10**9, places=10), max_size=30))
def test_a_column_adds_up_exactly(amounts: list[Decimal]) -> None:
    """Whatever the amounts: nothing is rounded on the way."""
    rows = [row_of(f"Row {number}", make_totals(f"{amount} usd")) for number, amount in enumerate(amounts)]

    lines = read(make_table(*rows))

    assert sum((Decimal(line[1]) for line in lines[1:]), Decimal(0)) == sum(amounts, Decimal(0))


def test_long_tables_come_in_chunks() -> None:
    """Of a thousand lines, none lost between them."""
    table = make_table(*(row_of(f"{number}", make_totals("1 usd")) for number in range(2500)))

    chunks = list(table_csv(table))

    assert [chunk.count("\n") for chunk in chunks] == [1, 1000, 1000, 500]
    numbers = [int(line[0]) for line in read(table)[1:]]
    assert all(after == before + 1 for before, after in pairwise(numbers))


def test_an_empty_table_has_its_headings() -> None:
    """And nothing else."""
    assert read(make_table()) == [["Company", "Spend", "Credits"]]


@pytest.mark.parametrize(
    ("name", "days", "expected"),
    [
        (["companies"], NOVEMBER, "administrate-companies-2026-11-01-to-2026-11-30.csv"),
        (["Acme & Söhne GmbH", "keys", "Production"], None, "administrate-acme-sohne-gmbh-keys-production.csv"),
        (["名前", "keys"], None, "administrate-keys.csv"),
        (
            ['"; filename="evil.exe', "a\r\nSet-Cookie: x", "../.."],
            None,
            "administrate-filenameevilexe-a-set-cookie-x.csv",
        ),
        (["x" * 500], NOVEMBER, f"administrate-{'x' * 150}-2026-11-01-to-2026-11-30.csv"),
    ],
)
def test_the_file_is_named_after_what_it_holds(name: list[str], days: DateRange | None, expected: str) -> None:
    """In letters that every file system takes, and short enough for it."""
    response = csv_response(iter(["x"]), name=name, days=days)

    assert file_name(response) == expected
    assert response.streaming


def test_a_download_says_that_it_is_utf_8() -> None:
    """By the mark without which Excel takes "–", "ü" and Hebrew for something else; once, however many the chunks."""
    response = csv_response(iter(["Zürich – ", "תל אביב"]), name=["companies"])

    assert response.getvalue() == b"\xef\xbb\xbf" + "Zürich – תל אביב".encode()


def test_the_link_is_this_view_without_its_page() -> None:
    """Filters and sorting stay; of a table in pages the file is the whole."""
    request = RequestFactory().get("/companies/?from=2026-11-01&sort=-spend&page=3&provider=7&csv=other")

    assert csv_url(request, "keys") == "/companies/?from=2026-11-01&sort=-spend&provider=7&csv=keys"


@pytest.mark.parametrize(
    ("query", "slug"), [("csv=keys", "keys"), ("csv=other", None), ("csv=", None), ("", None), ("csv=__class__", None)]
)
def test_only_the_pages_own_tables_can_be_asked_for(query: str, slug: str | None) -> None:
    """Anything else is the page."""
    tables = {"keys": make_table()}

    asked = asked_table(RequestFactory().get(f"/?{query}"), tables)

    assert asked == ((slug, tables["keys"]) if slug else None)


@pytest.mark.django_db
def test_closing_a_download_ends_what_makes_it() -> None:
    """At once, with its cursor: garbage collected amid another query of its connection, it would wait for itself."""
    ended = []

    def chunks() -> Iterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            ended.append(True)

    response = csv_response(chunks(), name=["file"])
    reader = iter(response)
    begun = [next(reader), next(reader)]

    response.close()

    assert begun == ["\N{ZERO WIDTH NO-BREAK SPACE}".encode(), b"a"]
    assert ended == [True]
