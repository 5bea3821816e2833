"""Tables whose names could be taken for something else, and whose figures miss their totals by rounding."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from core.cells import Cell
from core.money import Money
from core.table_csv import table_csv
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.reports.breakdowns import told_apart
from costs.reports.totals import Totals
from providers.models import Company, Project, Provider
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)
from tests.pages import download, lines_of, page_of, printed

pytestmark = pytest.mark.any_engine


ROUNDED = "Each figure is rounded from its own exact amount"
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def provider(db: None) -> Provider:
    provider = make_provider(name="Production")
    make_read_days(provider=provider, first=TODAY - timedelta(days=60), last=TODAY)
    return provider


def make_key(provider: Provider, company: Company | None = None) -> Project:
    key = make_project(provider=provider)
    if company:
        make_assignment(project=key, company=company)
    return key


def make_table(*rows: tuple[str, ...], total: tuple[str, ...], **overrides: Any) -> Table:
    columns = (Column("Name", is_number=False), *(Column(f"Column {index}") for index in range(1, len(total))))
    return Table("Caption", columns, tuple(Row(row) for row in rows), Row(total), **overrides)


def credits_of(amount: str) -> Cell:
    return formatters.amount(Totals(credits=Decimal(amount)), "credits")


# Names ----------------------------------------------------------------------------------------------------------------


def test_columns_of_companies_are_told_apart_from_what_is_said_beside_them(
    signed_in: Client, provider: Provider
) -> None:
    """A company may be called "Total" or "Unassigned"."""
    for name in ("Total", "Unassigned"):
        make_usage(project=make_key(provider, make_company(name=name)))
    make_usage(project=make_key(provider))

    heads = lines_of(signed_in.get("/?csv=days"))[0]

    assert sorted(heads[1:4]) == ["Total (company) (USD)", "Unassigned (USD)", "Unassigned (company) (USD)"]
    assert heads[4] == "Total (USD)"


def test_row_of_a_company_called_unassigned_is_told_apart(signed_in: Client, provider: Provider) -> None:
    """In the list and its file."""
    make_usage(project=make_key(provider, make_company(name="unassigned")), cost=Decimal(1))
    make_usage(project=make_key(provider), cost=Decimal(2))

    rows = {row["Company"]: row["Spend (USD)"] for row in download(signed_in, "/companies/?csv=companies")}

    assert rows == {"unassigned (company)": "1", "Unassigned": "2"}


def test_key_of_a_company_called_unassigned_is_told_apart(signed_in: Client, provider: Provider) -> None:
    """From a key that belongs to nobody."""
    make_usage(project=make_key(provider, make_company(name="Unassigned")))
    make_usage(project=make_key(provider))

    rows = download(signed_in, f"{provider.get_absolute_url()}?csv=keys")

    assert sorted(row["Company"] for row in rows) == ["Unassigned", "Unassigned (company)"]


def test_models_of_one_name_are_told_apart(signed_in: Client, provider: Provider) -> None:
    """By their ids, as columns and as rows."""
    provider.model_names = {"flash_v1": "Flash", "flash_v2": "Flash", "tts": "Text"}
    provider.save()
    for model in provider.model_names:
        make_usage(project=make_key(provider), model=model)

    heads = lines_of(signed_in.get("/?by=model&csv=days"))[0]
    rows = [row["Model"] for row in download(signed_in, "/models/?csv=models")]

    assert sorted(heads[1:4]) == ["Flash (flash_v1) (USD)", "Flash (flash_v2) (USD)", "Text (USD)"]
    assert sorted(rows) == ["Flash (flash_v1)", "Flash (flash_v2)", "Text"]


def test_heads_of_a_file_are_unique_whatever_the_names() -> None:
    """The second of two gets a number, whatever their capitals."""
    table = Table("Caption", (Column("Acme"), Column("acme"), Column("Acme (2)")), ())

    assert "".join(table_csv(table)) == "Acme,acme (2),Acme (2) (2)\n"


@pytest.mark.parametrize("name", ["Acme", "Totals", "Unassigned keys"])
def test_other_names_stay_as_they_are(name: str) -> None:
    """Only what could be taken for a row of the table is told apart from it."""
    assert told_apart(name, "company") == name


# Rounding -------------------------------------------------------------------------------------------------------------


def test_rows_that_miss_their_total_are_noticed() -> None:
    """Three times 0.4 credits."""
    rows = tuple((str(number), credits_of("10.4")) for number in range(3))

    assert make_table(*rows, total=("Total", credits_of("31.2"))).rounding_shows
    assert not make_table(*rows[:1], total=("Total", credits_of("10.4"))).rounding_shows


def test_cells_that_miss_the_total_of_their_row_are_noticed() -> None:
    """Where the last column is one."""
    row = ("1 Nov", credits_of("10.4"), credits_of("20.4"), credits_of("30.8"))

    assert make_table(row, total=row, adds_across=True).rounding_shows
    assert not make_table(row, total=row).rounding_shows


def test_amounts_of_each_currency_are_added_apart() -> None:
    """A cent that lacks in one is not made up by another."""
    rows = tuple(
        (currency, formatters.money(Totals(costs=(Money(currency, Decimal("0.006")),)), currency))
        for currency in ("eur", "eur", "usd")
    )
    both = Totals(costs=(Money("eur", Decimal("0.012")), Money("usd", Decimal("0.006"))))

    assert make_table(*rows, total=("Total", formatters.money(both, "usd"))).rounding_shows


def test_tables_per_day_say_that_they_are_rounded(signed_in: Client, provider: Provider) -> None:
    """Two days of half a cent; the company's other figures are whole."""
    key = make_key(provider, make_company(name="Acme"))
    for back in (1, 2):
        make_usage(project=key, day=TODAY - timedelta(days=back), cost=Decimal("1.005"), minutes=Decimal(1))

    assert page_of(signed_in, "/").count(ROUNDED) == 1


