"""The key table of a provider's page: what each key used, whose it is, what has become of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.cells import Cell, with_hint
from core.money import UNKNOWN
from core.paging import PAGE_SIZE, paginate
from core.querystate import Sorting, choices, natural, read_sorting
from core.table_csv import csv_url
from core.tables import Column, Row, Table, heading
from costs.models import AttributedUsageQuerySet
from costs.pages import formatters
from costs.pages.usage_tables import USAGE_COLUMNS, figures, reported
from costs.pages.words import PageWords, words_for
from costs.reports import breakdowns
from costs.reports.totals import NOTHING, Totals
from costs.usage.coverage import Coverage
from providers.models import NO_PERIODS, Assignment, Company, Period, Periods, Project, Provider, describe_shares

# Who pays, and which part of it in percent; nobody: unassigned.
Payers = tuple[tuple[Company, Decimal], ...]


@dataclass(frozen=True)
class KeyRow:
    """A row of the key table."""

    project: Project
    name: SafeString
    totals: Totals
    figures: tuple[str, ...]
    is_present_key: bool
    payers: Payers
    shared: str  # how usage without a key is shared, where no assignment says otherwise
    company_note: str  # when its company changes or changed
    last_used: str

    @property
    def company(self) -> Company | None:
        """Whose it is today; of a split key nobody's alone."""
        return self.payers[0][0] if len(self.payers) == 1 else None

    @property
    def payers_text(self) -> str:
        return self.shared or described(self.payers)


KEY_SORTS: Mapping[str, Callable[[KeyRow], Any]] = {
    "name": lambda row: natural(row.project.display_name),
    "company": lambda row: natural(row.payers_text if row.payers else ""),
    "spend": lambda row: row.totals.sort_amount,
    "credits": lambda row: row.totals.credits or 0,
    "minutes": lambda row: row.totals.minutes or 0,
    "requests": lambda row: row.totals.requests or 0,
    "used": lambda row: row.project.last_used_on or date.min,
}
KEY_COLUMNS = (
    Column("API key", is_number=False, sort="name"),
    Column("Company", is_number=False, sort="company"),
    Column("Spend", sort="spend", figure="cost"),
    Column("Credits", sort="credits", figure="credits"),
    Column("Minutes", sort="minutes", figure="minutes"),
    Column("Requests", sort="requests", figure="requests"),
    Column("Last used", sort="used"),
)
KEY_FILTERS = {"all": "All", "unassigned": "Unassigned"}


def key_rows(
    provider: Provider,
    usage: AttributedUsageQuerySet,
    companies: Mapping[int, Company],
    currency: str,
    coverage: Coverage,
    now: datetime,
) -> list[KeyRow]:
    projects = list(Project.objects.for_provider(provider).with_presence())
    by_project = breakdowns.project_breakdown(usage, projects)
    stored = Assignment.objects.filter(project__provider=provider).by_project()
    words = words_for([provider])
    rows = []
    for line in by_project.lines:
        project = line.subject
        periods = stored.get(project.pk, NO_PERIODS)
        in_force = periods.on(now.date())
        rows.append(
            KeyRow(
                project=project,
                name=formatters.project(project, now=now, words=words),
                totals=line.totals,
                figures=reported(
                    _unknown(line.totals, provider, project)
                    or figures(line.totals, currency, coverage.row_reading, words),
                    words,
                ),
                is_present_key=project.is_present_key,
                payers=_named(in_force, companies) if in_force else (),
                shared="" if in_force else _sharing(provider, project),
                company_note=_company_note(periods, companies, now.date()),
                last_used=formatters.day(project.last_used_on),
            )
        )
    return rows


def _unknown(totals: Totals, provider: Provider, project: Project) -> tuple[str, ...]:
    """The cells of a key whose account tells totals alone: what it used is unknown, not zero. Else nothing."""
    if provider.source != Provider.Source.ACCOUNT_TOTALS or project.kind != Project.Kind.KEY or not totals.is_empty:
        return ()
    reason = "Account totals tell nothing of single keys"
    return (Cell(with_hint(UNKNOWN, reason), None, reason),) * len(USAGE_COLUMNS)


def described(payers: Payers) -> str:
    return describe_shares((breakdowns.told_apart(company.name, "company"), percent) for company, percent in payers)


def _sharing(provider: Provider, project: Project) -> str:
    """ "Shared evenly", "Shared by usage"; empty for what is not shared."""
    if project.kind != Project.Kind.KEYLESS or provider.keyless_sharing == Provider.KeylessSharing.NONE:
        return ""
    return str(Provider.KeylessSharing(provider.keyless_sharing).label)


def _named(period: Period, companies: Mapping[int, Company]) -> Payers:
    """The payers of a period, whoever pays most first."""
    payers = [(companies[company_id], percent) for company_id, percent in period.payers]
    return tuple(sorted(payers, key=lambda payer: (-payer[1], natural(payer[0].name))))


def _company_note(periods: Periods, companies: Mapping[int, Company], today: date) -> str:
    """The nearest changes of whose a key is, in words."""
    period, following = periods.on(today), periods.after(today)
    notes = [f"since {formatters.day(period.starts_on)}"] if period and not period.is_from_the_beginning else []
    if following:
        notes.append(f"{described(_named(following[0], companies))} from {formatters.day(following[0].starts_on)}")
    return " · ".join(notes)


def key_table(
    request: HttpRequest, rows: list[KeyRow], currency: str, coverage: Coverage, words: PageWords
) -> dict[str, Any]:
    columns = [column for column in KEY_COLUMNS if not column.figure or column.figure in words.metrics]
    chosen_filter, filters = choices(request, "show", KEY_FILTERS, page=None)
    sorting: Sorting = read_sorting(request, KEY_SORTS, default="-spend", text=("name", "company"))
    shown = [row for row in rows if chosen_filter == "all" or not row.payers]
    shown.sort(key=lambda row: natural(row.project.display_name))
    shown.sort(key=KEY_SORTS[sorting.column], reverse=sorting.is_descending)
    total = sum((row.totals for row in shown), NOTHING)
    total_figures = reported(figures(total, currency, coverage.reading, words), words)
    return {
        "keys": paginate(request, shown, of="API keys", anchor="#keys"),
        "has_keys": bool(rows),
        "filters": filters,
        "shown": chosen_filter,
        "key_csv": _csv_table(request, columns, shown, total_figures),
        "is_filtered": chosen_filter != "all",
        "key_headings": [heading(column, sorting) for column in columns],
        "key_totals": total_figures,
        "is_paged": len(shown) > PAGE_SIZE,
    }


def _csv_table(request: HttpRequest, columns: Sequence[Column], rows: Sequence[KeyRow], total: Sequence[str]) -> Table:
    """All rows that the filter leaves, in the order of the page."""
    return Table(
        "API keys",
        tuple(columns),
        tuple(Row((row.name, row.payers_text, *row.figures, row.last_used)) for row in rows),
        Row(("Total", "", *total, "")),
        csv_url=csv_url(request, "keys"),
    )
