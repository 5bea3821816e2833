"""Reports on months, for pages and files: the status of every month, the statements of one month or company.

One function returns each report as a frozen dataclass, without any formatting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from core.days import EARLIEST_DAY, DateRange
from core.months import days_of, first_of, months_between
from costs.models import ClosedMonth, StatementLine
from costs.reports.totals import NOTHING, Totals, all_usage, main_currency, sums_by, totals
from costs.statements.adjustments import ClosedMonths, closed_months, pending_adjustments
from costs.statements.closing import MonthStatus, known_since, month_statuses
from costs.statements.contents import (
    StatementView,
    draft_sheet,
    draft_sheets,
    draft_sums,
    draft_totals,
    frozen_sheets,
    frozen_totals,
)
from costs.statements.summed import summed_drafts, summed_statements
from costs.usage.coverage import Coverage, Reading, coverage_by_provider, coverage_of_ranges, joint_coverage
from providers.models import Company, Provider

# --- All months -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MonthLine:
    status: MonthStatus
    on_statements: Totals  # without mark-ups
    unassigned: Totals  # now, on no statement
    reading: Reading  # of its days, now

    @property
    def statements_reading(self) -> Reading:
        """What was frozen is the whole, whatever has been read since."""
        return Reading.WHOLE if self.status.closed else self.reading


@dataclass(frozen=True)
class MonthsReport:
    lines: tuple[MonthLine, ...]
    currency: str


@dataclass(frozen=True)
class KnownMonths:
    """The status of each month of which anything is known, newest first."""

    statuses: tuple[MonthStatus, ...]
    closed: ClosedMonths | None


def known_months(providers: Sequence[Provider], *, now: datetime) -> KnownMonths:
    """``providers`` are all of them; at most five queries."""
    closed = closed_months()
    since = known_since(providers, closed.first if closed else None)
    months = months_between(since, first_of(now.date())) if since else []
    return KnownMonths(tuple(month_statuses(months, providers=providers, now=now, since=since)), closed)


def months_report(
    statuses: Sequence[MonthStatus], providers: Sequence[Provider], *, closed: ClosedMonths | None, today: date
) -> MonthsReport:
    """The amounts of months in a row, newest first, at least one; the same few queries for any number."""
    span = DateRange(statuses[-1].month, days_of(statuses[0].month).last)
    frozen = frozen_totals([status.closed for status in statuses if status.closed])
    on_statements = draft_totals(span, closed=closed) | frozen
    unassigned = sums_by(all_usage().between(span.first, span.last).filter(company=None), "month")
    coverages = coverage_of_ranges(providers, [days_of(status.month) for status in statuses], today=today)
    return MonthsReport(
        lines=tuple(
            MonthLine(
                status=status,
                on_statements=on_statements.get(status.month, NOTHING),
                unassigned=unassigned.get(status.month, NOTHING),
                reading=joint_coverage(of_month.values()).reading,
            )
            for status, of_month in zip(statuses, coverages, strict=True)
        ),
        currency=main_currency(sum((*on_statements.values(), *unassigned.values()), NOTHING), providers),
    )


# --- One month --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """A change of a closed month's cost that no statement carries yet."""

    company_name: str
    line: StatementLine


@dataclass(frozen=True)
class MonthReport:
    """The statements of all companies: frozen ones where the month is closed, else what they would say."""

    status: MonthStatus
    sheets: tuple[StatementView, ...]
    unassigned: Totals  # now
    changes: tuple[Change, ...]  # by company name
    coverages: dict[int, Coverage]  # by provider id
    currency: str

    @property
    def month(self) -> date:
        return self.status.month

    @property
    def unassigned_reading(self) -> Reading:
        return joint_coverage(self.coverages.values()).reading

    @property
    def reading(self) -> Reading:
        """What was frozen is the whole, whatever has been read since."""
        return Reading.WHOLE if self.status.closed else self.unassigned_reading


