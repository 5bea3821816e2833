"""The rules of FOCUS 1.2 that its public validators check, in our words: what is wrong with a dataset, as sentences.

Only what this product can meet: rows of usage. https://focus.finops.org/focus-specification/v1-2/
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

Row = dict[str, str]

TEXT_NEVER_NULL = (
    "BillingAccountId",
    "BillingAccountName",
    "ChargeDescription",
    "InvoiceIssuerName",
    "PricingCurrency",
    "ProviderName",
    "PublisherName",
    "ServiceName",
)
TEXT_OR_NULL = (
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountType",
    "InvoiceId",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
)
COSTS = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")
DECIMAL_NEVER_NULL = (*COSTS, "ConsumedQuantity", "PricingCurrencyEffectiveCost", "PricingQuantity")
UNIT_PRICES = {"ContractedUnitPrice": "ContractedCost", "ListUnitPrice": "ListCost"}
MOMENTS = ("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart")
UNITS = ("ConsumedUnit", "PricingUnit")
# The empty text among them: may be null.
ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"", "Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "CommitmentDiscountCategory": {"", "Spend", "Usage"},
    "CommitmentDiscountStatus": {"", "Used", "Unused"},
    "PricingCategory": {"Standard", "Dynamic", "Committed", "Other"},
    "ServiceCategory": {"AI and Machine Learning", "Media", "Other"},
    "ServiceSubcategory": {"Generative AI", "Bots", "Other (AI and Machine Learning)"},
    "BillingCurrency": {"USD", "EUR", "INR", "PLN", "GBP"},
    "x_Estimated": {"true", "false"},
    "x_Provisional": {"true", "false"},
    "x_Allocation": {"", "Allocated by conversations"},
}
OWN = ("x_CompanyId", "x_CompanyName", "x_Estimated", "x_Provisional", "x_Allocation")
COLUMNS = frozenset(
    {
        *TEXT_NEVER_NULL,
        *TEXT_OR_NULL,
        *DECIMAL_NEVER_NULL,
        *UNIT_PRICES,
        *MOMENTS,
        *UNITS,
        *ALLOWED,
        *OWN,
        "Tags",
    }
)
# What stands and falls with another column.
TOGETHER = (
    ("ConsumedUnit", "ConsumedQuantity"),
    ("PricingUnit", "PricingQuantity"),
    ("RegionName", "RegionId"),
    ("ResourceType", "ResourceId"),
    ("SubAccountName", "SubAccountId"),
)
ONLY_WITH = (
    ("ResourceName", "ResourceId"),
    ("SkuPriceId", "SkuId"),
    ("CommitmentDiscountCategory", "CommitmentDiscountId"),
    ("CommitmentDiscountName", "CommitmentDiscountId"),
    ("CommitmentDiscountStatus", "CommitmentDiscountId"),
    ("CommitmentDiscountType", "CommitmentDiscountId"),
)

_NUMBER = re.compile(r"-?\d+\.\d+", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_UNIT = re.compile(r"[A-Z][A-Za-z]*s", re.ASCII)


def violations(text: str) -> list[str]:
    """Everything that is wrong with the dataset in the CSV ``text``; empty: nothing."""
    header, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    found = list(_header(header))
    if not found:
        for number, line in enumerate(lines, start=1):
            row = dict(zip(header, line, strict=True))
            found += [f"row {number}: {problem}" for rule in ROW_RULES for problem in rule(row)]
    return found


def _header(header: list[str]) -> Iterator[str]:
    for name in sorted(COLUMNS - set(header)):
        yield f"{name} is missing"
    for name in header:
        if header.count(name) > 1:
            yield f"{name} stands twice"
        if not re.fullmatch(r"(x_)?[A-Z][a-z]+([A-Z][a-z]+)*", name) or len(name) > 50:
            yield f"{name} is no column's name"
    own = [name for name in header if name.startswith("x_")]
    if header[len(header) - len(own) :] != own:
        yield "own columns must be last"


def _nulls(row: Row) -> Iterator[str]:
    for name in (*TEXT_NEVER_NULL, *DECIMAL_NEVER_NULL, *MOMENTS):
        if not row[name].strip():
            yield f"{name} must not be null"
    for name in row:
        if row[name] and not row[name].strip():
            yield f"{name} is nothing but space"


def _decimals(row: Row) -> Iterator[str]:
    for name in (*DECIMAL_NEVER_NULL, *UNIT_PRICES):
        if row[name] and not _NUMBER.fullmatch(row[name]):
            yield f"{name} is no plain decimal"


def _moments(row: Row) -> Iterator[str]:
    for name in MOMENTS:
        if not _MOMENT.fullmatch(row[name]):
            yield f"{name} is no moment in UTC"
            return
    at = {name: datetime.fromisoformat(row[name]) for name in MOMENTS}
    if not at["ChargePeriodStart"] < at["ChargePeriodEnd"]:
        yield "ChargePeriodEnd is exclusive and comes after its start"
    if not at["BillingPeriodStart"] < at["BillingPeriodEnd"]:
        yield "BillingPeriodEnd is exclusive and comes after its start"
    if at["ChargePeriodStart"] < at["BillingPeriodStart"] or at["BillingPeriodEnd"] < at["ChargePeriodEnd"]:
        yield "the charge period must lie in its billing period"


def _values(row: Row) -> Iterator[str]:
    for name, allowed in ALLOWED.items():
        if row[name] not in allowed:
            yield f"{name} has a value that is not allowed"
    for name in UNITS:
        if row[name] and not _UNIT.fullmatch(row[name]):
            yield f"{name} is no unit: a capital, plural"
    if row["PricingCurrency"] not in {row["BillingCurrency"], "Credits"}:
        yield "PricingCurrency is neither the billing currency nor a virtual one"
    if row["x_CompanyId"] and not row["x_CompanyId"].isdecimal():
        yield "x_CompanyId is no id"
    if bool(row["x_CompanyId"]) != bool(row["x_CompanyName"]):
        yield "x_CompanyId and x_CompanyName stand together"


def _dependents(row: Row) -> Iterator[str]:
    for name, other in TOGETHER:
        if bool(row[name]) != bool(row[other]):
            yield f"{name} must be null where {other} is, and nowhere else"
    for name, other in ONLY_WITH:
        if row[name] and not row[other]:
            yield f"{name} must be null where {other} is"
    if row["ResourceName"] and row["ResourceName"] == row["ResourceId"]:
        yield "ResourceName repeats ResourceId"


def _costs(row: Row) -> Iterator[str]:
    if any(row[name] and not _NUMBER.fullmatch(row[name]) for name in (*DECIMAL_NEVER_NULL, *UNIT_PRICES)):
        return
    for price, cost in UNIT_PRICES.items():
        if not row[price] and row[cost] != row["BilledCost"]:
            yield f"{cost} must match BilledCost where {price} is null"
        if row[price] and row["PricingQuantity"]:
            if Decimal(row[price]) < 0:
                yield f"{price} is negative"
            if Decimal(row[price]) * Decimal(row["PricingQuantity"]) != Decimal(row[cost]):
                yield f"{price} times PricingQuantity must be {cost}"
    if row["ProviderName"] != row["InvoiceIssuerName"] and Decimal(row["BilledCost"]):
        yield "BilledCost must be 0 where somebody else is paid"


def _tags(row: Row) -> Iterator[str]:
    if not row["Tags"]:
        return
    repeated: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _value in pairs]
        repeated.extend(key for key in keys if keys.count(key) > 1)
        return dict(pairs)

    try:
        tags = json.loads(row["Tags"], object_pairs_hook=unique)
    except ValueError:
        tags = None
    if not isinstance(tags, dict) or repeated or any(isinstance(value, dict | list) for value in tags.values()):
        yield "Tags is no JSON object of plain values with unique keys"


def _combinations(row: Row) -> Iterator[str]:
    if row["ChargeCategory"] == "Purchase" and row["ChargeFrequency"] == "Usage-Based":
        yield "a purchase is not usage-based"
    if (
        row["ServiceSubcategory"] in ALLOWED["ServiceSubcategory"]
        and row["ServiceCategory"] != "AI and Machine Learning"
    ):
        yield "ServiceSubcategory belongs to another ServiceCategory"


ROW_RULES: tuple[Callable[[Row], Iterator[str]], ...] = (
    _nulls,
    _decimals,
    _moments,
    _values,
    _dependents,
    _costs,
    _tags,
    _combinations,
)
