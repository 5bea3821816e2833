"""The list of companies: what each of them spent, how that changes, and what the month will come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.cells import Cell, number
from core.querystate import choices, natural, read_sorting
from core.table_csv import csv_url
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.pages.views.downloads import table_download
from costs.pages.views.forecasts import forecasts_by_company
from costs.pages.views.notices import simulated_only, stale_notices, unread_notice
from costs.pages.views.scope import Scope, read_scope
from costs.reports import breakdowns
from costs.reports.comparison import Change, changes_by, total_change
from costs.reports.totals import Totals, all_usage, main_currency
from providers.keys import count_keys
from providers.models import Provider


@dataclass(frozen=True)
class CompanyRow:
    line: breakdowns.Line  # of a company, or of what is unassigned
    change: Change | None
    forecast: Cell | None
    keys: int


def _ratio(row: CompanyRow) -> Decimal:
    """For sorting: the change of everything, whatever its currencies; what is new comes before what grew."""
    if row.change is None or not row.change.before.sort_amount:
        return Decimal(10**9) if row.change and row.change.now.sort_amount else Decimal(0)
    return (row.change.now.sort_amount - row.change.before.sort_amount) / row.change.before.sort_amount


COMPANY_SORTS: Mapping[str, Callable[[CompanyRow], Any]] = {
    "name": lambda row: natural(row.line.label),
    "spend": lambda row: row.line.totals.sort_amount,
    "change": _ratio,
    "credits": lambda row: row.line.totals.credits or Decimal(0),
    "keys": lambda row: row.keys,
}


@require_safe
def company_list(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    providers = list(Provider.objects.all())
    scope = read_scope(request, providers=providers, usage=all_usage(), now=now)
    shown, show_choices = choices(request, "show", {"current": "Current", "all": "With archived"})
    by_company = breakdowns.company_breakdown(scope.usage, with_archived=shown == "all")
    changes = changes_by(scope.every_day, scope.comparison, "company_id")
    keys = count_keys(scope.today, provider=scope.provider)
    currency = main_currency(by_company.total, scope.providers)
    forecasts = forecasts_by_company(scope, currency)
    sorting = read_sorting(request, COMPANY_SORTS, default="-spend")

    rows = [
        CompanyRow(line, changes.get((pk,)), forecasts.get(pk), keys.by_company.get(pk, 0))
        for line in by_company.lines
        for pk in [line.subject and line.subject.pk]
    ]
    named, unassigned = rows[:-1], rows[-1]
    named.sort(key=lambda row: natural(row.line.label))
    named.sort(key=COMPANY_SORTS[sorting.column], reverse=sorting.is_descending)
    table = Table(
        "Companies",
        (
            Column("Company", is_number=False, sort="name"),
            Column("Spend", sort="spend"),
            Column("Change", sort="change", unit="%"),
            Column("Share", unit="%"),
            Column(f"Forecast {scope.today:%b}"),
            Column("Credits", sort="credits", figure="credits"),
            Column("API keys today", sort="keys"),
        ),
        tuple(_row(row, by_company.total, currency, scope) for row in (*named, unassigned)),
        Row(
            (
                "Total",
                formatters.money(by_company.total, currency, reading=scope.coverage.reading, words=scope.words),
                formatters.change(total_change(changes), currency, scope.comparison, words=scope.words),
                "",
                "",
                formatters.amount(by_company.total, "credits", reading=scope.coverage.reading, words=scope.words),
                f"{keys.total:,}",
            ),
        ),
        sorting,
        csv_url=csv_url(request, "companies"),
    ).with_figures(scope.words.metrics)
    if download := table_download(request, {"companies": table}, scope):
        return download
    context = {
        "scope": scope,
        "chosen": scope.chosen,
        "compared_days": scope.comparison.days if scope.comparison.is_possible else "",
        "unread": unread_notice(scope.providers, scope.coverages, user=request.user, today=scope.today),
        "stale": stale_notices(providers, now, request.user),
        "simulated": simulated_only(scope.providers),
        "has_companies": bool(named),
        "show_choices": show_choices,
        "table": table,
    }
    return render(request, "companies/list.html", context, status=scope.chosen.status)


def _row(row: CompanyRow, whole: Totals, currency: str, scope: Scope) -> Row:
    totals = row.line.totals
    return Row(
        (
            formatters.company(row.line.subject, row.line.label, scope.query),
            formatters.money(totals, currency, reading=scope.coverage.row_reading, words=scope.words),
            formatters.change(row.change, currency, scope.comparison, words=scope.words),
            formatters.share(totals, whole, currency, words=scope.words),
            row.forecast or "",
            formatters.amount(totals, "credits", reading=scope.coverage.row_reading, words=scope.words),
            number(row.keys),
        ),
        is_muted=row.line.subject is None,
    )