def month_report(
    status: MonthStatus, providers: Sequence[Provider], *, today: date, with_lines: bool = False
) -> MonthReport:
    """``providers`` are all of them. Files have each line of the statements, ``with_lines``, and show no changes."""
    month, days = status.month, days_of(status.month)
    if status.closed:
        sheets = frozen_sheets([status.closed]) if with_lines else summed_statements(status.closed)
    else:
        sheets = (draft_sheets if with_lines else summed_drafts)(month, closed=status.all_closed)
    unassigned = totals(all_usage().between(days.first, days.last).filter(company=None))
    return MonthReport(
        status=status,
        sheets=tuple(sheets),
        unassigned=unassigned,
        changes=_changes_since(status) if status.closed and not with_lines else (),
        coverages=coverage_by_provider(providers, days, today=today),
        currency=main_currency(sum((sheet.usage_totals for sheet in sheets), unassigned), providers),
    )


def _changes_since(status: MonthStatus) -> tuple[Change, ...]:
    found = pending_adjustments(status.all_closed, with_reasons=True)
    pending = [item for item in found if item[1].month == status.month]
    if not pending:
        return ()
    names = dict(Company.objects.filter(pk__in={pk for pk, _line in pending}).values_list("pk", "name"))
    pending.sort(key=lambda item: names[item[0]].casefold())
    return tuple(Change(names[pk], line) for pk, line in pending)


# --- One company ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CompanyMonths:
    """Every month in which a company used something or was billed, newest first."""

    sheets: tuple[StatementView, ...]
    closed: ClosedMonths | None  # of all companies

    def was_never_closed(self, month: date) -> bool:
        """Closing began after it."""
        return self.closed is not None and month < self.closed.first


def company_months(company: Company, *, today: date) -> CompanyMonths:
    closed = closed_months()
    sheets = [
        *draft_sums(DateRange(EARLIEST_DAY, today), company=company, closed=closed),
        *frozen_sheets(ClosedMonth.objects.all(), company=company),
    ]
    return CompanyMonths(tuple(sorted(sheets, key=lambda sheet: sheet.month, reverse=True)), closed)


@dataclass(frozen=True)
class CompanyMonth:
    """A company's statement of a month; a draft where the month is not closed."""

    sheet: StatementView
    coverages: dict[int, Coverage]  # of a draft, by provider id
    currency: str
    closing_began: date | None  # of a month before it: the first that was closed

    @property
    def unread(self) -> bool:
        return bool(joint_coverage(self.coverages.values()).unread)

    @property
    def is_known(self) -> bool:
        """Whether a zero would be true: it was frozen, or some of its days have been read."""
        return bool(self.sheet.closed) or joint_coverage(self.coverages.values()).reading is not Reading.NONE

    @property
    def has_estimates(self) -> bool:
        return any(line.estimated for line in self.sheet.lines)

    @property
    def has_partial(self) -> bool:
        """Some figure is the sum of a part of the usage alone, because the rest does not tell it."""
        return any(getattr(self.sheet.usage_totals, name) is not None for name in self.sheet.usage_totals.untold)


def company_month(company: Company, month: date, providers: Sequence[Provider], *, today: date) -> CompanyMonth:
    """``providers`` are all of them."""
    closed = closed_months()
    sheet = company_sheet(company, month, closed)
    return CompanyMonth(
        sheet=sheet,
        coverages={} if sheet.closed else coverage_by_provider(providers, days_of(month), today=today),
        currency=main_currency(sheet.usage_totals, providers),
        closing_began=closed.first if closed and month < closed.first else None,
    )


def company_sheet(company: Company, month: date, closed: ClosedMonths | None) -> StatementView:
    """A company's statement of a month; without lines where there is nothing to say."""
    frozen = ClosedMonth.objects.get(month=month) if closed and month in closed else None
    found = (
        frozen_sheets([frozen], company=company)
        if frozen
        else draft_sheets(month, closed=closed, company=company, with_reasons=True)
    )
    return found[0] if found else replace(draft_sheet(company, month), closed=frozen)
