"""The list of companies: what each of them spent, how that changes, and what the month will come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.cells import number
from core.querystate import Sorting, choices, read_sorting
from core.sorting import natural
from core.table_csv import csv_url
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.pages.company_columns import AddedColumns, company_columns
from costs.pages.figures import Figures
from costs.pages.usage_tables import SPEND_COLUMNS
from costs.pages.views.downloads import table_download
from costs.pages.views.scope import page_context, read_asked
from costs.reports.companies import CompaniesReport, CompanyLine, companies_report
from providers.models import Provider


def _ratio(line: CompanyLine) -> Decimal:
    """For sorting: the change of everything, whatever its currencies; what is new comes before what grew."""
    now, before = line.change.now.sort_amount, line.change.before.sort_amount
    if not before:
        return Decimal(10**9) if now else Decimal(0)
    return (now - before) / before


COMPANY_SORTS: Mapping[str, Callable[[CompanyLine], Any]] = {
    "name": lambda line: natural(line.label),
    "spend": lambda line: line.totals.sort_amount,
    "change": _ratio,
    "credits": lambda line: line.totals.credits or Decimal(0),
    "keys": lambda line: line.keys,
    "agents": lambda line: line.agents,
}


@require_safe
def company_list(request: HttpRequest) -> HttpResponseBase:
    providers = list(Provider.objects.all())
    asked = read_asked(request, providers=providers, now=timezone.now())
    shown, show_choices = choices(request, "show", {"current": "Current", "all": "With archived"})
    report = companies_report(
        providers, days=asked.range, today=asked.today, provider=asked.provider, with_archived=shown == "all"
    )
    sorting = read_sorting(request, COMPANY_SORTS, default="-spend")
    figures = Figures(report.scope, report.currency, asked.words)
    table = _table(report, figures, sorting, asked.query, csv_url(request, "companies"))
    if download := table_download(request, {"companies": table}, asked):
        return download
    context = page_context(request, asked, report.scope, providers=providers) | {
        "compared_days": report.scope.comparison.days if report.scope.comparison.is_possible else "",
        "has_companies": len(report.lines) > 1,
        "show_choices": show_choices,
        "table": table,
    }
    return render(request, "companies/list.html", context, status=asked.chosen.status)


def _table(report: CompaniesReport, figures: Figures, sorting: Sorting, query: str, url: str) -> Table:
    """What is unassigned comes last, whatever the sorting."""
    *companies, unassigned = report.lines
    companies.sort(key=lambda line: natural(line.label))
    companies.sort(key=COMPANY_SORTS[sorting.column], reverse=sorting.is_descending)
    added = company_columns()
    return Table(
        "Companies",
        (
            Column("Company", is_number=False, sort="name"),
            *SPEND_COLUMNS,
            Column("Change", sort="change", unit="%"),
            Column("Share", unit="%"),
            Column(f"Forecast {report.scope.today:%b}"),
            *(column for column, _cells in added),
            Column("Credits", sort="credits", figure="credits"),
            Column("API keys today", sort="keys"),
            *([Column("Agents today", sort="agents")] if report.agents else []),
        ),
        tuple(_row(line, report, figures, query, added) for line in (*companies, unassigned)),
        Row(
            (
                "Total",
                *figures.spend(report.total, is_total=True),
                figures.change(report.change),
                "",
                "",
                *("" for _column in added),
                figures.amount(report.total, "credits", is_total=True),
                f"{report.keys:,}",
                *([f"{report.agents:,}"] if report.agents else []),
            ),
        ),
        sorting,
        csv_url=url,
    ).with_figures(figures.words.metrics)


def _row(line: CompanyLine, report: CompaniesReport, figures: Figures, query: str, added: AddedColumns) -> Row:
    return Row(
        (
            formatters.company(line.company, line.label, query),
            *figures.spend(line.totals),
            figures.change(line.change),
            figures.share(line.totals, report.total),
            figures.forecast(line.expected) if line.expected else "",
            *(cells.get(line.company.pk, "") if line.company else "" for _column, cells in added),
            figures.amount(line.totals, "credits"),
            number(line.keys),
            *([number(line.agents)] if report.agents else []),
        ),
        is_muted=line.company is None,
    )
