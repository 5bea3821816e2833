"""The key table of a provider's page: usage, company and state of each key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.cells import Cell, from_template
from core.days import DateRange
from core.names import isolated
from core.paging import paginate
from core.querystate import Choice, Sorting, choices, read_sorting
from core.sorting import natural
from core.table_csv import csv_url
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.pages.usage_tables import USAGE_COLUMNS, figures
from costs.pages.words import PageWords
from costs.reports.breakdowns import told_apart
from costs.reports.provider import KeyUsage, ProviderReport
from costs.reports.totals import NOTHING
from providers.models import Company, Period, Periods, Project, Provider, describe_shares

# Of more companies than this the rows offer no choice of their own; the bulk bar does.
ROW_SELECT_LIMIT = 60
KEY_FILTERS = {"all": "All", "unassigned": "Unassigned"}

# The companies that pay, each with its percentage; empty: unassigned.
Payers = tuple[tuple[Company, Decimal], ...]


@dataclass(frozen=True)
class PaidKey:
    """A key with its payers of today by name, for the cell in which they are chosen."""

    usage: KeyUsage
    payers: Payers
    shared: str  # how usage without a key is shared, where no assignment says otherwise
    note: str  # when its company changes or changed

    @property
    def project(self) -> Project:
        return self.usage.project

    @property
    def company(self) -> Company | None:
        """Who pays for it today; of a split key no company alone."""
        return self.payers[0][0] if len(self.payers) == 1 else None

    @property
    def payers_text(self) -> str:
        return self.shared or described(self.payers)


KEY_SORTS: Mapping[str, Callable[[PaidKey], Any]] = {
    "name": lambda key: natural(key.project.display_name),
    "company": lambda key: natural(key.payers_text if key.payers else ""),
    "spend": lambda key: key.usage.totals.sort_amount,
    "credits": lambda key: key.usage.totals.credits or 0,
    "minutes": lambda key: key.usage.totals.minutes or 0,
    "requests": lambda key: key.usage.totals.requests or 0,
    "used": lambda key: key.project.last_used_on or date.min,
}
SELECT_ALL = format_html(
    '<input class="with-js" type="checkbox" data-select-all aria-label="{}">', "Select all keys of this page"
)
KEY_COLUMNS = (
    Column("API key", is_number=False, sort="name", heads_rows=True),
    Column("Company", is_number=False, sort="company", css=""),
    *(replace(column, sort=slug if (slug := column.label.lower()) in KEY_SORTS else "") for column in USAGE_COLUMNS),
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
    request: HttpRequest, report: ProviderReport, days: DateRange, now: datetime, words: PageWords
) -> KeyTable:
    """The keys that ``?show=`` leaves, a page of them drawn: for who may assign them with the forms to do it."""
    chosen_filter, filters = choices(request, "show", KEY_FILTERS, page=None)
    sorting = read_sorting(request, KEY_SORTS, default="-spend", text=("name", "company"))
    keys = _listed(report, chosen_filter, sorting)
    them = "API keys and agents" if report.has_agents else "API keys"
    page = paginate(request, keys, of=them, anchor="#keys")
    drawn = {key.project.pk for key in page.items}
    may_assign = request.user.has_perm("providers.assign_project")
    company_cell = _company_cells(request, report) if may_assign else _payers_cell
    total = sum((key.usage.totals for key in keys), NOTHING)
    sums = figures(total, report.currency, report.coverage.reading, words)
    table = Table(
        format_html("{} of {}, {}", them, isolated(report.provider.name), days),
        (Column("", css="select-cell", head=SELECT_ALL, on_page=may_assign, in_file=False), *_key_columns(report)),
        tuple(
            _row(key, company_cell(key) if key.project.pk in drawn else key.payers_text, report, now, words)
            for key in keys
        ),
        Row(("", "Total" if chosen_filter == "all" else "Total of these", "", *sums, "")),
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


def _listed(report: ProviderReport, shown: str, sorting: Sorting) -> list[PaidKey]:
    """The keys that ``shown``, one of KEY_FILTERS, leaves, in order; those that ``sorting`` leaves equal by name."""
    paid = (_paid_key(usage, report) for usage in report.keys)
    keys = sorted((key for key in paid if shown == "all" or not key.payers), key=KEY_SORTS["name"])
    return sorted(keys, key=KEY_SORTS[sorting.column], reverse=sorting.is_descending)


def _row(key: PaidKey, company: str, report: ProviderReport, now: datetime, words: PageWords) -> Row:
    return Row(
        (
            _select_cell(key.project),
            formatters.project(key.project, now=now, words=words),
            company,
            *_figures(key, report, words),
            formatters.day(key.project.last_used_on),
        ),
        is_muted=key.usage.totals.is_idle and not key.payers,
        id=f"key-{key.project.pk}",
    )


def _paid_key(usage: KeyUsage, report: ProviderReport) -> PaidKey:
    in_force = usage.periods.on(report.today)
    return PaidKey(
        usage,
        payers=_named(in_force, report.companies) if in_force else (),
        shared="" if in_force else _sharing(report.provider, usage.project),
        note=_company_note(usage.periods, report.companies, report.today),
    )


def _select_cell(project: Project) -> SafeString:
    return format_html(
        '<input type="checkbox" name="projects" value="{}" id="select-{}" form="bulk" aria-label="Select {}"'
        ' autocomplete="off">',
        project.pk,
        project.pk,
        project.display_name,
    )


def _company_cells(request: HttpRequest, report: ProviderReport) -> Callable[[PaidKey], Cell]:
    """What makes the cell in which a key's company is chosen."""
    companies = report.current_companies
    shared = {
        "row_choices": companies if len(companies) <= ROW_SELECT_LIMIT else None,
        "assign_url": reverse("providers:assign", args=[report.provider.pk]),
        "here": request.get_full_path(),
        "csrf_token": get_token(request),
    }
    return lambda key: from_template("providers/_key_company.html", {"row": key, **shared}, key.payers_text)


def _payers_cell(key: PaidKey) -> Cell:
    return from_template("providers/_key_company.html", {"row": key, "row_choices": None}, key.payers_text)


def _figures(key: PaidKey, report: ProviderReport, words: PageWords) -> tuple[str, ...]:
    """The cells of USAGE_COLUMNS. Where the account reports only totals, a key's usage is unknown, not zero."""
    totals, project = key.usage.totals, key.project
    is_unknown = report.provider.source == Provider.Source.ACCOUNT_TOTALS and project.kind == Project.Kind.KEY
    if is_unknown and totals.is_empty:
        return (formatters.unknown("Account totals tell nothing of single keys"),) * len(USAGE_COLUMNS)
    return figures(totals, report.currency, report.coverage.row_reading, words)


def described(payers: Payers) -> str:
    return describe_shares((told_apart(company.name, "company"), percent) for company, percent in payers)


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
    """The nearest changes of a key's company, in words."""
    period, following = periods.on(today), periods.after(today)
    notes = [f"since {formatters.day(period.starts_on)}"] if period and not period.is_from_the_beginning else []
    if following:
        notes.append(f"{described(_named(following[0], companies))} from {formatters.day(following[0].starts_on)}")
    return " · ".join(notes)
