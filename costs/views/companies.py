"""The list of companies, and the page of one: what it spent, by model, by key and by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from costs import cells, reports
from costs.charts import stacked_by_day
from costs.coverage import Coverage, Reading, coverage_by_provider, joint_coverage, mark_days
from costs.metrics import COST
from costs.querystate import natural, read_range, read_sorting
from costs.tables import Column, Row, Table, usage_table
from costs.totals import Totals, all_usage, main_currency, regroup, totals_by, usage_by_key
from costs.views.notices import simulated_only, stale_notices, unread_notice
from providers.models import BEGINNING, Assignment, Company, Project, Provider

COMPANY_SORTS: Mapping[str, Callable[[tuple[reports.Line, int]], Any]] = {
    "name": lambda item: natural(item[0].label),
    "spend": lambda item: item[0].totals.sort_amount,
    "credits": lambda item: item[0].totals.credits or Decimal(0),
    "keys": lambda item: item[1],
}


@require_safe
def company_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    today = now.date()
    providers = list(Provider.objects.all())
    chosen = read_range(request, today=today)
    usage = all_usage().between(chosen.range.first, chosen.range.last)
    by_company = reports.company_breakdown(usage)
    coverages = coverage_by_provider(providers, chosen.range, today=today)
    coverage = joint_coverage(coverages.values())
    keys = reports.keys_in_force(today)
    currency = main_currency(by_company.total, providers)
    sorting = read_sorting(request, COMPANY_SORTS, default="-spend")

    lines = [(line, keys.by_company.get(line.subject and line.subject.pk, 0)) for line in by_company.lines]
    named, unassigned = lines[:-1], lines[-1]
    named.sort(key=lambda item: natural(item[0].label))
    named.sort(key=COMPANY_SORTS[sorting.column], reverse=sorting.is_descending)
    context = {
        "chosen": chosen,
        "unread": unread_notice(providers, coverages),
        "stale": stale_notices(providers, now),
        "simulated": simulated_only(providers),
        "has_companies": bool(named),
        "rounding_shows": by_company.rounding_shows,
        "table": Table(
            "Companies",
            (
                Column("Company", is_number=False, sort="name"),
                Column("Spend", sort="spend"),
                Column("Share"),
                Column("Credits", sort="credits"),
                Column("API keys today", sort="keys"),
            ),
            tuple(
                _row(line, number, by_company.total, currency, coverage, chosen.query)
                for line, number in (*named, unassigned)
            ),
            Row(
                (
                    "Total",
                    cells.money(by_company.total, currency, reading=coverage.reading),
                    "",
                    cells.amount(by_company.total, by_company.total.credits, reading=coverage.reading),
                    f"{keys.total:,}",
                ),
            ),
            sorting,
        ),
    }
    return render(request, "companies/list.html", context, status=chosen.status)


def _row(line: reports.Line, keys: int, whole: Totals, currency: str, coverage: Coverage, query: str) -> Row:
    return Row(
        (
            cells.company(line.subject, line.label, query),
            cells.money(line.totals, currency, reading=coverage.row_reading),
            cells.share(line.totals, whole, currency),
            cells.amount(line.totals, line.totals.credits, reading=coverage.row_reading),
            f"{keys:,}",
        ),
        is_muted=line.subject is None,
    )


@require_safe
def company_detail(request: HttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    today = now.date()
    company = get_object_or_404(Company, pk=pk)
    chosen = read_range(request, today=today)
    projects = list(Project.objects.filter(assignments__shares__company=company).distinct().select_related("provider"))
    providers = list({project.provider_id: project.provider for project in projects}.values())
    coverages = coverage_by_provider(providers, chosen.range, today=today)
    coverage = joint_coverage(coverages.values())
    usage = all_usage().between(chosen.range.first, chosen.range.last).filter(company=company)
    by_key = usage_by_key().between(chosen.range.first, chosen.range.last).filter(company=company)
    by_model_and_day = totals_by(usage, "model", "day")
    by_project = reports.project_breakdown(by_key, projects)
    names = reports.model_labels(providers)
    models = reports.breakdown_of(regroup(by_model_and_day, 0), names)
    currency = main_currency(models.total, providers)
    periods = _periods(projects, company)

    context = {
        "company": company,
        "chosen": chosen,
        "nothing_read": coverage.reading is Reading.NONE,
        "unread": unread_notice(providers, coverages),
        "stale": stale_notices(providers, now),
        "simulated": simulated_only(providers),
        "spend": cells.money(by_project.total, currency, reading=coverage.reading),
        "credits": cells.amount(by_project.total, by_project.total.credits, reading=coverage.reading),
        "requests": cells.amount(by_project.total, by_project.total.requests, reading=coverage.reading),
        "keys_today": sum(1 for period in periods if period.holds_on(today)),
        "has_keys": bool(projects),
        "has_usage": bool(models.lines),
        "models": usage_table(
            models,
            [line.label for line in models.lines],
            caption=f"Spend of {company.name} by model",
            subject="Model",
            currency=currency,
            coverage=coverage,
        ),
        "keys": usage_table(
            by_project,
            [_key(line.subject, chosen.query) for line in by_project.lines],
            caption=f"Spend of {company.name} by API key",
            subject="API key",
            currency=currency,
            coverage=coverage,
        ),
        "rounding_shows": models.rounding_shows or by_project.rounding_shows,
        "chart": stacked_by_day(
            title=f"Spend of {company.name} per day by model",
            days=mark_days(regroup(by_model_and_day, 1), chosen.range, coverage),
            by_group_and_day=by_model_and_day,
            labels=names,
            metric=COST,
            currency=currency,
        ),
        "assignments": _assignments(periods, company, today),
    }
    return render(request, "companies/detail.html", context, status=chosen.status)


def _key(project: Project, query: str) -> str:
    return format_html('{}<span class="sub">{}</span>', cells.project(project), cells.provider(project.provider, query))


@dataclass(frozen=True)
class Period:
    """One of the times in which a key belongs to the company."""

    project: Project
    starts_on: date
    ends_on: date | None  # the last day; None while nothing follows

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
            if any(share.company_id == company.pk for share in assignment.shares.all()):
                last = following.starts_on - timedelta(days=1) if following else None
                periods.append(Period(by_pk[pk], assignment.starts_on, last))
    periods.sort(key=lambda period: (natural(period.project.display_name), period.starts_on))
    return periods


def _assignments(periods: Sequence[Period], company: Company, today: date) -> Table:
    return Table(
        f"API keys assigned to {company.name}",
        (
            Column("API key", is_number=False),
            Column("Provider", is_number=False),
            Column("From", is_number=False),
            Column("Until", is_number=False),
        ),
        tuple(
            Row(
                (
                    cells.project(period.project),
                    cells.provider(period.project.provider),
                    "The beginning" if period.starts_on == BEGINNING else cells.day(period.starts_on),
                    cells.day(period.ends_on) if period.ends_on else "Now",
                ),
                is_muted=not period.holds_on(today),
            )
            for period in periods
        ),
    )
