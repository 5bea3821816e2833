"""The list of API keys: what its address asks for, its table, and the chips and fields that change both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html

from core.paging import Page
from core.querystate import Sorting, link, read_sorting
from core.sorting import natural
from core.table_csv import csv_url, paginate_table
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
from costs.reports.keys import KeysReport
from costs.reports.totals import Totals
from costs.usage.coverage import joint_coverage
from providers.finding import FLAGS, PARAMETERS, KeyFilter
from providers.models import Project

SORTS: Mapping[str, Callable[[PaidKey], Any]] = {
    **KEY_SORTS,
    "workspace": lambda key: natural(key.project.provider.name),
    "share": KEY_SORTS["spend"],
    "first": lambda key: key.project.first_used_on or date.min,
}
# What can be chosen, by the parameter's value; the name and the company are always there.
COLUMNS: Mapping[str, Column] = {
    "workspace": Column("Workspace", is_number=False, sort="workspace", css=""),
    **{column.label.lower(): column for column in USAGE_COLUMNS},
    "share": Column("Share", unit="%", sort="share"),
    "first": Column("First used", sort="first"),
    "used": Column("Last used", sort="used"),
    "hint": Column("Hint", is_number=False, css=""),
}
DEFAULT_COLUMNS = ("workspace", "spend", "credits", "requests", "used")
KINDS: Mapping[str, str] = {
    Project.Kind.KEY: "API keys",
    Project.Kind.AGENT: "Agents",
    Project.Kind.PERSON: "People",
    Project.Kind.KEYLESS: "Usage without a key",
    Project.Kind.ACCOUNT: "Account totals",
}
# What neither the form of filters nor that of columns sends itself, and both have to keep.
_KEPT = ("from", "to", "sort")


@dataclass(frozen=True)
class Chip:
    """A filter that is on; ``url`` is the same list without it."""

    label: str
    url: str


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class KeyList:
    table: Table
    page: Page
    chips: tuple[Chip, ...]
    fields: Mapping[str, Any]  # of the form: what can be chosen, and what is
    matching: str  # what stands for "all that match" in a form
    clear_url: str


def key_list(
    request: HttpRequest, report: KeysReport, wanted: KeyFilter, now: datetime, words: PageWords, query: str
) -> KeyList:
    """A page of the keys of ``report``, or all of them where the address asks for a file."""
    sorting = read_sorting(request, SORTS, default="-spend", text=("name", "company", "workspace"))
    keys = in_order(paid_keys(report.keys, report), sorting, SORTS)
    page = paginate_table(request, keys, of="API keys", anchor="#keys")
    offered = _offered(report, words)
    chosen = _chosen_columns(request, offered)
    columns = [Option(name, str(COLUMNS[name].label), name in chosen) for name in offered]
    return KeyList(
        table=_table(request, report, chosen, sorting, page, now=now, words=words, query=query),
        page=page,
        chips=tuple(_chips(request, report, wanted)),
        fields=_fields(request, report, wanted, columns),
        matching=f"?{wanted.query}",
        clear_url=link(request, page=None, q=None, provider=None, company=None, kind=None, **dict.fromkeys(FLAGS)),
    )


def _table(
    request: HttpRequest,
    report: KeysReport,
    chosen: Sequence[str],
    sorting: Sorting,
    page: Page,
    *,
    now: datetime,
    words: PageWords,
    query: str,
) -> Table:
    may_assign = request.user.has_perm("providers.assign_project")
    sums = _by_column(figures(report.total, report.currency, joint_coverage(report.coverages.values()).reading, words))
    sums["share"] = _share(report.total, report)
    # The money comes second: on a phone there is room for two columns.
    second = [name for name in chosen if name == "spend"]
    others = [name for name in chosen if name != "spend"]
    columns = (
        Column("", css="select-cell", head=SELECT_ALL, on_page=may_assign, in_file=False),
        Column("API key", is_number=False, sort="name", heads_rows=True),
        *(COLUMNS[name] for name in second),
        Column("Company", is_number=False, sort="company", css=""),
        *(COLUMNS[name] for name in others),
    )

    def row(key: PaidKey) -> Row:
        project = key.project
        cells = _by_column(figure_cells(key, report, words)) | {
            "workspace": formatters.provider(project.provider, query),
            "share": _share(key.usage.totals, report),
            "first": formatters.day(project.first_used_on),
            "used": formatters.day(project.last_used_on),
            "hint": f"··{project.hint}" if project.hint else "",
        }
        return Row(
            (
                select_cell(project),
                name_cell(key, query, now=now, words=words),
                *(cells[name] for name in second),
                company_cell(request, key),
                *(cells[name] for name in others),
            ),
            is_muted=key.usage.totals.is_idle and not key.payers,
            id=f"key-{project.pk}",
        )

    return Table(
        format_html("API keys, {}", report.days),
        columns,
        tuple(map(row, page.items)),
        Row(
            (
                *("", f"Total of {len(report.keys):,}"),
                *(sums[name] for name in second),
                *("", *(sums.get(name, "") for name in others)),
            )
        ),
        sorting=sorting,
        csv_url=csv_url(request, "keys"),
        page=page,
        says_rounding=None if page.is_whole else False,
    )


def _by_column(cells: Sequence[str]) -> dict[str, str]:
    return {column.label.lower(): cell for column, cell in zip(USAGE_COLUMNS, cells, strict=True)}


def _share(totals: Totals, report: KeysReport) -> str:
    """Of what all keys cost, in the main currency."""
    return formatters.share(totals, report.everything, report.currency)


def _chosen_columns(request: HttpRequest, offered: Sequence[str]) -> list[str]:
    """Those of ``?column=``, in the table's order."""
    asked = set(request.GET.getlist("column")) & set(offered) or DEFAULT_COLUMNS
    return [name for name in offered if name in asked]


