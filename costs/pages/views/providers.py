"""The list of providers: the state of each, what it spent this month, how many of its keys wait for a company."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from core.cells import Cell
from core.querystate import natural, read_sorting
from core.table_csv import asked_table, csv_url, table_csv
from core.tables import Column, Row, Table, heading
from core.wording import ago
from costs.pages import formatters
from costs.pages.ranges import presets
from costs.pages.views.dashboard import offers_simulated
from costs.pages.views.downloads import download
from costs.reports import breakdowns
from costs.reports.totals import Totals, all_usage, main_currency
from costs.usage.coverage import Reading, coverage_by_provider, joint_coverage
from providers.keys import count_keys
from providers.models import Provider
from providers.progress import type_label


@dataclass(frozen=True)
class ProviderRow:
    provider: Provider
    name: SafeString
    type_label: str
    status: Provider.Status
    last_sync: str
    spend: SafeString
    totals: Totals
    unassigned_keys: int


PROVIDER_SORTS: Mapping[str, Callable[[ProviderRow], Any]] = {
    "name": lambda row: natural(row.provider.name),
    "status": lambda row: row.status.label,
    "synced": lambda row: row.provider.last_synced_at.timestamp() if row.provider.last_synced_at else 0,
    "spend": lambda row: row.totals.sort_amount,
    "unassigned": lambda row: row.unassigned_keys,
}


@require_safe
def provider_list(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    today = now.date()
    providers = list(Provider.objects.all())
    if not providers:
        return render(request, "providers/empty.html", {"offers_simulated": offers_simulated()})

    month = presets(today)[0].range
    spend = breakdowns.provider_breakdown(all_usage().between(month.first, month.last), providers)
    keys = count_keys(today)
    coverages = coverage_by_provider(providers, month, today=today)
    rows = [
        ProviderRow(
            provider=provider,
            name=formatters.provider(provider),
            type_label=type_label(provider.type),
            status=provider.status(now),
            last_sync=_last_sync(provider, now),
            spend=formatters.money(line.totals, provider.currency, reading=coverages[provider.pk].reading),
            totals=line.totals,
            unassigned_keys=keys.unassigned_by_provider.get(provider.pk, 0),
        )
        for provider, line in zip(providers, spend.lines, strict=True)
    ]
    sorting = read_sorting(request, PROVIDER_SORTS, default="name", text=("name", "status"))
    rows.sort(key=lambda row: natural(row.provider.name))
    rows.sort(key=PROVIDER_SORTS[sorting.column], reverse=sorting.is_descending)
    columns = (
        Column("Name", is_number=False, sort="name"),
        Column("Type", is_number=False),
        Column("Status", is_number=False, sort="status"),
        Column("Last sync", is_number=False, sort="synced"),
        Column("Spend this month", sort="spend"),
        Column("Unassigned keys", sort="unassigned"),
    )
    lacks = any(known.unread for known in coverages.values())
    reading = Reading.PART if lacks else joint_coverage(coverages.values()).reading
    total_spend = formatters.money(spend.total, main_currency(spend.total, providers), reading=reading)
    total_unassigned = sum(row.unassigned_keys for row in rows)
    table = Table(
        "LLM Providers",
        columns,
        tuple(
            Row((row.name, row.type_label, row.status.label, _synced_at(row), row.spend, str(row.unassigned_keys)))
            for row in rows
        ),
        Row(("Total", "", "", "", total_spend, str(total_unassigned))),
        csv_url=csv_url(request, "providers"),
    )
    if asked_table(request, {"providers": table}):
        return download(table_csv(table), name=["providers"], days=month)
    context = {
        "rows": rows,
        "headings": [heading(column, sorting) for column in columns],
        "csv_url": table.csv_url,
        "total_spend": total_spend,
        "total_unassigned": total_unassigned,
        "rounding_shows": table.rounding_shows,
        "range": month,
    }
    return render(request, "providers/list.html", context)


def _last_sync(provider: Provider, now: datetime) -> str:
    if provider.last_synced_at is not None:
        return ago(provider.last_synced_at, now)
    return "First sync in progress" if provider.status(now) == Provider.Status.SYNCING else "Not yet"


def _synced_at(row: ProviderRow) -> Cell:
    at = row.provider.last_synced_at
    return Cell(row.last_sync, at.isoformat(timespec="seconds") if at else "")
