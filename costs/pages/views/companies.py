"""The list of companies: what each of them spent, how that changes, and what the month will come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.cells import Cell, number
from core.money import Money
from core.paging import Page
from core.querystate import Sorting, choices, read_sorting
from core.sorting import natural
from core.table_csv import csv_url, paginate_table
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.pages.company_columns import AddedColumns, company_columns
from costs.pages.figures import Figures
from costs.pages.searching import Search
from costs.pages.sparklines import sparkline
from costs.pages.usage_tables import SPEND_COLUMNS
from costs.pages.views.downloads import table_download
from costs.pages.views.scope import page_context, read_asked
from costs.reports.companies import CompaniesReport, CompanyLine, companies_report
from costs.reports.spending import NO_COST
from providers.models import Provider


def _ratio(line: CompanyLine) -> Decimal:
    """For sorting: the change of everything, whatever its currencies; what is new comes before what grew."""
    now, before = line.change.now.sort_amount, line.change.before.sort_amount
    if not before:
        return Decimal(10**9) if now else Decimal(0)
    return (now - before) / before


LONGEST_SEARCH = 200

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
    named = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:LONGEST_SEARCH]
    shown, show_choices = choices(request, "show", {"current": "Current", "all": "With archived"}, page=None)
    sorting = read_sorting(request, COMPANY_SORTS, default="-spend")
    report = companies_report(
        providers,
        days=asked.range,
        today=asked.today,
        provider=asked.provider,
        with_archived=shown == "all",
        named=named,
        chosen=lambda lines: _paged(request, lines, sorting)[1],
    )
    figures = Figures(report.scope, report.currency, asked.words)
    table = _table(request, report, figures, sorting, asked.query)
    if download := table_download(request, {"companies": table}, asked):
        return download
    context = page_context(request, asked, report.scope, providers=providers) | {
        "compared_days": report.scope.comparison.days if report.scope.comparison.is_possible else "",
        "has_companies": len(report.lines) > 1 or bool(named),
        "search": Search(request, named, found=len(report.lines)),
        "show_choices": show_choices,
        "table": table,
    }
    return render(request, "companies/list.html", context, status=asked.chosen.status)


def _paged(request: HttpRequest, lines: Sequence[CompanyLine], sorting: Sorting) -> tuple[Page, Sequence[CompanyLine]]:
    """A page of the companies in order, and its lines, the last of which is what is unassigned."""
    companies = sorted((line for line in lines if line.company), key=lambda line: natural(line.label))
    companies.sort(key=COMPANY_SORTS[sorting.column], reverse=sorting.is_descending)
    unassigned = [line for line in lines if line.company is None]
    page = paginate_table(request, companies, of="companies", anchor="#companies")
    return page, [*page.items, *unassigned]


def _table(request: HttpRequest, report: CompaniesReport, figures: Figures, sorting: Sorting, query: str) -> Table:
    page, lines = _paged(request, report.lines, sorting)
    added = company_columns()
    return Table(
        "Companies",
        (
            Column("Company", is_number=False, sort="name"),
            *SPEND_COLUMNS,
            Column("Change", sort="change", unit="%"),
            Column("Share", unit="%"),
            Column("Trend", in_file=False, css="trend"),
            Column(f"Forecast {report.scope.today:%b}"),
            *(column for column, _cells in added),
            Column("Credits", sort="credits", figure="credits"),
            Column("API keys today", sort="keys"),
            *([Column("Agents today", sort="agents")] if report.agents else []),
        ),
        tuple(_row(line, report, figures, query, added) for line in lines),
        Row(
            (
                "Total",
                *figures.spend(report.total, is_total=True),
                figures.change(report.change),
                "",
                "",
                figures.forecast(report.expected),
                *("" for _column in added),
                figures.amount(report.total, "credits", is_total=True),
                f"{report.keys:,}",
                *([f"{report.agents:,}"] if report.agents else []),
            ),
        ),
        sorting,
        csv_url=csv_url(request, "companies"),
        page=None if page.is_whole else page,
        says_rounding=None if page.is_whole else False,
    ).with_figures(figures.words.metrics)


def _trend(line: CompanyLine, report: CompaniesReport) -> Cell:
    if not line.by_step:
        return Cell("", "")
    costs = [line.by_step.get(step.first, NO_COST) for step in report.steps]
    highest = max(range(len(costs)), key=costs.__getitem__)
    says = f"Most on {report.steps[highest].days}: {Money(report.currency, costs[highest])}"
    return sparkline([float(cost) for cost in costs], says)


def _row(line: CompanyLine, report: CompaniesReport, figures: Figures, query: str, added: AddedColumns) -> Row:
    return Row(
        (
            formatters.company(line.company, line.label, query),
            *figures.spend(line.totals),
            figures.change(line.change),
            figures.share(line.totals, report.total),
            _trend(line, report),
            figures.forecast(line.expected) if line.expected else "",
            *(cells.get(line.company.pk, "") if line.company else "" for _column, cells in added),
            figures.amount(line.totals, "credits"),
            number(line.keys),
            *([number(line.agents)] if report.agents else []),
        ),
        is_muted=line.company is None,
    )
