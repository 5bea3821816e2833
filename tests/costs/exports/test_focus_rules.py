"""The FOCUS export keeps the rules that the public validators check, whatever the usage; and the rules can fail."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
import pytest_django
from django.db import transaction

from costs.exports.focus import COLUMNS, focus_csv
from costs.models import AttributedUsage
from providers.models import Project
from tests.costs.exports import focus_rules
from tests.costs.exports.focus_rules import violations
from tests.factories import (
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_split,
    make_usage,
)

pytestmark = pytest.mark.any_engine


def exported() -> str:
    return "".join(focus_csv(AttributedUsage.objects.all()))


@pytest.fixture(scope="module")
def exported_row(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> dict[str, str]:
    with django_db_blocker.unblock(), transaction.atomic():
        project = make_project()
        make_assignment(project=project, company=make_company())
        make_usage(project=project)
        (row,) = csv.DictReader(io.StringIO(exported()))
        transaction.set_rollback(True)
    return row


@pytest.fixture
def row(exported_row: dict[str, str]) -> dict[str, str]:
    """A row without a fault."""
    return dict(exported_row)


def written(row: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(row))
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue()


@pytest.fixture
def _every_kind_of_usage() -> None:
    """Two workspaces, one of which moved to cost billing; split, unassigned, estimated, unpriced and free usage."""
    one = make_provider(name="Zürich, “main”", model_names={"eleven_v3": "Eleven v3"})
    two = make_provider(name="=Broadcast", region="eu", currency="eur")
    acme, globex = make_company(name="Acme"), make_company(name="+Globex\nInc.")
    split, plain, unassigned = (make_project(provider=one, name=name) for name in ("Café", "-1", ""))
    make_split(project=split, shares={acme: "33.33", globex: "66.67"})
    make_assignment(project=plain, company=globex, starts_on=date(2026, 2, 15))
    make_read_days(provider=one, first=date(2026, 1, 1), last=date(2026, 2, 20))
    keyless = make_keyless(provider=two)
    for day in (date(2024, 2, 29), date(2026, 1, 1), date(2026, 2, 28), date(2026, 12, 31)):
        for project in (split, plain, unassigned):
            make_usage(project=project, day=day, model="eleven_v3", cost=Decimal("0.0000000001"))
        make_usage(project=split, day=day, model="")
        make_usage(project=split, day=day, model="free", cost=0)
        make_usage(project=plain, day=day, model="unpriced", cost=None)
        make_usage(project=plain, day=day, model="estimated", estimated=True, minutes=None, requests=None)
        make_usage(project=keyless, day=day, cost=Decimal("99999.5"), currency="eur")
    three = make_provider(type="unheard-of", region="unheard-of")
    account = make_project(provider=three, external_id=Project.ACCOUNT_ID, kind=Project.Kind.ACCOUNT)
    make_usage(project=account, requests=None)
    make_usage(project=account, model="by cost", credits=None, minutes=None, requests=None, currency="gbp")


@pytest.mark.django_db
@pytest.mark.usefixtures("_every_kind_of_usage")
def test_every_kind_of_usage_keeps_the_rules() -> None:
    """Nothing that the product can store breaks a rule."""
    text = exported()

    assert violations(text) == []
    assert len(text.splitlines()) > 30


@pytest.mark.django_db
def test_dataset_without_rows_keeps_the_rules() -> None:
    """A range without usage is a header."""
    assert violations(exported()) == []


def test_rules_know_every_column() -> None:
    """No column is exported that no rule looks at."""
    assert frozenset(COLUMNS) == focus_rules.COLUMNS


@pytest.mark.parametrize("name", sorted(focus_rules.COLUMNS))
def test_missing_column_is_noticed(name: str, row: dict[str, str]) -> None:
    """Each column is needed."""
    del row[name]

    assert violations(written(row)) == [f"{name} is missing"]


@pytest.mark.parametrize("name", ["x_companyid", "Company", "Company_Name", "x_" + "Company" * 8])
def test_surplus_column_is_noticed_where_its_name_is_wrong(name: str, row: dict[str, str]) -> None:
    """Own columns begin with x_, in Pascal case, and come last."""
    found = violations(written(row | {name: "1"}))

    assert found
    assert all(name in problem or "last" in problem for problem in found)


def test_own_column_among_the_others_is_noticed(row: dict[str, str]) -> None:
    """They are last."""
    moved = {"x_CompanyId": row.pop("x_CompanyId")} | row

    assert violations(written(moved)) == ["own columns must be last"]


@pytest.mark.parametrize(
    "name",
    [
        *focus_rules.TEXT_NEVER_NULL,
        *focus_rules.DECIMAL_NEVER_NULL,
        *focus_rules.MOMENTS,
        *focus_rules.UNITS,
        *(name for name, allowed in focus_rules.ALLOWED.items() if "" not in allowed),
        "RegionName",
        "ResourceType",
        "SubAccountName",
    ],
)
def test_null_is_noticed(name: str, row: dict[str, str]) -> None:
    """Where a row of usage must have a value."""
    found = violations(written(row | {name: ""}))

    assert any(name in problem for problem in found)


@pytest.mark.parametrize("name", [*focus_rules.DECIMAL_NEVER_NULL, *focus_rules.UNIT_PRICES])
@pytest.mark.parametrize("wrong", ["1", "1e3", "$1.0", "1,000.0", "+1.0", "1/2", "n/a", "NaN", ".5", "1."])
def test_number_in_another_format_is_noticed(name: str, wrong: str, row: dict[str, str]) -> None:
    """Digits, one point, digits."""
    assert f"row 1: {name} is no plain decimal" in violations(written(row | {name: wrong}))


@pytest.mark.parametrize("name", focus_rules.MOMENTS)
@pytest.mark.parametrize("wrong", ["2026-11-21", "2026-11-21T00:00:00+00:00", "2026-11-21 00:00:00Z", "21.11.2026"])
def test_moment_in_another_format_is_noticed(name: str, wrong: str, row: dict[str, str]) -> None:
    """ISO 8601 in UTC, with seconds and a Z."""
    assert f"row 1: {name} is no moment in UTC" in violations(written(row | {name: wrong}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ChargePeriodEnd": "2026-11-21T00:00:00Z"}, "ChargePeriodEnd is exclusive"),
        ({"BillingPeriodEnd": "2026-11-01T00:00:00Z"}, "BillingPeriodEnd is exclusive"),
        ({"BillingPeriodEnd": "2026-11-21T00:00:00Z"}, "in its billing period"),
        ({"BillingPeriodStart": "2026-11-22T00:00:00Z"}, "in its billing period"),
        ({"ListCost": "0.31"}, "ListCost must match BilledCost"),
        ({"ContractedCost": "0.31"}, "ContractedCost must match BilledCost"),
        ({"ListUnitPrice": "0.1"}, "ListUnitPrice times PricingQuantity"),
        ({"ContractedUnitPrice": "-0.1"}, "ContractedUnitPrice is negative"),
        ({"InvoiceIssuerName": "A reseller"}, "BilledCost must be 0"),
        ({"BillingCurrency": "usd"}, "BillingCurrency has a value"),
        ({"BillingCurrency": "Credits"}, "BillingCurrency has a value"),
        ({"PricingCurrency": "EUR"}, "PricingCurrency is neither"),
        ({"ChargeClass": "Restatement"}, "ChargeClass has a value"),
        ({"ServiceCategory": "Media"}, "another ServiceCategory"),
        ({"ChargeCategory": "Purchase"}, "not usage-based"),
        ({"PricingUnit": "credits"}, "PricingUnit is no unit"),
        ({"ConsumedUnit": "Request"}, "ConsumedUnit is no unit"),
        ({"ResourceId": ""}, "ResourceName must be null"),
        ({"SubAccountId": ""}, "SubAccountName must be null"),
        ({"RegionId": ""}, "RegionName must be null"),
        ({"ResourceName": "1", "ResourceId": "1"}, "repeats ResourceId"),
        ({"SkuId": "", "SkuPriceId": "1"}, "SkuPriceId must be null"),
        ({"CommitmentDiscountStatus": "Used"}, "CommitmentDiscountStatus must be null"),
        ({"CommitmentDiscountCategory": "Spend"}, "CommitmentDiscountCategory must be null"),
        ({"ServiceName": " "}, "ServiceName must not be null"),
        ({"SkuId": " "}, "SkuId is nothing but space"),
        ({"Tags": "company=Acme"}, "Tags is no JSON"),
        ({"Tags": "[]"}, "Tags is no JSON"),
        ({"Tags": '{"company": ["Acme"]}'}, "Tags is no JSON"),
        ({"Tags": '{"company": "Acme", "company": "Globex"}'}, "Tags is no JSON"),
        ({"x_CompanyName": ""}, "stand together"),
        ({"x_CompanyId": "Acme"}, "x_CompanyId is no id"),
        ({"x_Provisional": "True"}, "x_Provisional has a value"),
    ],
    ids=str,
)
def test_broken_rule_is_noticed(changes: dict[str, str], words: str, row: dict[str, str]) -> None:
    """A row that is right but for one thing."""
    found = violations(written(row | changes))

    assert any(words in problem for problem in found)
