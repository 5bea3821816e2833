"""The page of one company: what it spent, by model, by key and by day, and which keys belong to it when.

Who may see the company but no provider – a client of the agency – gets its figures by model and day, and nothing of
where they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from costs import cells, reports
from costs.charts import stacked_by_day
from costs.comparison import changes_by, total_change
from costs.coverage import Reading, mark_days
from costs.exports import plain
from costs.metrics import COST
from costs.models import AttributedUsage
from costs.querystate import natural
from costs.table_csv import csv_url
from costs.tables import Column, Row, Table, usage_table
from costs.totals import all_usage, main_currency, totals_by
from costs.views.downloads import table_download
from costs.views.forecasts import month_forecast
from costs.views.notices import simulated_only, stale_notices, unread_notice
from costs.views.scope import read_scope
from providers.models import BEGINNING, Assignment, AssignmentShare, Company, Project, Provider

SEES_PROVIDERS = "providers.view_provider"
SOME_UNREAD = "Some days of this range have not been read yet. Figures may be incomplete."


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
    names = reports.model_labels(providers)
    models = reports.breakdown_of(by_model, names)
    currency = main_currency(models.total, scope.providers)
    series = reports.stacked(scope.usage, "model", by_model, names, weigh=partial(COST.value, currency=currency))
    chart = stacked_by_day(
        title=f"Spend of {company.name} per day by model",
        days=mark_days(reports.days_of(series), scope.range, scope.coverage),
        series=series,
        metric=COST,
        currency=currency,
        csv_url=csv_url(request, "days"),
    )
    tables = {
        "days": chart.table,
        "models": usage_table(
            models,
            [
                cells.model(line.subject, line.label, model_query) if sees_providers else line.label
                for line in models.lines
            ],
            caption=f"Spend of {company.name} by model",
            subject="Model",
            currency=currency,
            coverage=scope.coverage,
            csv_url=csv_url(request, "models"),
        ),
    }
    lacks = scope.coverage.unread
    context: dict[str, Any] = {"stale": (), "unread": SOME_UNREAD if lacks else "", "simulated": ()}
    if sees_providers:
        by_key = scope.usage_by_key.filter(company=company)
        if scope.provider:
            projects = [project for project in projects if project.provider_id == scope.provider.pk]
        by_project = reports.project_breakdown(by_key, projects)
        periods = _periods(projects, company)
        tables["keys"] = usage_table(
            by_project,
            [cells.project_of_provider(line.subject, scope.query) for line in by_project.lines],
            caption=f"Spend of {company.name} by API key",
            subject="API key",
            currency=currency,
            coverage=scope.coverage,
            csv_url=csv_url(request, "keys"),
        )
        tables["assignments"] = _assignments(periods, company, scope.today, csv_url(request, "assignments"))
        context = {
            "keys_today": sum(1 for period in periods if period.holds_on(scope.today)),
            "stale": stale_notices(scope.providers, now),
            "unread": unread_notice(scope.providers, scope.coverages),
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
        "spend": cells.money(models.total, currency, reading=scope.coverage.reading),
        "change": cells.change(total_change(changes), currency, scope.comparison),
        "compared_days": scope.comparison.days,
        "forecast": month_forecast(scope, currency),
        "credits": cells.amount(models.total, "credits", reading=scope.coverage.reading),
        "requests": cells.amount(models.total, "requests", reading=scope.coverage.reading),
        "has_keys": bool(projects) or not models.total.is_empty,
        "has_usage": bool(models.lines),
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
    projects = list(found.select_related("provider"))
    return list({project.provider_id: project.provider for project in projects}.values()), projects


@dataclass(frozen=True)
class Period:
    """One of the times in which a key belongs to the company, all of it or a part."""

    project: Project
    starts_on: date
    ends_on: date | None  # the last day; None while nothing follows
    percent: Decimal
    by_rule: bool

    def holds_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


def _periods(projects: Sequence[Project], company: Company) -> list[Period]:
    """The company's periods, by key and time; two queries."""
    by_pk = {project.pk: project for project in projects}
    of_project: dict[int, list[Assignment]] = {}
    assignments = Assignment.objects.filter(project__in=by_pk).order_by("project", "starts_on")
    for assignment in assignments.prefetch_related("shares"):
        of_project.setdefault(assignment.project_id, []).append(assignment)
    periods = []
    for pk, sequence in of_project.items():
        for assignment, following in zip(sequence, [*sequence[1:], None], strict=True):
            last = following.starts_on - timedelta(days=1) if following else None
            periods += [
                Period(
                    by_pk[pk],
                    assignment.starts_on,
                    last,
                    share.percent,
                    assignment.source == Assignment.Source.RULE,
                )
                for share in assignment.shares.all()
                if share.company_id == company.pk
            ]
    periods.sort(key=lambda period: (natural(period.project.display_name), period.starts_on))
    return periods


def _assignments(periods: Sequence[Period], company: Company, today: date, url: str) -> Table:
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
                    cells.project(period.project),
                    cells.provider(period.project.provider),
                    cells.Cell(f"{plain(period.percent)} %", period.percent),
                    "The beginning" if period.starts_on == BEGINNING else cells.day(period.starts_on),
                    cells.day(period.ends_on) if period.ends_on else "Now",
                    "By rule" if period.by_rule else "By hand",
                ),
                is_muted=not period.holds_on(today),
            )
            for period in periods
        ),
        csv_url=url,
    )
