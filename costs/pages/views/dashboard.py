"""The first page: what was spent, on whom, how that changes, and what is not assigned to anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
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
from core.wording import count, joined
from costs.pages import formatters
from costs.pages.charts import stacked_by_day
from costs.pages.views.downloads import table_download
from costs.pages.views.forecasts import month_forecast
from costs.pages.views.notices import simulated_only, stale_notices, unread_notice
from costs.pages.views.scope import Scope, read_scope
from costs.reports import breakdowns
from costs.reports.comparison import Change, changes_by, total_change
from costs.reports.days import mark_days
from costs.reports.metrics import COST
from costs.reports.totals import Totals, all_usage, main_currency, totals_by
from costs.usage.coverage import Reading
from providers import registry
from providers.keys import KeyCounts, count_keys
from providers.models import Provider

GROUPINGS = {"company": "Company", "provider": "Provider", "model": "Model"}
FIELD_OF = {"company": "company_id", "provider": "provider_id", "model": "model"}


@require_safe
def dashboard(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    providers = list(Provider.objects.all())
    if not providers:
        return render(request, "dashboard/empty.html", {"offers_simulated": offers_simulated()})

    scope = read_scope(request, providers=providers, usage=all_usage(), now=now)
    keys = count_keys(scope.today, provider=scope.provider)
    by_company = breakdowns.company_breakdown(scope.usage, idle=keys.by_company)
    changes = changes_by(scope.every_day, scope.comparison, "company_id")
    currency = main_currency(by_company.total, scope.providers)
    companies = _companies(by_company, changes, keys, currency, scope, csv_url(request, "companies"))
    if download := table_download(request, {"companies": companies}, scope):
        return download

    grouping, groupings = choices(request, "by", GROUPINGS)
    series = breakdowns.stacked(
        scope.usage,
        FIELD_OF[grouping],
        _by_group(grouping, by_company, scope),
        _labels(grouping, by_company, providers),
        weigh=partial(COST.value, currency=currency),
    )
    chart = stacked_by_day(
        title=f"Spend per day by {grouping}",
        days=mark_days(breakdowns.days_of(series), scope.range, scope.coverage),
        series=series,
        metric=COST,
        currency=currency,
        csv_url=csv_url(request, "days"),
        words=scope.words,
    )
    if download := table_download(request, {"days": chart.table}, scope, grouping):
        return download

    nobodys = by_company.lines[-1].totals
    origins = () if keys.unassigned or nobodys.is_idle else breakdowns.unassigned_origins(scope.usage_by_key)
    context = {
        "scope": scope,
        "chosen": scope.chosen,
        "spend": formatters.money(by_company.total, currency, reading=scope.coverage.reading, words=scope.words),
        "change": formatters.change(total_change(changes), currency, scope.comparison, words=scope.words),
        "compared_days": scope.comparison.days,
        "forecast": month_forecast(scope, currency),
        "unassigned": formatters.money(nobodys, currency, reading=scope.coverage.reading, words=scope.words),
        "unassigned_keys": keys.unassigned,
        "all_keys": keys.total,
        "all_keys_text": count(keys.total, "API key"),
        "unassigned_origins": joined(origins) if origins else "",
        "stale": stale_notices(providers, now, request.user),
        "simulated": simulated_only(scope.providers),
        "nothing_read": scope.coverage.reading is Reading.NONE,
        "unread": unread_notice(scope.providers, scope.coverages, user=request.user, today=scope.today),
        "groupings": groupings,
        "chart": chart,
        "companies": companies,
        "has_companies": len(by_company.lines) > 1,
    }
    return render(request, "dashboard/dashboard.html", context, status=scope.chosen.status)


def offers_simulated() -> bool:
    """Whether a simulated workspace can be connected here at all: the embedded default runs one."""
    return settings.EMBEDDED and any(type_.simulated_key is not None for type_ in registry.all_types())


def _by_group(grouping: str, by_company: breakdowns.Breakdown, scope: Scope) -> Mapping[Any, Totals]:
    if grouping == "company":
        return {line.subject and line.subject.pk: line.totals for line in by_company.lines}
    return {group: sums for (group,), sums in totals_by(scope.usage, FIELD_OF[grouping]).items()}


def _labels(grouping: str, by_company: breakdowns.Breakdown, providers: Sequence[Provider]) -> Mapping[Any, str]:
    if grouping == "company":
        return {line.subject and line.subject.pk: line.label for line in by_company.lines}
    if grouping == "provider":
        return {provider.pk: provider.name for provider in providers}
    return breakdowns.model_labels(providers)


def _companies(
    by_company: breakdowns.Breakdown,
    changes: Mapping[tuple[Any, ...], Change],
    keys: KeyCounts,
    currency: str,
    scope: Scope,
    url: str,
) -> Table:
    rows = tuple(
        Row(
            (
                formatters.company(line.subject, line.label, scope.query),
                formatters.money(line.totals, currency, reading=scope.coverage.row_reading, words=scope.words),
                formatters.change(
                    changes.get((line.subject and line.subject.pk,)), currency, scope.comparison, words=scope.words
                ),
                formatters.share(line.totals, by_company.total, currency, words=scope.words),
                number(keys.by_company.get(line.subject and line.subject.pk, 0)),
            ),
            is_muted=line.subject is None,
        )
        for line in by_company.lines
    )
    return Table(
        "Spend per company",
        (
            Column("Company", is_number=False),
            Column("Spend"),
            Column("Change", unit="%"),
            Column("Share", unit="%"),
            Column("API keys today"),
        ),
        rows,
        Row(
            (
                "Total",
                formatters.money(by_company.total, currency, reading=scope.coverage.reading, words=scope.words),
                formatters.change(total_change(changes), currency, scope.comparison, words=scope.words),
                "",
                f"{keys.total:,}",
            ),
        ),
        csv_url=url,
    )