def test_keys_of_a_model_say_that_they_are_rounded(signed_in: Client, provider: Provider) -> None:
    """As its companies do: two keys of one company, so that only the keys' rows miss the total."""
    acme = make_company(name="Acme")
    for _ in range(2):
        make_usage(project=make_key(provider, acme), cost=Decimal("1.005"), model="tts")

    assert page_of(signed_in, "/models/usage/?model=tts").count(ROUNDED) == 1


# Files ----------------------------------------------------------------------------------------------------------------


def test_quotients_in_files_have_fifteen_digits(signed_in: Client, provider: Provider) -> None:
    """A third is a third, and no 33.3."""
    for name, cost in (("Acme", 1), ("Globex", 2)):
        key = make_key(provider, make_company(name=name))
        make_usage(project=key, cost=Decimal(cost))
        make_usage(project=key, cost=Decimal(3), day=TODAY - timedelta(days=32))

    rows = {row["Company"]: row for row in download(signed_in, "/?csv=companies")}

    assert rows["Acme"]["Share (%)"] == "33.3333333333333"
    assert rows["Globex"]["Share (%)"] == "66.6666666666667"
    assert rows["Acme"]["Change (%)"] == "-66.6666666666667"


def test_forecast_in_a_file_is_not_cut_to_cents(signed_in: Client, provider: Provider) -> None:
    """$0.001 a day: 21 days and nine more."""
    key = make_key(provider, make_company(name="Acme"))
    for back in range(1, 22):
        make_usage(project=key, day=TODAY - timedelta(days=back), cost=Decimal("0.0001"))

    rows = {row["Company"]: row for row in download(signed_in, "/companies/?csv=companies")}

    assert rows["Acme"]["Forecast Nov (USD)"] == "0.003"
    assert printed(signed_in, "/companies/", "Company")[0][:2] == ("Acme", "<$0.01")


def test_tiny_forecast_is_not_zero(signed_in: Client, provider: Provider) -> None:
    """The list says what its explanation and the company's page say."""
    acme = make_company(name="Acme")
    key = make_key(provider, acme)
    for back in range(1, 22):
        make_usage(project=key, day=TODAY - timedelta(days=back), cost=Decimal("0.0001"))

    [row] = [row for row in printed(signed_in, "/companies/", "Company") if row[0] == "Acme"]

    assert (row[3], row[5], row[6]) == ("100.0 %", "<$0.01", "21,000")
    assert "$0.00" not in " ".join(row)
