"""The key table of a provider's page: usage, company and state of each key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.http import HttpRequest
from django.utils.html import format_html

from core.days import DateRange
from core.names import isolated
from core.paging import paginate
from core.querystate import Choice, choices, read_sorting
from core.table_csv import csv_url
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.pages.key_cells import (
    KEY_SORTS,
    SELECT_ALL,
    PaidKey,
    company_cell,
    figure_cells,
    in_order,
    name_cell,
    paid_keys,
    select_cell,
)
from costs.pages.usage_tables import USAGE_COLUMNS, figures
from costs.pages.words import PageWords
from costs.reports.provider import ProviderReport
from costs.reports.totals import total_of

KEY_FILTERS = {"all": "All", "unassigned": "Unassigned"}
_SPEND, *_USAGE = (
    replace(column, sort=slug if (slug := column.label.lower()) in KEY_SORTS else "") for column in USAGE_COLUMNS
)
# The money comes second: on a phone there is room for two columns.
KEY_COLUMNS = (
    Column("API key", is_number=False, sort="name", heads_rows=True),
    _SPEND,
    Column("Company", is_number=False, sort="company", css=""),
    *_USAGE,
    Column("Last used", sort="used"),
)


@dataclass(frozen=True)
class KeyTable:
    """The table with the choice of what it shows."""

    table: Table
    shown: str  # one of KEY_FILTERS
    filters: tuple[Choice, ...]

    @property
    def is_filtered(self) -> bool:
        return self.shown != "all"


def key_table(
    request: HttpRequest, report: ProviderReport, days: DateRange, now: datetime, words: PageWords, query: str
) -> KeyTable:
    """The keys that ``?show=`` leaves, a page of them drawn; ``query`` keeps the range in links to their pages."""
    chosen_filter, filters = choices(request, "show", KEY_FILTERS, page=None)
    sorting = read_sorting(request, KEY_SORTS, default="-spend", text=("name", "company"))
    paid = paid_keys(report.keys, report)
    keys = in_order((key for key in paid if chosen_filter == "all" or not key.payers), sorting)
    them = "API keys and agents" if report.has_agents else "API keys"
    page = paginate(request, keys, of=them, anchor="#keys")
    drawn = {key.project.pk for key in page.items}
    may_assign = request.user.has_perm("providers.assign_project")
    total = total_of(key.usage.totals for key in keys)
    spent, *sums = figures(total, report.currency, report.coverage.reading, words)

    def row(key: PaidKey) -> Row:
        spend, *usage = figure_cells(key, report, words)
        return Row(
            (
                select_cell(key.project),
                name_cell(key, query, now=now, words=words),
                spend,
                company_cell(request, key) if key.project.pk in drawn else key.payers_text,
                *usage,
                formatters.day(key.project.last_used_on),
            ),
            is_muted=key.usage.totals.is_idle and not key.payers,
            id=f"key-{key.project.pk}",
        )

    table = Table(
        format_html("{} of {}, {}", them, isolated(report.provider.name), days),
        (Column("", css="select-cell", head=SELECT_ALL, on_page=may_assign, in_file=False), *_key_columns(report)),
        tuple(map(row, keys)),
        Row(("", "Total" if chosen_filter == "all" else "Total of these", spent, "", *sums, "")),
        sorting=sorting,
        csv_url=csv_url(request, "keys"),
        page=page,
        drawn=page.place,
    )
    return KeyTable(table.with_figures(words.metrics), chosen_filter, filters)


def _key_columns(report: ProviderReport) -> tuple[Column, ...]:
    """Where there are agents, the first column says that it holds them too."""
    first, *others = KEY_COLUMNS
    return (replace(first, label="API key or agent") if report.has_agents else first, *others)
