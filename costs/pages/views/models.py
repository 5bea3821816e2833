"""The list of models, and the page of one: which companies, keys and days its cost comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.paging import Page
from core.querystate import choices, link
from core.table_csv import csv_url, paginate_table
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.pages.charts import daily_chart
from costs.pages.figures import Figures
from costs.pages.usage_tables import OTHER_COLUMNS, SPEND_COLUMNS, usage_table
from costs.pages.views.downloads import table_download
from costs.pages.views.scope import Asked, page_context, read_asked, read_step
from costs.reports.models import ModelReport, ModelsReport, model_report, models_report
from costs.reports.totals import all_usage
from providers.models import Company, Provider


@require_safe
def model_list(request: HttpRequest) -> HttpResponseBase:
    providers = list(Provider.objects.all())
    asked = read_asked(request, providers=providers, now=timezone.now())
    report = models_report(providers, days=asked.range, today=asked.today, provider=asked.provider)
    figures = Figures(report.scope, report.currency, asked.words)
    table = _models(report, figures, asked.query, csv_url(request, "models"))
    if download := table_download(request, {"models": table}, asked):
        return download
    context = page_context(request, asked, report.scope, providers=providers) | {
        "has_models": bool(report.lines),
        "table": table,
    }
    return render(request, "models/list.html", context, status=asked.chosen.status)


def _models(report: ModelsReport, figures: Figures, query: str, url: str) -> Table:
    return Table(
        "Models",
        (
            Column("Model", is_number=False),
            *SPEND_COLUMNS,
            Column("Change", unit="%"),
            *OTHER_COLUMNS,
        ),
        tuple(
            Row(
                (
                    formatters.model(line.model, line.label, query),
                    *figures.spend(line.totals),
                    figures.change(line.change),
                    *figures.others(line.totals),
                )
            )
            for line in report.lines
        ),
        Row(
            (
                "Total",
                *figures.spend(report.total, is_total=True),
                figures.change(report.change),
                *figures.others(report.total, is_total=True),
            )
        ),
        csv_url=url,
    ).with_figures(figures.words.metrics)


@require_safe
def model_detail(request: HttpRequest) -> HttpResponseBase:
    """The model of ``?model=``, by its reported id; empty is usage without one. 404 where no usage names it.

    ``?company=`` narrows the page to what one company used of it.
    """
    model, company = _asked_model(request), _asked_company(request)
    providers = list(Provider.objects.all())
    asked = read_asked(request, providers=providers, now=timezone.now())
    shown = asked.words.metrics
    slug, metrics = choices(request, "metric", {slug: metric.label for slug, metric in shown.items()})
    metric, step = shown[slug], read_step(request)
    report = model_report(
        model,
        providers,
        days=asked.range,
        today=asked.today,
        company=company,
        provider=asked.provider,
        metric=metric,
        step=step,
        chosen=lambda keys: _page(request, keys).items,
    )
    title = f"{metric.label} of {report.label} per {report.daily.step.value} by company"
    chart = daily_chart(request, report.daily, title=title, words=asked.words)
    tables = {"days": chart.table, **_tables(request, asked, report)}
    about = [report.label, *([company.name] if company else []), *([slug] if slug != "cost" else [])]
    if download := table_download(request, tables, asked, *about):
        return download
    context = page_context(request, asked, report.scope, providers=providers) | _figures(report, asked)
    context |= {
        "every_company_url": link(request, company=None),
        "metric": metric,
        "metrics": metrics,
        "chart": chart,
        "tables": tables,
    }
    return render(request, "models/detail.html", context, status=asked.chosen.status)


def _figures(report: ModelReport, asked: Asked) -> dict[str, Any]:
    """Those above the chart, and what they are of."""
    figures = Figures(report.scope, report.currency, asked.words)
    return {
        "model": report.model,
        "label": report.label,
        "company": report.company,
        "spend": figures.money(report.total, is_total=True),
        "change": figures.change(report.change),
        "credits": figures.amount(report.total, "credits", is_total=True),
        "requests": figures.amount(report.total, "requests", is_total=True),
    }


def _asked_model(request: HttpRequest) -> str:
    model = request.GET.get("model", "")
    if "\x00" in model or len(model) > 200 or not all_usage().filter(model=model).sums_of_months().exists():
        raise Http404
    return model


def _asked_company(request: HttpRequest) -> Company | None:
    asked = request.GET.get("company", "")
    if not asked:
        return None
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 10):
        raise Http404
    return get_object_or_404(Company, pk=asked)


def _page(request: HttpRequest, keys: Sequence[int]) -> Page:
    return paginate_table(request, keys, of="API keys", anchor="#keys")


def _tables(request: HttpRequest, asked: Asked, report: ModelReport) -> dict[str, Table]:
    companies = usage_table(
        report.companies,
        [formatters.company(line.subject, line.label, asked.query) for line in report.companies.lines],
        caption=f"Usage of {report.label} by company",
        subject="Company",
        currency=report.currency,
        coverage=report.scope.coverage,
        csv_url=csv_url(request, "companies"),
        words=asked.words,
    )
    keys = usage_table(
        report.projects,
        [formatters.project_of_provider(line.subject, asked.query) for line in report.projects.lines],
        caption=f"Usage of {report.label} by API key",
        subject="API key",
        currency=report.currency,
        coverage=report.scope.coverage,
        csv_url=csv_url(request, "keys"),
        words=asked.words,
    )
    page = _page(request, report.keys)
    if not page.is_whole:
        keys = replace(keys, page=page, says_rounding=False)
    return {"companies": companies, "keys": keys}
