"""What the FOCUS export says of usage: periods, costs, quantities, names, payers."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from costs.exports.focus import COLUMNS, count_unpriced, focus_csv
from costs.management.commands.export_usage import left_out
from costs.models import AttributedUsage, AttributedUsageQuerySet, DailyUsage
from providers.models import Project
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_split,
    make_usage,
)

pytestmark = pytest.mark.django_db


def exported(usage: AttributedUsageQuerySet | None = None) -> list[dict[str, str]]:
    chunks = focus_csv(AttributedUsage.objects.all() if usage is None else usage)
    return list(csv.DictReader(io.StringIO("".join(chunks), newline=""), strict=True))


def the_row() -> dict[str, str]:
    (row,) = exported()
    return row


def test_own_columns_are_the_fixed_interface() -> None:
    """They come last, in this order."""
    assert COLUMNS[-5:] == ("x_CompanyId", "x_CompanyName", "x_Estimated", "x_Provisional", "x_Allocation")
    assert not any(name.startswith("x_") for name in COLUMNS[:-5])


def test_row_says_everything_that_is_known() -> None:
    """One charge in credits, whole."""
    provider = make_provider(name="Production", model_names={"eleven_v3": "Eleven v3"})
    project = make_project(provider=provider, external_id="abc", name="Support line")
    company = make_company(name="Acme")
    make_assignment(project=project, company=company)
    make_usage(
        project=project, day=date(2026, 11, 20), model="eleven_v3", credits=Decimal("1234.5"), cost=Decimal("0.3")
    )

    assert {name: value for name, value in the_row().items() if value} == {
        "BilledCost": "0.3",
        "BillingAccountId": f"elevenlabs/{provider.pk}",
        "BillingAccountName": "Production",
        "BillingCurrency": "USD",
        "BillingPeriodEnd": "2026-12-01T00:00:00Z",
        "BillingPeriodStart": "2026-11-01T00:00:00Z",
        "ChargeCategory": "Usage",
        "ChargeDescription": "Usage of Eleven v3",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": "2026-11-21T00:00:00Z",
        "ChargePeriodStart": "2026-11-20T00:00:00Z",
        "ConsumedQuantity": "10.0",
        "ConsumedUnit": "Requests",
        "ContractedCost": "0.3",
        "EffectiveCost": "0.3",
        "InvoiceIssuerName": "ElevenLabs",
        "ListCost": "0.3",
        "PricingCategory": "Standard",
        "PricingCurrency": "Credits",
        "PricingCurrencyEffectiveCost": "1234.5",
        "PricingQuantity": "1234.5",
        "PricingUnit": "Credits",
        "ProviderName": "ElevenLabs",
        "PublisherName": "ElevenLabs",
        "RegionId": "global",
        "RegionName": "Global",
        "ResourceId": "abc",
        "ResourceName": "Support line",
        "ResourceType": "API Key",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "ElevenLabs",
        "ServiceSubcategory": "Generative AI",
        "SkuId": "eleven_v3",
        "SubAccountId": f"elevenlabs/{provider.pk}",
        "SubAccountName": "Production",
        "Tags": '{"company": "Acme"}',
        "x_CompanyId": str(company.pk),
        "x_CompanyName": "Acme",
        "x_Estimated": "false",
        "x_Provisional": "true",
    }


@pytest.mark.parametrize(
    ("day", "charge_end", "billing_start", "billing_end"),
    [
        (date(2026, 12, 31), "2027-01-01", "2026-12-01", "2027-01-01"),
        (date(2024, 2, 29), "2024-03-01", "2024-02-01", "2024-03-01"),
        (date(2026, 2, 1), "2026-02-02", "2026-02-01", "2026-03-01"),
        (date(2026, 1, 31), "2026-02-01", "2026-01-01", "2026-02-01"),
    ],
    ids=str,
)
def test_periods_end_where_the_next_begin(day: date, charge_end: str, billing_start: str, billing_end: str) -> None:
    """The usage day within its calendar month, ends exclusive."""
    make_usage(day=day)

    row = the_row()

    assert row["ChargePeriodStart"] == f"{day}T00:00:00Z"
    assert row["ChargePeriodEnd"] == f"{charge_end}T00:00:00Z"
    assert row["BillingPeriodStart"] == f"{billing_start}T00:00:00Z"
    assert row["BillingPeriodEnd"] == f"{billing_end}T00:00:00Z"


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ("0.0000000001", "0.0000000001"),
        ("999999.9999999999", "999999.9999999999"),
        ("100", "100.0"),
        ("0.30", "0.3"),
        ("0", "0.0"),
    ],
)
def test_cost_is_exact_and_has_a_point(cost: str, expected: str) -> None:
    """No exponent, no rounding, and never an integer for readers that guess types."""
    make_usage(cost=Decimal(cost))

    row = the_row()

    assert {row[name] for name in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")} == {expected}


def test_charge_by_cost_is_one_charge() -> None:
    """Where no measure is reported the row counts itself, priced in the money that it is billed in."""
    make_usage(credits=None, minutes=None, requests=None, cost=Decimal("2.5"), currency="eur")

    row = the_row()

    assert (row["PricingQuantity"], row["PricingUnit"]) == ("1.0", "Charges")
    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == ("1.0", "Charges")
    assert (row["PricingCurrency"], row["PricingCurrencyEffectiveCost"]) == ("EUR", "2.5")


@pytest.mark.parametrize(
    ("requests", "minutes", "expected"),
    [
        (7, Decimal("1.5"), ("7.0", "Requests")),
        (0, Decimal("1.5"), ("0.0", "Requests")),
        (None, Decimal("1.5"), ("1.5", "Minutes")),
        (None, None, ("1000.0", "Credits")),
    ],
)
def test_consumption_is_what_is_known(requests: int | None, minutes: Decimal | None, expected: tuple[str, str]) -> None:
    """Requests, else minutes, else credits."""
    make_usage(requests=requests, minutes=minutes)

    row = the_row()

    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == expected


def test_no_price_is_made_up() -> None:
    """Nobody told one: unit prices, SKU prices and invoices are null."""
    make_usage()

    row = the_row()

    assert {row[name] for name in ("ListUnitPrice", "ContractedUnitPrice", "SkuPriceId", "InvoiceId")} == {""}


def test_rows_without_a_price_are_left_out_and_counted() -> None:
    """No charge is known; a free one is known to be 0, and nothing but zeros is no row at all."""
    make_usage(model="priced")
    make_usage(model="free", cost=0)
    make_usage(model="unpriced", cost=None)
    make_usage(model="unused", credits=0, minutes=0, requests=0, cost=0)
    make_usage(model="unused, unpriced", credits=0, minutes=0, requests=0, cost=None)

    assert {row["SkuId"] for row in exported()} == {"priced", "free"}
    assert count_unpriced(AttributedUsage.objects.all()) == 1


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (0, ""),
        (1, "1 row without a price was left out."),
        (1204, "1,204 rows without a price were left out."),
    ],
)
def test_what_was_left_out_is_said(number: int, sentence: str) -> None:
    """In words, or not at all."""
    assert left_out(number) == sentence


def test_split_row_is_one_row_per_company() -> None:
    """Their parts add up to what was charged, exactly."""
    project = make_project()
    make_split(project=project, shares={make_company(name="A"): "33.33", make_company(name="B"): "66.67"})
    make_usage(project=project, credits=1000, cost=Decimal("0.0000000010"))

    rows = exported()

    assert [row["x_CompanyName"] for row in rows] == ["A", "B"]
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal("0.0000000010")
    assert sum(Decimal(row["PricingQuantity"]) for row in rows) == 1000
    assert sum(Decimal(row["ConsumedQuantity"]) for row in rows) == 10


def test_unassigned_usage_has_no_payer() -> None:
    """Null, not a word for nobody."""
    make_usage()

    row = the_row()

    assert (row["Tags"], row["x_CompanyId"], row["x_CompanyName"]) == ("", "", "")


def test_tag_holds_the_name_as_it_is() -> None:
    """Within JSON, whatever its characters."""
    name = '=Müller & "Söhne"\n'
    project = make_project()
    make_assignment(project=project, company=make_company(name=name))
    make_usage(project=project)

    row = the_row()

    assert json.loads(row["Tags"]) == {"company": name}
    assert "Müller" in row["Tags"]


@pytest.mark.parametrize(
    ("settled_for", "expected"),
    [(None, "true"), (timedelta(seconds=-1), "true"), (timedelta(0), "false"), (timedelta(days=30), "false")],
    ids=str,
)
def test_day_is_provisional_until_it_was_read_settled(settled_for: timedelta | None, expected: str) -> None:
    """Seven days after its end; a day that was never read stays provisional."""
    provider, day = make_provider(), date(2026, 11, 1)
    make_usage(project=make_project(provider=provider), day=day)
    if settled_for is not None:
        read_at = datetime(2026, 11, 9, tzinfo=UTC) + settled_for
        make_read_days(provider=provider, first=day, last=day, read_at=read_at)
    make_read_days(provider=make_provider(), first=day, last=day, read_at=datetime(2027, 1, 1, tzinfo=UTC))

    assert the_row()["x_Provisional"] == expected


def test_estimate_is_marked() -> None:
    """In its column, and in the words that people read."""
    make_usage(model="m", estimated=True)

    row = the_row()

    assert (row["x_Estimated"], row["ChargeDescription"]) == ("true", "Usage of m, cost estimated")


def test_missing_model_is_null() -> None:
    """No SKU is known; the description still says what it is."""
    make_usage(model="")

    row = the_row()

    assert (row["SkuId"], row["ChargeDescription"]) == ("", "Usage without a model")


@pytest.mark.parametrize("kind", [Project.Kind.KEYLESS, Project.Kind.ACCOUNT])
def test_usage_without_a_key_has_no_resource(kind: Project.Kind) -> None:
    """What stands for it in the database is no id of anything."""
    make_usage(project=make_project(kind=kind, external_id=f"({kind})", name=""))

    row = the_row()

    assert (row["ResourceId"], row["ResourceName"], row["ResourceType"]) == ("", "", "")


@pytest.mark.parametrize(
    ("label", "name", "expected"), [("ours", "theirs", "ours"), ("", "theirs", "theirs"), ("", "", "")]
)
def test_resource_is_called_what_people_call_it(label: str, name: str, expected: str) -> None:
    """A key that nobody named has no name."""
    make_usage(project=make_project(label=label, name=name))

    row = the_row()

    assert (row["ResourceName"], row["ResourceType"]) == (expected, "API Key")


def test_residency_is_the_region() -> None:
    """By its slug and its words."""
    make_usage(project=make_project(provider=make_provider(region="eu")))

    row = the_row()

    assert (row["RegionId"], row["RegionName"]) == ("eu", "EU residency")


def test_names_that_nobody_knows_any_more_stand_as_they_are() -> None:
    """A provider type that is no longer installed, a region that is no longer offered."""
    make_usage(project=make_project(provider=make_provider(type="parrot", region="atlantis")))

    row = the_row()

    assert (row["ProviderName"], row["RegionName"]) == ("parrot", "atlantis")


def test_text_is_inert_in_spreadsheets() -> None:
    """Every text that a person or an API gave, in whichever column."""
    provider = make_provider(name="=1+1", model_names={"@model": "+model"})
    project = make_project(provider=provider, external_id="-1", name="@SUM(1)")
    make_assignment(project=project, company=make_company(name="\t=1"))
    make_usage(project=project, model="@model")

    row = the_row()

    assert row["BillingAccountName"] == row["SubAccountName"] == "'=1+1"
    assert (row["ResourceId"], row["ResourceName"], row["SkuId"]) == ("'-1", "'@SUM(1)", "'@model")
    assert (row["x_CompanyName"], row["ChargeDescription"]) == ("'\t=1", "Usage of +model")
    assert not any(value.startswith(tuple("=+-@\t\r\n")) for value in row.values())


def test_currencies_stand_beside_one_another() -> None:
    """Each row in its own, adding up to what is stored."""
    for currency, cost in (("usd", "0.1"), ("eur", "0.2"), ("usd", "0.0000000003")):
        make_usage(cost=Decimal(cost), currency=currency)

    sums: Counter[str] = Counter()
    for row in exported():
        sums[row["BillingCurrency"]] += Decimal(row["BilledCost"])  # type: ignore[assignment]

    assert sums == {"USD": Decimal("0.1000000003"), "EUR": Decimal("0.2")}


def test_rows_come_in_one_order_on_every_database() -> None:
    """By day, provider, key, model and company."""
    second, first = make_provider(name="B"), make_provider(name="A")
    companies = {make_company(name="Z"): 50, make_company(name="Y"): 50}
    for provider in (second, first):
        for key in ("2", "1"):
            project = make_project(provider=provider, external_id=key)
            make_split(project=project, shares=companies)
            for day in (TODAY, TODAY - timedelta(days=1)):
                for model in ("b", "B", "a"):
                    make_usage(project=project, day=day, model=model)

    rows = exported()

    names = ("ChargePeriodStart", "SubAccountName", "ResourceId", "SkuId", "x_CompanyName")
    order = [tuple(row[name] for name in names) for row in rows]
    assert order == sorted(order)
    assert len(order) == 48


def test_company_provider_and_range_are_the_callers_choice() -> None:
    """Whatever usage is given is what is written."""
    acme = make_company(name="Acme")
    for name in ("One", "Two"):
        project = make_project(provider=make_provider(name=name))
        make_split(project=project, shares={acme: 50, make_company(name=f"Other of {name}"): 50})
        for day in (date(2026, 11, 1), date(2026, 11, 2)):
            make_usage(project=project, day=day)
    usage = AttributedUsage.objects.filter(company=acme, project__provider__name="Two")

    rows = exported(usage.between(date(2026, 11, 2), date(2026, 11, 30)))

    found = [(row["x_CompanyName"], row["SubAccountName"], row["ChargePeriodStart"][:10]) for row in rows]
    assert found == [("Acme", "Two", "2026-11-02")]


def test_long_export_comes_in_chunks_and_few_queries() -> None:
    """Neither queries nor the size of a chunk grow with the rows."""
    projects = [make_project(provider=make_provider()) for _number in range(5)]
    DailyUsage.objects.bulk_create(
        DailyUsage(
            project=project,
            day=date(2026, 1, 1) + timedelta(days=number // 100),
            model=f"model {number % 100}",
            credits=Decimal(1),
            cost=Decimal(1),
            currency="usd",
            updated_at=NOW,
        )
        for project in projects
        for number in range(1000)
    )
    make_usage(project=make_keyless(provider=projects[0].provider), cost=None)

    with CaptureQueriesContext(connection) as queries:
        chunks = list(focus_csv(AttributedUsage.objects.all()))

    sizes = [chunk.count("\n") for chunk in chunks]
    assert sum(sizes) == 5001
    assert max(sizes) == 1000
    assert len(queries) <= 4  # rows, keys, workspaces, and which days of the month are settled