def _offered(report: KeysReport, words: PageWords) -> list[str]:
    """Without the workspace where there is only one, and figures that none of them reports."""
    several = len(report.providers) > 1
    return [
        name
        for name, column in COLUMNS.items()
        if (several or name != "workspace") and (not column.figure or column.figure in words.metrics)
    ]


def _chips(request: HttpRequest, report: KeysReport, wanted: KeyFilter) -> Iterator[Chip]:
    def chip(label: str, parameter: str) -> Chip:
        return Chip(label, link(request, page=None, **{parameter: None}))

    if wanted.text:
        yield chip(f"“{wanted.text}”", "q")
    if wanted.provider is not None:
        names = {provider.pk: provider.name for provider in report.providers}
        yield chip(f"Workspace: {names.get(wanted.provider, 'unknown')}", "provider")
    if wanted.company is not None:
        company = report.companies.get(wanted.company)
        yield chip(f"Company: {company.name if company else 'unknown'}", "company")
    if wanted.kind:
        yield chip(KINDS[wanted.kind], "kind")
    for flag, label in FLAGS.items():
        if flag in wanted.flags:
            yield chip(label, flag)


def _fields(request: HttpRequest, report: KeysReport, wanted: KeyFilter, columns: Sequence[Option]) -> dict[str, Any]:
    companies = sorted(report.companies.values(), key=lambda company: natural(company.name))
    return {
        "text": wanted.text,
        "kept": _parameters(request, (*_KEPT, "column")),
        "filters": _parameters(request, (*_KEPT, *PARAMETERS)),
        "providers": [Option(str(one.pk), one.name, one.pk == wanted.provider) for one in report.providers],
        "companies": [Option(str(one.pk), one.name, one.pk == wanted.company) for one in companies],
        "kinds": [Option(kind, label, kind == wanted.kind) for kind, label in KINDS.items() if kind in report.kinds],
        "flags": [Option(flag, label, flag in wanted.flags) for flag, label in FLAGS.items()],
        "columns": columns,
    }


def _parameters(request: HttpRequest, names: Sequence[str]) -> list[tuple[str, str]]:
    """Those of the address, for hidden fields."""
    return [(name, value) for name in names for value in request.GET.getlist(name) if value]
