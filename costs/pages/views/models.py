"""The list of models, and the page of one: which companies, keys and days its cost comes from."""

from __future__ import annotations

from functools import partial

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.querystate import choices, link
from core.table_csv import csv_url
from core.tables import Column, Row, Table
from costs.models import DailyTotal
from costs.pages import formatters
from costs.pages.charts import stacked_by_day
from costs.pages.usage_tables import figures, usage_table
from costs.pages.views.downloads import table_download
from costs.pages.views.notices import simulated_only, stale_notices, unread_notice
from costs.pages.views.scope import Scope, read_scope
from costs.reports import breakdowns
from costs.reports.comparison import changes_by, total_change
from costs.reports.days import mark_days
from costs.reports.totals import all_usage, main_currency, totals_by
from costs.usage.coverage import Reading
from providers.models import Company, Project, Provider


@require_safe
def model_list(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    providers = list(Provider.objects.all())
    scope = read_scope(request, providers=providers, usage=all_usage(), now=now)
    by_model = {model: sums for (model,), sums in totals_by(scope.usage, "model").items()}
    models = breakdowns.breakdown_of(by_model, breakdowns.model_labels(providers))
    changes = changes_by(scope.every_day, scope.comparison, "model")
    currency = main_currency(models.total, scope.providers)
    table = Table(
        "Models",
        (
            Column("Model", is_number=False),
            Column("Spend"),
            Column("Change", unit="%"),
            Column("Credits", figure="credits"),
            Column("Minutes", figure="minutes"),
            Column("Requests", figure="requests"),
        ),
        tuple(
            Row(
                (
                    formatters.model(line.subject, line.label, scope.query),
                    formatters.money(line.totals, currency, reading=scope.coverage.row_reading, words=scope.words),
                    formatters.change(changes.get((line.subject,)), currency, scope.comparison, words=scope.words),
                    *figures(line.totals, currency, scope.coverage.row_reading, scope.words)[1:],
                )
            )
            for line in models.lines
        ),
        Row(
            (
                "Total",
                formatters.money(models.total, currency, reading=scope.coverage.reading, words=scope.words),
                formatters.change(total_change(changes), currency, scope.comparison, words=scope.words),
                *figures(models.total, currency, scope.coverage.reading, scope.words)[1:],
            )
        ),
        csv_url=csv_url(request, "models"),
    ).with_figures(scope.words.metrics)
    if download := table_download(request, {"models": table}, scope):
        return download
    context = {
        "scope": scope,
        "chosen": scope.chosen,
        "has_models": bool(models.lines),
        "nothing_read": scope.coverage.reading is Reading.NONE,
        "unread": unread_notice(scope.providers, scope.coverages, user=request.user, today=scope.today),
        "stale": stale_notices(providers, now, request.user),
        "simulated": simulated_only(scope.providers),
        "table": table,
    }
    return render(request, "models/list.html", context, status=scope.chosen.status)


@require_safe
def model_detail(request: HttpRequest) -> HttpResponseBase:
    """The model of ``?model=``, by its reported id; empty is usage without one. 404 where no usage names it.

    ``?company=`` narrows the page to what one company used of it.
    """
    now = timezone.now()
    model = request.GET.get("model", "")
    if "\x00" in model or len(model) > 200 or not DailyTotal.objects.filter(model=model).exists():
        raise Http404
    company = _asked_company(request)
    providers = list(Provider.objects.all())
    usage = all_usage().filter(model=model, **_of(company))
    scope = read_scope(request, providers=providers, usage=usage, now=now)
    label = breakdowns.model_labels(providers).get(model) or model
    by_company = breakdowns.company_breakdown(scope.usage, idle=(), with_unassigned=company is None)
    currency = main_currency(by_company.total, scope.providers)
    shown = scope.words.metrics
    slug, metrics = choices(request, "metric", {slug: metric.label for slug, metric in shown.items()})
    metric = shown[slug]
    lines = {line.subject and line.subject.pk: line for line in by_company.lines}
    series = breakdowns.stacked(
        scope.usage,
        "company_id",
        {pk: line.totals for pk, line in lines.items()},
        {pk: line.label for pk, line in lines.items()},
        weigh=partial(metric.value, currency=currency),
    )
    chart = stacked_by_day(
        title=f"{metric.label} of {label} per day by company",
        days=mark_days(breakdowns.days_of(series), scope.range, scope.coverage),
        series=series,
        metric=metric,
        currency=currency,
        csv_url=csv_url(request, "days"),
        words=scope.words,
    )
    tables = {
        "days": chart.table,
        "companies": usage_table(
            by_company,
            [formatters.company(line.subject, line.label, scope.query) for line in by_company.lines],
            caption=f"Usage of {label} by company",
            subject="Company",
            currency=currency,
            coverage=scope.coverage,
            csv_url=csv_url(request, "companies"),
            words=scope.words,
        ),
        "keys": _keys(scope, model, company, label, currency, csv_url(request, "keys")),
    }
    about = [label, *([company.name] if company else []), *([slug] if slug != "cost" else [])]
    if download := table_download(request, tables, scope, *about):
        return download
    context = {
        "model": model,
        "label": label,
        "company": company,
        "every_company_url": link(request, company=None),
        "scope": scope,
        "chosen": scope.chosen,
        "spend": formatters.money(by_company.total, currency, reading=scope.coverage.reading, words=scope.words),
        "change": formatters.change(
            total_change(changes_by(scope.every_day, scope.comparison)), currency, scope.comparison, words=scope.words
        ),
        "compared_days": scope.comparison.days,
        "credits": formatters.amount(by_company.total, "credits", reading=scope.coverage.reading, words=scope.words),
        "requests": formatters.amount(by_company.total, "requests", reading=scope.coverage.reading, words=scope.words),
        "words": scope.words,
        "nothing_read": scope.coverage.reading is Reading.NONE,
        "unread": unread_notice(scope.providers, scope.coverages, user=request.user, today=scope.today),
        "stale": stale_notices(providers, now, request.user),
        "simulated": simulated_only(scope.providers),
        "metric": metric,
        "metrics": metrics,
        "chart": chart,
        "tables": tables,
    }
    return render(request, "models/detail.html", context, status=scope.chosen.status)


def _asked_company(request: HttpRequest) -> Company | None:
    asked = request.GET.get("company", "")
    if not asked:
        return None
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 10):
        raise Http404
    return get_object_or_404(Company, pk=asked)


def _of(company: Company | None) -> dict[str, Company]:
    return {"company": company} if company else {}


def _keys(scope: Scope, model: str, company: Company | None, label: str, currency: str, url: str) -> Table:
    by_project = totals_by(scope.usage_by_key.filter(model=model, **_of(company)), "project_id")
    projects = Project.objects.filter(pk__in=[pk for (pk,) in by_project]).select_related("provider")
    keys = breakdowns.breakdown_of_projects(by_project, projects)
    return usage_table(
        keys,
        [formatters.project_of_provider(line.subject, scope.query) for line in keys.lines],
        caption=f"Usage of {label} by API key",
        subject="API key",
        currency=currency,
        coverage=scope.coverage,
        csv_url=url,
        words=scope.words,
    )
