"""The first page: what was spent, on whom, and what is not assigned to anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from costs import cells, reports
from costs.charts import stacked_by_day
from costs.coverage import Coverage, Reading, coverage_by_provider, joint_coverage, mark_days
from costs.metrics import COST
from costs.querystate import choices, read_range
from costs.tables import Column, Row, Table
from costs.totals import all_usage, main_currency, regroup, totals_by
from costs.views.notices import simulated_only, stale_notices, unread_notice
from providers import registry
from providers.models import Provider

GROUPINGS = {"company": "Company", "provider": "Provider", "model": "Model"}
FIELD_OF = {"company": "company_id", "provider": "provider_id", "model": "model"}


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    today = now.date()
    providers = list(Provider.objects.all())
    if not providers:
        return render(request, "dashboard/empty.html", {"offers_simulated": offers_simulated()})

    chosen = read_range(request, today=today)
    usage = all_usage().between(chosen.range.first, chosen.range.last)
    by_company = reports.company_breakdown(usage, include_idle=False)
    coverages = coverage_by_provider(providers, chosen.range, today=today)
    coverage = joint_coverage(coverages.values())
    keys = reports.keys_in_force(today)
    currency = main_currency(by_company.total, providers)
    grouping, groupings = choices(request, "by", GROUPINGS)
    by_group_and_day = totals_by(usage, FIELD_OF[grouping], "day")
    by_day = regroup(by_group_and_day, 1)

    unassigned = by_company.lines[-1].totals
    context = {
        "chosen": chosen,
        "spend": cells.money(by_company.total, currency, reading=coverage.reading),
        "unassigned": cells.money(unassigned, currency, reading=coverage.reading),
        "unassigned_keys": keys.unassigned,
        "all_keys": keys.total,
        "stale": stale_notices(providers, now),
        "simulated": simulated_only(providers),
        "nothing_read": coverage.reading is Reading.NONE,
        "unread": unread_notice(providers, coverages),
        "groupings": groupings,
        "chart": stacked_by_day(
            title=f"Spend per day by {grouping}",
            days=mark_days(by_day, chosen.range, coverage),
            by_group_and_day=by_group_and_day,
            labels=_labels(grouping, by_company, providers),
            metric=COST,
            currency=currency,
        ),
        "companies": _companies(by_company, keys, currency, coverage, chosen.query),
        "has_companies": len(by_company.lines) > 1,
        "rounding_shows": by_company.rounding_shows,
    }
    return render(request, "dashboard/dashboard.html", context, status=chosen.status)


def offers_simulated() -> bool:
    """Whether a simulated workspace can be connected here at all: the embedded default runs one."""
    return settings.EMBEDDED and any(type_.simulated_key is not None for type_ in registry.all_types())


def _labels(grouping: str, by_company: reports.Breakdown, providers: Sequence[Provider]) -> Mapping[Any, str]:
    if grouping == "company":
        return {line.subject and line.subject.pk: line.label for line in by_company.lines}
    if grouping == "provider":
        return {provider.pk: provider.name for provider in providers}
    return reports.model_labels(providers)


def _companies(
    by_company: reports.Breakdown,
    keys: reports.KeyCounts,
    currency: str,
    coverage: Coverage,
    query: str,
) -> Table:
    rows = tuple(
        Row(
            (
                cells.company(line.subject, line.label, query),
                cells.money(line.totals, currency, reading=coverage.row_reading),
                cells.share(line.totals, by_company.total, currency),
                f"{keys.by_company.get(line.subject and line.subject.pk, 0):,}",
            ),
            is_muted=line.subject is None,
        )
        for line in by_company.lines
    )
    return Table(
        "Spend per company",
        (Column("Company", is_number=False), Column("Spend"), Column("Share"), Column("API keys today")),
        rows,
        Row(
            (
                "Total",
                cells.money(by_company.total, currency, reading=coverage.reading),
                "",
                f"{keys.total:,}",
            ),
        ),
    )
