"""The first page: what was spent, on whom, how that changes, and what is not assigned to anybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.cells import number
from core.querystate import choices
from core.table_csv import csv_url
from core.tables import Column, Row, Table
from core.wording import count
from costs.pages import formatters
from costs.pages.charts import daily_chart, wants_before
from costs.pages.figures import Figures
from costs.pages.marks import marks_of
from costs.pages.movement_tables import Names, movement_table
from costs.pages.usage_tables import SPEND_COLUMNS
from costs.pages.views.downloads import table_download
from costs.pages.views.forecasts import month_forecast
from costs.pages.views.scope import page_context, read_asked, read_step
from costs.pages.words import unassigned_origins
from costs.reports.companies import CompanyLine
from costs.reports.dashboard import GROUPINGS, DashboardReport, dashboard_report
from costs.reports.first_run import FirstSteps, first_steps, providers_and_closing
from costs.reports.movements import Movement
from providers import registry
from providers.models import Provider


@require_safe
def dashboard(request: HttpRequest) -> HttpResponseBase:
    providers = providers_and_closing()
    if not providers:
        return render(request, "dashboard/empty.html", {"offers_simulated": offers_simulated()})

    asked = read_asked(request, providers=providers, now=timezone.now())
    grouping, groupings = choices(request, "by", {slug: slug.capitalize() for slug in GROUPINGS})
    report = dashboard_report(
        providers,
        days=asked.range,
        today=asked.today,
        provider=asked.provider,
        grouping=grouping,
        step=read_step(request),
        with_before=wants_before(request),
    )
    figures = Figures(report.scope, report.currency, asked.words)
    companies = _companies(report, figures, asked.query, csv_url(request, "companies"))
    title = f"Spend per {report.daily.step.value} by {grouping}"
    marks = marks_of(asked.provider, asked.range)
    chart = daily_chart(request, report.daily, title=title, words=asked.words, marks=marks, offers_before=True)
    movements = _movements(request, report, figures, asked.query)
    if download := table_download(request, {"companies": companies, "movements": movements}, asked):
        return download
    if download := table_download(request, {"days": chart.table}, asked, grouping):
        return download
    context = (
        page_context(request, asked, report.scope, providers=providers)
        | _figures(report, figures)
        | {
            "groupings": groupings,
            "chart": chart,
            "companies": companies,
            "movements": movements if report.movements else None,
            "has_companies": len(report.companies) > 1,
            "first_steps": None if request.GET else _first_steps(providers, report),  # not beside what was looked up
        }
    )
    return render(request, "dashboard/dashboard.html", context, status=asked.chosen.status)


def _figures(report: DashboardReport, figures: Figures) -> dict[str, Any]:
    """The four above the chart."""
    return {
        "spend": figures.money(report.total, is_total=True),
        "change": figures.change(report.change),
        "forecast": month_forecast(report.expected, figures),
        "unassigned": figures.money(report.unassigned, is_total=True),
        "unassigned_keys": _unassigned_keys(report),
        "all_keys": report.keys.total + report.agents.total,
        "unassigned_origins": unassigned_origins(report.unassigned_kinds),
    }


def _first_steps(providers: Sequence[Provider], report: DashboardReport) -> FirstSteps | None:
    unassigned = report.keys.unassigned + report.agents.unassigned
    return first_steps(providers, unassigned=unassigned, has_companies=len(report.companies) > 1)


def _unassigned_keys(report: DashboardReport) -> str:
    """ "2 of 12 API keys", "2 of 12 API keys and 1 of 3 agents"; empty where all belong to companies."""
    counted = ((report.keys, "API key"), (report.agents, "agent"))
    return " and ".join(
        f"{counts.unassigned} of {count(counts.total, noun)}" for counts, noun in counted if counts.unassigned
    )


def offers_simulated() -> bool:
    """Whether a simulated workspace can be connected here at all: the embedded default runs one."""
    return settings.EMBEDDED and any(type_.simulated_key is not None for type_ in registry.all_types())


def _movements(request: HttpRequest, report: DashboardReport, figures: Figures, query: str) -> Table:
    names = Names(report.moved)

    def head(movement: Movement) -> str:
        company = report.moved.companies.get(movement.subject)
        return formatters.company(company, names.company(movement.subject), query)

    return movement_table(
        report.movements,
        head,
        names,
        figures,
        caption="What changed",
        subject="What moved",
        csv_url=csv_url(request, "movements"),
    )


def _companies(report: DashboardReport, figures: Figures, query: str, url: str) -> Table:
    return Table(
        "Spend per company",
        (
            Column("Company", is_number=False),
            *SPEND_COLUMNS,
            Column("Change", unit="%"),
            Column("Share", unit="%"),
            Column("API keys today"),
            *([Column("Agents today")] if report.agents.total else []),
        ),
        tuple(_company(line, report, figures, query) for line in report.companies),
        Row(
            (
                "Total",
                *figures.spend(report.total, is_total=True),
                figures.change(report.change),
                "",
                f"{report.keys.total:,}",
                *([f"{report.agents.total:,}"] if report.agents.total else []),
            ),
        ),
        csv_url=url,
    )


def _company(line: CompanyLine, report: DashboardReport, figures: Figures, query: str) -> Row:
    return Row(
        (
            formatters.company(line.company, line.label, query),
            *figures.spend(line.totals),
            figures.change(line.change),
            figures.share(line.totals, report.total),
            number(line.keys),
            *([number(line.agents)] if report.agents.total else []),
        ),
        is_muted=line.company is None,
    )
