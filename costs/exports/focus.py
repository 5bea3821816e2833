"""Attributed usage as a FOCUS 1.2 Cost and Usage dataset: https://focus.finops.org/focus-specification/v1-2/

One row per attributed part of a usage row, so that the rows of a company are what it pays and all rows are what the
provider charges. docs/focus.md says what each column holds; the reasons are here.

- **What is not known is null.** The API reports what a day cost, not at which price: unit prices, SKU prices, invoices
  and discounts stay empty, or have no column where the specification leaves that open. A row whose cost is unknown is
  no charge yet and is left out, since BilledCost must not be null. A row that was used and cost 0 (a free plan) stays;
  one of nothing but zeros is left out as in every export.
- **The four costs are the same.** The reported cost is what is billed; of a list price, a contract or a prepayment
  nothing is known, and without unit prices ListCost and ContractedCost have to match BilledCost.
- **ChargeClass is null, never "Correction".** The dataset is made anew from the current figures: a restated day is
  simply the day's row, and no invoice is known that a correction could refer to.
- **Periods** are half-open and UTC: the charge period is the usage day, the billing period its calendar month, because
  the API names no invoice periods.
- **Quantities** must not be null for usage. Where a provider charges credits they are the pricing quantity, and the
  pricing currency is the virtual currency "Credits" with the credits as the cost in it. Where it bills by cost no
  measure is reported: the row then counts as what it is, one charge, in a unit of that name.
- **Decimals** always have a point.
- **Text from outside is inert in spreadsheets** in every column, ids included: no id of the API begins like a formula,
  so joins by id are safe, and one that does is not worth the risk. Tags hold names unchanged, within JSON, which begins
  with a brace. Everything else is ours.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from core.csv_files import csv_cell, csv_text, escape_formula, text_chunks, units_text
from costs.exports.rows import Names, Row, rows_by_day
from costs.models import AttributedUsageQuerySet, DailyUsage, ReadDay
from providers import registry
from providers.models import Project, Provider

CREDITS = "Credits"
# A charge of which no measure is known.
CHARGES = "Charges"

NULL = ""

# How a part of what was reported for several together was found.
ALLOCATION = "Allocated by conversations"

# Mandatory columns, the recommended and conditional ones that apply here, and – empty – those that every dataset of
# FOCUS 1.0 had; then our own, which the specification wants last.
COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyEffectiveCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_CompanyId",
    "x_CompanyName",
    "x_Estimated",
    "x_Provisional",
    "x_Allocation",
)

_COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
_RESOURCE = ("ResourceId", "ResourceName", "ResourceType")
_PAYER = ("Tags", "x_CompanyId", "x_CompanyName")
_OF_DAY = ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd", "x_Provisional")
# Neighbours that are filled in together have one place.
_IN_TEMPLATE = itemgetter(*(name for name in COLUMNS if name not in {*_RESOURCE[1:], *_PAYER[1:]}))
_ALWAYS = {
    "ChargeCategory": "Usage",
    "ChargeClass": NULL,
    "ChargeFrequency": "Usage-Based",
    "CommitmentDiscountCategory": NULL,
    "CommitmentDiscountId": NULL,
    "CommitmentDiscountName": NULL,
    "CommitmentDiscountStatus": NULL,
    "CommitmentDiscountType": NULL,
    "ContractedUnitPrice": NULL,
    "InvoiceId": NULL,
    "ListUnitPrice": NULL,
    "PricingCategory": "Standard",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceSubcategory": "Generative AI",
    "SkuPriceId": NULL,
}


def focus_csv(usage: AttributedUsageQuerySet) -> Iterator[str]:
    """The rows of ``usage`` that have a cost, under COLUMNS, in chunks of about a thousand lines.

    Ordered by day, provider, key, model and company. Null is an empty cell. Rows of different currencies stand beside
    one another, each in its own. Memory does not grow with the number of days.
    """
    workspaces: dict[int, Workspace] = {}

    def described(project: Project, provider: Provider) -> _Key:
        workspace = workspaces.get(provider.pk) or workspaces.setdefault(provider.pk, Workspace(provider))
        return _Key(workspace, (provider.name, project.external_id), _line_of(_resource(project)))

    names = Names(described)
    yield csv_text([COLUMNS])
    months = groupby(rows_by_day(usage.used().filter(cost__isnull=False)), key=lambda rows: rows[0][0].replace(day=1))
    yield from text_chunks(
        line
        for month, days in months
        for settled in (_settled(month),)
        for of_day in days
        for line in _lines(of_day, names, settled)
    )


def count_unpriced(usage: AttributedUsageQuerySet) -> int:
    """How many rows of ``usage`` focus_csv leaves out because their cost is unknown."""
    return usage.used().filter(cost=None).count()


class Workspace:
    """What all rows of one provider have in common."""

    def __init__(self, provider: Provider) -> None:
        seller, region = _names(provider.type, provider.region)
        # Never only digits: readers of CSV would take it for a number, and it is an id.
        account_id = f"{provider.type}/{provider.pk}"
        self.pk = provider.pk
        self.model_names: Mapping[str, str] = provider.model_names
        self._forms: dict[_Kind, str] = {}
        self.cells = {
            "BillingAccountId": account_id,
            "BillingAccountName": escape_formula(provider.name),
            "SubAccountId": account_id,
            "SubAccountName": escape_formula(provider.name),
            "ProviderName": seller,
            "PublisherName": seller,
            "InvoiceIssuerName": seller,
            "ServiceName": seller,
            "RegionId": provider.region,
            "RegionName": region,
        }

    def form(self, kind: _Kind) -> str:
        """The line of such rows, with places for day, key, payer and figures: most of its 50 cells are the same again.

        The day's are filled in first, which leaves the others.
        """
        return self._forms.get(kind) or self._forms.setdefault(kind, self._made_form(kind))

    def _made_form(self, kind: _Kind) -> str:
        cells = {
            **_ALWAYS,
            **self.cells,
            **{name: _OfDay(name) for name in _OF_DAY},
            **self.sku(kind.model, estimated=kind.estimated),
            **dict.fromkeys(_COSTS, _Place("cost")),
            "BillingCurrency": kind.currency.upper(),
            **_quantities(kind),
            _RESOURCE[0]: _Place("resource"),
            _PAYER[0]: _Place("payer"),
            "x_Estimated": _boolean(value=kind.estimated),
            "x_Allocation": ALLOCATION if kind.allocated else NULL,
        }
        return ",".join(map(_in_form, _IN_TEMPLATE(cells))) + "\n"

    def sku(self, model: str, *, estimated: bool) -> dict[str, str]:
        """The model is what is bought; the description says so in words that stand alone."""
        description = f"Usage of {self.model_names.get(model, model)}" if model else "Usage without a model"
        return {
            "SkuId": escape_formula(model),
            "ChargeDescription": f"{description}, cost estimated" if estimated else description,
        }


@dataclass(frozen=True)
class _Key:
    workspace: Workspace
    order: tuple[str, str]
    cells: str  # those of _RESOURCE, as they stand in a line


def _settled(month: date) -> frozenset[tuple[int, date]]:
    """The days from the first of a month to its last that no longer change, by provider."""
    readings = ReadDay.objects.between(month, _next_month(month) - timedelta(days=1))
    return frozenset((reading.provider_id, reading.day) for reading in readings if reading.is_settled)


def _lines(rows: list[Row], names: Names[_Key], settled: Collection[tuple[int, date]]) -> Iterator[str]:
    """The lines of one day, in order."""
    day = rows[0][0]
    of: Workspace | None = None
    for key, found in names.in_order(rows):
        if key.workspace is not of:
            of = key.workspace
            of_day = {**_periods(day), "x_Provisional": _boolean(value=(of.pk, day) not in settled)}
            templates: dict[tuple[str | bool, ...], str] = {}
        for model, company, row in found:
            _day, _project, company_id, _model, credits_, minutes, requests, cost, currency, estimated, allocated = row
            has = credits_ is not None, minutes is not None, requests is not None
            kind = (model, currency, estimated, allocated, *has)
            template = templates.get(kind) or templates.setdefault(kind, of.form(_Kind(*kind)) % of_day)
            yield template % {
                "cost": _cost(cost),
                "credits": _credits(credits_),
                "consumed": _minutes(minutes) if requests is None else f"{requests}.0",
                "resource": key.cells,
                "payer": _payer(company_id, company),
            }


class _Kind(NamedTuple):
    """What rows of one workspace have in common whose lines differ in day, key, payer and figures alone."""

    model: str
    currency: str
    estimated: bool
    allocated: bool
    has_credits: bool
    has_minutes: bool
    has_requests: bool


class _Place(str):
    """Where in a line a cell is filled in, row by row: its name."""

    __slots__ = ()


class _OfDay(_Place):
    """One that is the same for all rows of a workspace and day."""

    __slots__ = ()


def _in_form(text: str) -> str:
    """A cell of a form, or the place for it."""
    if isinstance(text, _Place):
        return f"%({text})s" if isinstance(text, _OfDay) else f"%%({text})s"
    return csv_cell(text).replace("%", "%%%%")


def _line_of(cells: Iterable[str]) -> str:
    return ",".join(map(csv_cell, cells))


def _names(type_slug: str, region_slug: str) -> tuple[str, str]:
    """Who sells, and what the region is called; the slugs themselves where this installation knows no names."""
    try:
        provider_type = registry.get(type_slug)
    except KeyError:
        return type_slug, region_slug
    regions = {region.slug: region.label for region in provider_type.regions()}
    return provider_type.label, regions.get(region_slug, region_slug)


def _periods(day: date) -> dict[str, str]:
    month = day.replace(day=1)
    return {
        "ChargePeriodStart": _midnight(day),
        "ChargePeriodEnd": _midnight(day + timedelta(days=1)),
        "BillingPeriodStart": _midnight(month),
        "BillingPeriodEnd": _midnight(_next_month(month)),
    }


def _next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _midnight(day: date) -> str:
    return f"{datetime.combine(day, time(), tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"


_RESOURCE_TYPES: Mapping[str, str] = {Project.Kind.KEY: "API Key", Project.Kind.AGENT: "Agent"}


def _resource(project: Project) -> tuple[str, ...]:
    """The API key or agent; people, usage without a key, and the totals of an account belong to no resource."""
    if (kind := _RESOURCE_TYPES.get(project.kind)) is None:
        return (NULL,) * len(_RESOURCE)
    # The specification requires null where it has no name.
    name = project.label or project.name
    return escape_formula(project.external_id), escape_formula(name), kind


# Readers of CSV guess a column's type from its first rows, and one that took them for integers stumbles over the first
# fraction: there is a point in each.
_credits = units_text(DailyUsage.CREDITS_SCALE, point=True)
_minutes = units_text(DailyUsage.MINUTES_SCALE, point=True)
_cost = units_text(DailyUsage.COST_SCALE, point=True)


def _quantities(kind: _Kind) -> dict[str, str]:
    """What was paid for, and what was consumed: requests, which every use has, else minutes, else what was paid for.

    So the unit of a model's consumption changes only where the API reports less.
    """
    pricing = (_Place("credits"), CREDITS) if kind.has_credits else ("1.0", CHARGES)
    consumed = pricing
    if kind.has_requests:
        consumed = (_Place("consumed"), "Requests")
    elif kind.has_minutes:
        consumed = (_Place("consumed"), "Minutes")
    return {
        "PricingQuantity": pricing[0],
        "PricingUnit": pricing[1],
        "PricingCurrency": CREDITS if kind.has_credits else kind.currency.upper(),
        "PricingCurrencyEffectiveCost": _Place("credits" if kind.has_credits else "cost"),
        "ConsumedQuantity": consumed[0],
        "ConsumedUnit": consumed[1],
    }


@lru_cache(maxsize=4096)
def _payer(company_id: int | None, name: str) -> str:
    """The company as a tag – who uses tags needs no custom column – and in columns of its own; null is unassigned."""
    if company_id is None:
        return _line_of([NULL] * len(_PAYER))
    tags = json.dumps({"company": name}, ensure_ascii=False)
    return _line_of([tags, str(company_id), escape_formula(name)])


def _boolean(*, value: bool) -> str:
    return "true" if value else "false"
