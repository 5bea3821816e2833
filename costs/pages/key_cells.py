"""What tables of API keys share: who pays for each, its cells, and the columns it can be sorted by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.cells import Cell, from_template
from core.querystate import Sorting
from core.sorting import natural
from costs.pages import formatters
from costs.pages.usage_tables import USAGE_COLUMNS, figures
from costs.pages.words import PageWords
from costs.reports.breakdowns import told_apart
from costs.reports.keys import KeyUsage
from costs.usage.coverage import Coverage
from providers.models import Company, Period, Periods, Project, Provider, describe_shares
from providers.views.assigning import urls

# The companies that pay, each with its percentage; empty: unassigned.
Payers = tuple[tuple[Company, Decimal], ...]


class Keys(Protocol):
    """What a report on keys tells beside them."""

    @property
    def today(self) -> date: ...
    @property
    def companies(self) -> Mapping[int, Company]: ...
    @property
    def currency(self) -> str: ...
    @property
    def coverages(self) -> Mapping[int, Coverage]: ...


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


def paid_keys(keys: Iterable[KeyUsage], report: Keys) -> list[PaidKey]:
    return [paid_key(usage, report) for usage in keys]


def paid_key(usage: KeyUsage, report: Keys) -> PaidKey:
    in_force = usage.periods.on(report.today)
    return PaidKey(
        usage,
        payers=named_payers(in_force, report.companies) if in_force else (),
        shared="" if in_force else _sharing(usage.project.provider, usage.project),
        note=_company_note(usage.periods, report.companies, report.today),
    )


def in_order(
    keys: Iterable[PaidKey], sorting: Sorting, sorts: Mapping[str, Callable[[PaidKey], Any]] = KEY_SORTS
) -> list[PaidKey]:
    """Those that ``sorting`` leaves equal by name."""
    by_name = sorted(keys, key=sorts["name"])
    return sorted(by_name, key=sorts[sorting.column], reverse=sorting.is_descending)


def select_cell(project: Project) -> SafeString:
    return format_html(
        '<input type="checkbox" name="projects" value="{}" id="select-{}" form="bulk" aria-label="Select {}"'
        ' autocomplete="off">',
        project.pk,
        project.pk,
        project.display_name,
    )


def name_cell(key: PaidKey, query: str, *, now: datetime, words: PageWords) -> Cell:
    return formatters.project(key.project, now=now, words=words, url=f"{key.project.get_absolute_url()}{query}")


def company_cell(request: HttpRequest, key: PaidKey) -> Cell:
    """Who pays; for who may assign it with the way to another company."""
    context = {
        "row": key,
        "may_assign": request.user.has_perm("providers.assign_project"),
        "url": f"{key.project.get_absolute_url()}#company",
    }
    return from_template("keys/_company.html", context, key.payers_text)


def figure_cells(key: PaidKey, report: Keys, words: PageWords) -> tuple[str, ...]:
    """The cells of USAGE_COLUMNS. Where the account reports only totals, a key's usage is unknown, not zero."""
    totals, project = key.usage.totals, key.project
    is_unknown = project.provider.source == Provider.Source.ACCOUNT_TOTALS and project.kind == Project.Kind.KEY
    if is_unknown and totals.is_empty:
        return (formatters.unknown("Account totals tell nothing of single keys"),) * len(USAGE_COLUMNS)
    return figures(totals, report.currency, report.coverages[project.provider_id].row_reading, words)


def assigning_context(
    request: HttpRequest, companies: Iterable[Company], today: date, provider: Provider | None = None
) -> dict[str, Any]:
    """What keys/_bulk.html needs to assign keys of ``provider``, or of any."""
    return {"companies": list(companies), "here": request.get_full_path(), "today": today, **urls(provider)}


def described(payers: Payers) -> str:
    return describe_shares((told_apart(company.name, "company"), percent) for company, percent in payers)


def named_payers(period: Period, companies: Mapping[int, Company]) -> Payers:
    """The payers of a period, whoever pays most first."""
    payers = [(companies[company_id], percent) for company_id, percent in period.payers]
    return tuple(sorted(payers, key=lambda payer: (-payer[1], natural(payer[0].name))))


def _sharing(provider: Provider, project: Project) -> str:
    """ "Shared evenly", "Shared by usage"; empty for what is not shared."""
    if project.kind != Project.Kind.KEYLESS or provider.keyless_sharing == Provider.KeylessSharing.NONE:
        return ""
    return str(Provider.KeylessSharing(provider.keyless_sharing).label)


def _company_note(periods: Periods, companies: Mapping[int, Company], today: date) -> str:
    """The nearest changes of a key's company, in words."""
    period, following = periods.on(today), periods.after(today)
    notes = [f"since {formatters.day(period.starts_on)}"] if period and not period.is_from_the_beginning else []
    if following:
        notes.append(
            f"{described(named_payers(following[0], companies))} from {formatters.day(following[0].starts_on)}"
        )
    return " · ".join(notes)
