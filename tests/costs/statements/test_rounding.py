"""What a client receives adds up to the cent as it is printed: statements, drafts and their CSV."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from core.money import to_cents
from core.tables import Table
from costs.models import StatementLine
from costs.pages.statement_csv import statement_csv
from costs.pages.statement_tables import adjustments_table, sums_table, usage_table
from costs.statements.contents import StatementView
from providers.models import Company
from tests.costs.worlds import OCTOBER, SEPTEMBER, close, make_acme, path_of, restate
from tests.factories import make_usage
from tests.pages import page_of, printed

pytestmark = pytest.mark.any_engine


Kind = StatementLine.Kind


# Reading a statement as its reader does -------------------------------------------------------------------------------


def amount(cell: str) -> Decimal:
    """The amount in dollars that a cell shows; "" and "None" are nothing."""
    text = unescape(re.sub(r"<span (class=\"sub\"|data-sign=\".*?\")>.*?</span>", "", str(cell)))
    found = re.search(r"(−?)\$([\d,]+\.\d\d)", text)
    if found is None:
        assert re.sub(r"<[^>]+>", "", text) in {"", "None"}, cell
        return Decimal(0)
    return Decimal(f"{'-' if found[1] else ''}{found[2].replace(',', '')}")


def column(table: Table, index: int) -> tuple[list[Decimal], Decimal]:
    """What stands in a column, parts of keys apart, and its total."""
    assert table.total
    whole = [row for row in table.rows if "of which" not in row.cells[0]]
    return [amount(row.cells[index]) for row in whole], amount(table.total.cells[index])


def parts_by_key(table: Table) -> list[tuple[Decimal, list[Decimal]]]:
    """What stands at each key that used several models, and at its models."""
    found: list[tuple[Decimal, list[Decimal]]] = []
    for row in table.rows:
        if "of which" in row.cells[0]:
            found[-1][1].append(amount(row.cells[-1]))
        else:
            found.append((amount(row.cells[-1]), []))
    return [each for each in found if each[1]]


def sums(sheet: StatementView) -> dict[str, list[Decimal]]:
    """The rows of the sum by their first word; of "Rounding" there may be two."""
    found: dict[str, list[Decimal]] = {}
    for row in sums_table(sheet, "usd").rows:
        found.setdefault(row.cells[0].split()[0], []).append(amount(row.cells[1]))
    return found


def records(sheet: StatementView, *, shows_keys: bool) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(statement_csv(sheet, shows_keys=shows_keys)))))


# The property ---------------------------------------------------------------------------------------------------------

costs = st.integers(0, 3 * 10**10).map(lambda units: Decimal(units).scaleb(-10))
percents = st.sampled_from([None, Decimal(0), Decimal("12.5"), Decimal("33.33"), Decimal(20)])


@st.composite
def sheets(draw: st.DrawFn) -> StatementView:
    """A statement in dollars: some keys with some models, and adjustments at several mark-ups."""
    usage = [
        StatementLine(kind=Kind.USAGE, month=OCTOBER, key_id=key, key_name=key, model=model, model_name=model, **money)
        for key, model in draw(st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")), max_size=8))
        for money in [{"cost": draw(costs), "currency": "usd", "credits": Decimal(1)}]
    ]
    adjustments = [
        StatementLine(
            kind=Kind.ADJUSTMENT,
            month=SEPTEMBER,
            cost=draw(costs) * draw(st.sampled_from([1, -1])),
            currency="usd",
            markup_percent=draw(percents),
        )
        for _number in range(draw(st.integers(0, 4)))
    ]
    return StatementView(Company(name="Acme"), "Acme", OCTOBER, draw(percents), (*usage, *adjustments))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(sheet=sheets(), shows_keys=st.booleans())
def test_every_printed_sum_is_the_sum_of_what_is_printed_above_it(sheet: StatementView, *, shows_keys: bool) -> None:
    """By key, by model, adjustments, cost, and with mark-up – and each is its exact value, rounded once."""
    exact = sheet.amounts[0] if sheet.amounts else None
    usage, adjustments, total = usage_table(sheet, "usd", shows_keys=shows_keys), adjustments_table(sheet), sums(sheet)

    for rows, whole in (column(usage, 4), *(column(adjustments, at) for at in range(2, len(adjustments.columns)))):
        assert sum(rows) == whole
    for whole, rows in parts_by_key(usage):
        assert sum(rows) == whole
    roundings = sum(total.get("Rounding", []))
    (cost,) = total["Cost"]
    assert cost == to_cents(exact.cost if exact else Decimal(0))
    if "Total" in total:
        assert total["Total"] == [to_cents(exact.total if exact else Decimal(0))]
        before = sum(total["Usage"] + total["Adjustments"]) if "Usage" in total else cost
        assert before + sum(total["Mark-up"]) + roundings == total["Total"][0]
    elif "Usage" in total:
        assert sum(total["Usage"] + total["Adjustments"]) + roundings == cost


@settings(max_examples=300, deadline=None, derandomize=True)
@given(sheet=sheets(), shows_keys=st.booleans())
def test_csv_adds_up_to_what_is_printed(sheet: StatementView, *, shows_keys: bool) -> None:
    """Its costs to the cost, and with its mark-ups to the total; no figure of it is a negative zero."""
    total = sums(sheet)
    found = records(sheet, shows_keys=shows_keys)

    cost = sum(Decimal(row["cost"]) for row in found)
    markup = sum(Decimal(row["markup"] or 0) for row in found)

    assert [cost] == total["Cost"]
    assert [cost + markup] == total.get("Total", total["Cost"])
    assert not [value for row in found for value in row.values() if re.fullmatch(r"-0(\.0+)?", value)]


# On the page ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_statement_prints_the_difference_as_rounding(signed_in: Client) -> None:
    """84.754 − 32.675 is 52.079, and 62.4948 with 20 %: neither is the sum of what is printed."""
    acme, key = make_acme()
    old = make_usage(project=key, day=SEPTEMBER, cost=Decimal("32.675"))
    make_usage(project=key, day=OCTOBER, cost=Decimal("84.754"))
    close(SEPTEMBER)
    restate(old, Decimal(0))

    draft = printed(signed_in, path_of(acme), "")
    close(OCTOBER)
    closed = printed(signed_in, path_of(acme), "")

    assert (
        draft
        == closed
        == [
            ("Usage in October 2026", "$84.75"),
            ("Adjustments to closed months", "−$32.68"),
            ("Rounding", "$0.01"),
            ("Cost", "$52.08"),
            ("Mark-up 20 %", "$10.42"),
            ("Rounding", "−$0.01"),
            ("Total with mark-up", "$62.49"),
        ]
    )


@pytest.mark.django_db
def test_rounding_is_a_row_wherever_a_sum_is_missed(signed_in: Client) -> None:
    """Two models of one key, $0.005 each, are $0.01 each and together."""
    acme, key = make_acme()
    for model in ("v3", "flash"):
        make_usage(project=key, day=OCTOBER, model=model, cost=Decimal("0.0050"))

    rows = [(row[0], row[-1]) for row in printed(signed_in, path_of(acme), "API key and model")]

    assert rows[-3:] == [("of which Eleven v3", "$0.01"), ("of which Rounding", "−$0.01"), ("Usage", "$0.01")]
    assert "“Rounding” is the difference" in page_of(signed_in, path_of(acme))


@pytest.mark.django_db
def test_tiny_mark_up_is_printed_in_cents(signed_in: Client) -> None:
    """ "<$0.01" would not add up: $0.0249 and 20 % of it come to $0.03."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, model="v3", cost=Decimal("0.0249"))

    assert printed(signed_in, path_of(acme), "") == [
        ("Cost", "$0.02"),
        ("Mark-up 20 %", "$0.00"),
        ("Rounding", "$0.01"),
        ("Total with mark-up", "$0.03"),
    ]


@pytest.mark.django_db
def test_lists_show_the_totals_of_the_statement(signed_in: Client) -> None:
    """The month's page and the company's list, to the cent."""
    acme, key = make_acme()
    for model in ("v3", "flash", "tts"):
        make_usage(project=key, day=OCTOBER, model=model, cost=Decimal("0.335"))

    sums = ("$1.01", "$0.20", "$1.21")
    assert [row[-1] for row in printed(signed_in, path_of(acme), "")] == list(sums)
    own = printed(signed_in, f"/companies/{acme.pk}/statements/", "Month")
    months = printed(signed_in, "/statements/", "Month")
    assert ("October 2026", *sums, "Draft") in own
    assert printed(signed_in, "/statements/2026-10/", "Company") == [("Acme", *sums), ("Total", *sums)]
    assert [row[1] for row in months if row[0] == "October 2026"] == ["$1.01"]
