"""The page of one company: what it spent, by model, by key and by day, and which keys belong to it when.

Who may see the company but no provider – a client of the agency – gets its figures by model and day, and nothing of
where they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.cells import Cell
from core.csv_files import plain
from core.querystate import natural
from core.table_csv import csv_url
from core.tables import Column, Row, Table
from core.wording import count
from costs.models import AttributedUsage
from costs.pages import formatters
from costs.pages.charts import stacked_by_day
from costs.pages.usage_tables import usage_table
from costs.pages.views.downloads import table_download
from costs.pages.views.forecasts import month_forecast
from costs.pages.views.notices import Notice, simulated_only, stale_notices, unread_notice
from costs.pages.views.scope import read_scope
from costs.reports import breakdowns
from costs.reports.comparison import changes_by, total_change
from costs.reports.days import mark_days
from costs.reports.metrics import COST
from costs.reports.totals import all_usage, main_currency, totals_by
from costs.usage.coverage import Reading
from providers.models import Assignment, AssignmentShare, Company, Period, Project, Provider

SEES_PROVIDERS = "providers.view_provider"
SOME_UNREAD = Notice("Some days of this range have not been read yet. Figures may be incomplete.")


@require_safe
def company_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    now = timezone.now()
    company = get_object_or_404(Company, pk=pk)
    sees_providers = request.user.has_perm(SEES_PROVIDERS)
    providers, projects = _sources(company)
    scope = read_scope(
        request,
        providers=providers,
        usage=all_usage().filter(company=company),
        now=now,
        everybody=list(Provider.objects.all()),
        may_filter=sees_providers,
    )
    model_query = scope.query_with(company=str(company.pk))
    by_model = {model: sums for (model,), sums in totals_by(scope.usage, "model").items()}
    names = breakdowns.model_labels(providers)
    models = breakdowns.breakdown_of(by_model, names)
    currency = main_currency(models.total, scope.providers)
    series = breakdowns.stacked(scope.usage, "model", by_model, names, weigh=partial(COST.value, currency=currency))
    chart = stacked_by_day(
        title=f"Spend of {company.name} per day by model",
        days=mark_days(breakdowns.days_of(series), scope.range, scope.coverage),
        series=series,
        metric=COST,
        currency=currency,
        csv_url=csv_url(request, "days"),
        words=scope.words,
    )
    tables = {
        "days": chart.table,
        "models": usage_table(
            models,
            [
                formatters.model(line.subject, line.label, model_query)
                if sees_providers
                else formatters.named(line.label)
                for line in models.lines
            ],
            caption=f"Spend of {company.name} by model",
            subject="Model",
            currency=currency,
            coverage=scope.coverage,
            csv_url=csv_url(request, "models"),
            words=scope.words,
        ),
    }
    lacks = scope.coverage.unread
    context: dict[str, Any] = {"stale": (), "unread": SOME_UNREAD if lacks else None, "simulated": ()}
    if sees_providers:
        by_key = scope.usage_by_key.filter(company=company)
        if scope.provider:
            projects = [project for project in projects if project.provider_id == scope.provider.pk]
        by_project = breakdowns.project_breakdown(by_key, projects)
        parts = _parts(projects, company)
        tables["keys"] = usage_table(
            by_project,
            [formatters.project_of_provider(line.subject, scope.query) for line in by_project.lines],
            caption=f"Spend of {company.name} by API key",
            subject="API key",
            currency=currency,
            coverage=scope.coverage,
            csv_url=csv_url(request, "keys"),
            words=scope.words,
        )
        tables["assignments"] = _assignments(parts, company, scope.today, csv_url(request, "assignments"))
        context = {
            "keys_today": count(sum(1 for part in parts if part.is_key_on(scope.today)), "API key"),
            "stale": stale_notices(scope.providers, now, request.user),
            "unread": unread_notice(scope.providers, scope.coverages, user=request.user, today=scope.today),
            "simulated": simulated_only(scope.providers),
        }
    if download := table_download(request, tables, scope, company.name, always={"assignments"}):
        return download

    changes = changes_by(scope.every_day, scope.comparison)
    context |= {
        "company": company,
        "sees_providers": sees_providers,
        "scope": scope,
        "chosen": scope.chosen,
        "nothing_read": scope.coverage.reading is Reading.NONE,
        "spend": formatters.money(models.total, currency, reading=scope.coverage.reading, words=scope.words),
        "change": formatters.change(total_change(changes), currency, scope.comparison, words=scope.words),
        "compared_days": scope.comparison.days,
        "forecast": month_forecast(scope, currency),
        "credits": formatters.amount(models.total, "credits", reading=scope.coverage.reading, words=scope.words),
        "requests": formatters.amount(models.total, "requests", reading=scope.coverage.reading, words=scope.words),
        "has_keys": bool(projects) or not models.total.is_empty,
        "has_usage": bool(models.lines),
        "words": scope.words,
        "tables": tables,
        "chart": chart,
    }
    return render(request, "companies/detail.html", context, status=scope.chosen.status)


def _sources(company: Company) -> tuple[list[Provider], list[Project]]:
    """The providers and keys that the company's usage can come from; one query.

    Also usage without a key that is shared among the companies of its provider.
    """
    assigned = Exists(AssignmentShare.objects.filter(assignment__project=OuterRef("pk"), company=company))
    shared = Exists(AttributedUsage.objects.filter(project=OuterRef("pk"), company=company))
    found = Project.objects.filter(Q(assigned) | Q(shared, kind=Project.Kind.KEYLESS))
    projects = list(found.with_presence().select_related("provider"))
    return list({project.provider_id: project.provider for project in projects}.values()), projects


@dataclass(frozen=True)
class Part:
    """A period of a project of which the company pays all or a part."""

    project: Project
    period: Period
    percent: Decimal

    def is_key_on(self, day: date) -> bool:
        return self.project.is_present_key and self.period.holds_on(day)  # type: ignore[attr-defined]  # annotated


def _parts(projects: Sequence[Project], company: Company) -> list[Part]:
    """What the company pays when, by key and time; one query."""
    by_pk = {project.pk: project for project in projects}
    parts = [
        Part(by_pk[pk], period, percent)
        for pk, periods in Assignment.objects.filter(project__in=by_pk).by_project().items()
        for period in periods.in_order
        if (percent := period.percent_of(company.pk)) is not None
    ]
    return sorted(parts, key=lambda part: (natural(part.project.display_name), part.period.starts_on))


def _assignments(parts: Sequence[Part], company: Company, today: date, url: str) -> Table:
    return Table(
        f"API keys assigned to {company.name}",
        (
            Column("API key", is_number=False),
            Column("Provider", is_number=False),
            Column("Part", unit="%"),
            Column("From", is_number=False),
            Column("Until", is_number=False),
            Column("Assigned", is_number=False),
        ),
        tuple(
            Row(
                (
                    formatters.project(part.project),
                    formatters.provider(part.project.provider),
                    Cell(f"{plain(part.percent)} %", part.percent),
                    "The beginning" if part.period.is_from_the_beginning else formatters.day(part.period.starts_on),
                    formatters.day(part.period.ends_on) if part.period.ends_on else "Now",
                    "By rule" if part.period.source == Assignment.Source.RULE else "By hand",
                ),
                is_muted=not part.period.holds_on(today),
            )
            for part in parts
        ),
        csv_url=url,
    )
