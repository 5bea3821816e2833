"""The list of providers: the state of each, what it spent this month, how many of its keys wait for a company."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.cells import Cell, status
from core.querystate import read_sorting
from core.sorting import natural
from core.table_csv import asked_table, csv_url, paginate_table, table_csv
from core.tables import Column, Row, Table
from core.wording import ago
from costs.pages import formatters
from costs.pages.ranges import presets
from costs.pages.usage_tables import SPEND_COLUMNS, spend
from costs.pages.views.dashboard import offers_simulated
from costs.pages.views.downloads import download
from costs.pages.words import words_for
from costs.reports.providers import ProvidersReport, ProviderState, providers_report
from providers.models import Provider
from providers.progress import type_label

SORTS: Mapping[str, Callable[[ProviderState], Any]] = {
    "name": lambda state: natural(state.provider.name),
    "status": lambda state: state.status.label,
    "synced": lambda state: state.provider.last_synced_at.timestamp() if state.provider.last_synced_at else 0,
    "spend": lambda state: state.totals.sort_amount,
    "unassigned": lambda state: state.unassigned_keys,
    "agents": lambda state: state.unassigned_agents,
}
COLUMNS = (
    Column("Name", is_number=False, sort="name"),
    *(replace(column, label=f"{column.label} this month") for column in SPEND_COLUMNS),
    Column("Type", is_number=False, css=""),
    Column("Status", is_number=False, sort="status", css=""),
    Column("Last sync", is_number=False, sort="synced", css="nowrap"),
    Column("Unassigned keys", sort="unassigned"),
)
AGENTS_COLUMN = Column("Unassigned agents", sort="agents")


@require_safe
def provider_list(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    month = presets(now.date())[0].range
    report = providers_report(month, now=now)
    if not report.states:
        return render(request, "providers/empty.html", {"offers_simulated": offers_simulated()})
    table = _table(request, report, now)
    if asked_table(request, {"providers": table}):
        return download(table_csv(table), name=["providers"], days=month)
    return render(request, "providers/list.html", {"table": table, "range": month})


def _table(request: HttpRequest, report: ProvidersReport, now: datetime) -> Table:
    sorting = read_sorting(request, SORTS, default="name", text=("name", "status"))
    states = sorted(report.states, key=SORTS["name"])
    states.sort(key=SORTS[sorting.column], reverse=sorting.is_descending)
    page = paginate_table(request, states, of="providers", anchor="#providers")
    sums = spend(report.total, report.currency, report.reading)
    has_agents = bool(report.unassigned_agents)
    return Table(
        "Connected providers",
        (*COLUMNS, *([AGENTS_COLUMN] if has_agents else [])),
        tuple(_row(state, now, has_agents=has_agents) for state in page.items),
        Row(
            (
                *("Total", *sums, "", "", "", str(report.unassigned_keys)),
                *([str(report.unassigned_agents)] if has_agents else []),
            )
        ),
        sorting=sorting,
        csv_url=csv_url(request, "providers"),
        page=None if page.is_whole else page,
        says_rounding=None if page.is_whole else False,
    )


def _row(state: ProviderState, now: datetime, *, has_agents: bool) -> Row:
    return Row(
        (
            formatters.provider(state.provider),
            *spend(state.totals, state.provider.currency, state.reading, words_for([state.provider])),
            type_label(state.provider.type),
            status(state.status.value, state.status.label),
            _last_sync(state.provider, now),
            str(state.unassigned_keys),
            *([str(state.unassigned_agents)] if has_agents else []),
        )
    )


def _last_sync(provider: Provider, now: datetime) -> Cell:
    """How long ago; the file has the moment itself."""
    at = provider.last_synced_at
    if at is not None:
        return Cell(ago(at, now), at.isoformat(timespec="seconds"))
    return Cell("First sync in progress" if provider.status(now) == Provider.Status.SYNCING else "Not yet", "")
