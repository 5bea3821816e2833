"""The page of one company: what it spent, by model, by key and by day, and which keys belong to it when.

Who may see the company but no provider – a client of the agency – gets its figures by model and day, and nothing of
where they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.cells import Cell
from core.csv_files import plain
from core.querystate import choices
from core.sorting import natural
from core.table_csv import csv_url
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.pages.charts import Chart, daily_chart, wants_before
from costs.pages.figures import Figures
from costs.pages.marks import marks_of
from costs.pages.movement_tables import Names, movement_table
from costs.pages.notices import Notice
from costs.pages.usage_tables import usage_table
from costs.pages.views.downloads import table_download
from costs.pages.views.forecasts import month_forecast
from costs.pages.views.scope import Asked, page_context, read_asked, read_step
from costs.pages.words import words_for
from costs.reports.company import CompanyReport, Part, Sources, company_report, sources_of
from costs.reports.movements import Movement
from providers.models import Assignment, Company, Provider
from providers.permissions import SEE_PROVIDERS
from providers.wording import keys_and_agents

SOME_UNREAD = Notice("Some days of this range have not been read yet. Figures may be incomplete.")


# By what the days can be grouped.
GROUPINGS = {"model": "model", "key": "API key"}


def _asked(request: HttpRequest, sources: Sources, everybody: Sequence[Provider], *, may_filter: bool) -> Asked:
    """Of providers that the company may have used, and of what is asked for: lists lead here with their filter."""
    wanted = request.GET.get("provider")
    offered = [one for one in everybody if one in sources.providers or str(one.pk) == wanted]
    return read_asked(request, providers=offered, now=timezone.now(), may_filter=may_filter)


@require_safe
def company_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    company = get_object_or_404(Company, pk=pk)
    sees_providers = request.user.has_perm(SEE_PROVIDERS)
    sources, everybody = sources_of(company), list(Provider.objects.all())
    asked = _asked(request, sources, everybody, may_filter=sees_providers)
    metrics = asked.words.metrics
    figure, shown_figures = choices(request, "metric", {slug: metric.label for slug, metric in metrics.items()})
    grouping, groupings = choices(request, "by", GROUPINGS if sees_providers else {"model": "Model"})
    report = company_report(
        sources,
        days=asked.range,
        today=asked.today,
        provider=asked.provider,
        everybody=everybody,
        for_client=not sees_providers,
        step=read_step(request),
        with_before=wants_before(request),
        grouping=grouping,
        metric=metrics[figure],
    )
    figures = Figures(report.scope, report.currency, asked.words)
    what = "Spend" if figure == "cost" else metrics[figure].label
    title = f"{what} of {company.name} per {report.daily.step.value} by {GROUPINGS[report.grouping]}"
    chart = _chart(request, asked, report, title)
    tables = _tables(request, asked, report, chart) | {"movements": _movements(request, asked, report, figures)}
    if download := table_download(request, tables, asked, company.name, always={"assignments"}):
        return download
    context = page_context(request, asked, report.scope, providers=report.scope.providers)
    context |= {} if sees_providers else _notices_without_names(report)
    context |= _figures(report, figures) | {
        "company": company,
        "sees_providers": sees_providers,
        "sees_prices": company.is_price_only and not sees_providers,
        "tables": tables,
        "chart": chart,
        "chart_title": f"{what} per {report.daily.step.value}",
        "groupings": groupings if sees_providers else (),
        "metrics": shown_figures,
    }
    return render(request, "companies/detail.html", context, status=asked.chosen.status)


def _figures(report: CompanyReport, figures: Figures) -> dict[str, Any]:
    """What stands above the tables, and which of these there are."""
    return {
        "spend": figures.money(report.total, is_total=True),
        "change": figures.change(report.change),
        "forecast": month_forecast(report.expected, figures),
        "credits": figures.amount(report.total, "credits", is_total=True),
        "requests": figures.amount(report.total, "requests", is_total=True),
        "keys_today": keys_and_agents(report.keys, report.agents),
        "has_keys": report.has_keys,
        "has_usage": bool(report.models.lines),
        "moves": bool(report.movements),
    }


def _notices_without_names(report: CompanyReport) -> dict[str, Any]:
    return {"stale": (), "unread": SOME_UNREAD if report.scope.coverage.unread else None, "simulated": ()}


def _tables(request: HttpRequest, asked: Asked, report: CompanyReport, chart: Chart) -> dict[str, Table]:
    """Those of keys, and links to models, only where the report says anything of keys."""
    tables = {"days": chart.table, "models": _models(request, asked, report)}
    if report.projects is None:
        return tables
    keys = usage_table(
        report.projects,
        [formatters.project_of_provider(line.subject, asked.query) for line in report.projects.lines],
        caption=f"Spend of {report.company.name} by API key",
        subject="API key",
        currency=report.currency,
        coverage=report.scope.coverage,
        csv_url=csv_url(request, "keys"),
        words=asked.words,
    )
    return tables | {"keys": keys, "assignments": _assignments(request, report)}


def _movements(request: HttpRequest, asked: Asked, report: CompanyReport, figures: Figures) -> Table:
    """By key and model; to who may not learn of keys, by model."""
    names = Names(report.moved)
    query = asked.query_with(company=str(report.company.pk))

    def head(movement: Movement) -> str:
        part = movement.part
        model = names.model(part.model)
        if part.project is None:
            return formatters.named(model)
        project = report.moved.projects[part.project]
        return formatters.key_and_model(project, formatters.model(part.model, model, query), asked.query)

    return movement_table(
        report.movements,
        head,
        names,
        figures,
        caption=f"What changed at {report.company.name}",
        subject="What moved",
        csv_url=csv_url(request, "movements"),
    )


def _models(request: HttpRequest, asked: Asked, report: CompanyReport) -> Table:
    query = asked.query_with(company=str(report.company.pk))
    return usage_table(
        report.models,
        [
            formatters.named(line.label)
            if report.projects is None
            else formatters.model(line.subject, line.label, query)
            for line in report.models.lines
        ],
        caption=f"Spend of {report.company.name} by model",
        subject="Model",
        currency=report.currency,
        coverage=report.scope.coverage,
        csv_url=csv_url(request, "models"),
        words=asked.words,
    )


def _assignments(request: HttpRequest, report: CompanyReport) -> Table:
    parts = sorted(report.parts, key=lambda part: (natural(part.project.display_name), part.period.starts_on))
    return Table(
        f"API keys assigned to {report.company.name}",
        (
            Column("API key", is_number=False),
            Column("Provider", is_number=False),
            Column("Part", unit="%"),
            Column("From", is_number=False),
            Column("Until", is_number=False),
            Column("Assigned", is_number=False),
        ),
        tuple(Row(_part(part), is_muted=not part.period.holds_on(report.scope.today)) for part in parts),
        csv_url=csv_url(request, "assignments"),
    )


def _part(part: Part) -> tuple[str, ...]:
    return (
        formatters.project(part.project, words=words_for([part.project.provider])),
        formatters.provider(part.project.provider),
        Cell(f"{plain(part.percent)} %", part.percent),
        "The beginning" if part.period.is_from_the_beginning else formatters.day(part.period.starts_on),
        formatters.day(part.period.ends_on) if part.period.ends_on else "Now",
        "By rule" if part.period.source == Assignment.Source.RULE else "By hand",
    )


def _chart(request: HttpRequest, asked: Asked, report: CompanyReport, title: str) -> Chart:
    """With signs over the days that apps above have to say something of, for who sees providers."""
    marks = marks_of(report.company, asked.range) if request.user.has_perm(SEE_PROVIDERS) else {}
    return daily_chart(request, report.daily, title=title, words=asked.words, marks=marks, offers_before=True)
