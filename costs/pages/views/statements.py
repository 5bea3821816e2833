"""Statements: the months, all companies' statements of one, and a company's own – which is what a client is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models.functions import TruncMonth
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from core.cells import Cell
from core.days import EARLIEST_DAY, DateRange
from core.months import days_of, first_of, following, months_between, name_of
from core.names import isolated
from core.paging import Page, paginate
from core.table_csv import PARAMETER, asked_table, csv_url, table_csv
from core.tables import Column, Row, Table
from core.wording import joined, moment
from costs.models import ClosedMonth
from costs.pages import formatters
from costs.pages.statement_csv import statement_csv
from costs.pages.statement_lists import (
    billed_totals,
    companies_table,
    months_table,
)
from costs.pages.statement_tables import adjustments_table, figures_on, statement_words, sums_table, usage_table
from costs.pages.views.downloads import download
from costs.pages.views.notices import Notice, simulated_only, unread_notice
from costs.reports.metrics import METRICS
from costs.reports.totals import NOTHING, all_usage, main_currency, totals, totals_by
from costs.statements.adjustments import ClosedMonths, closed_months, pending_adjustments
from costs.statements.closing import MonthStatus, State, known_since, month_statuses, next_to_close
from costs.statements.contents import (
    StatementView,
    draft_sheets,
    draft_sums,
    draft_totals,
    frozen_sheets,
    frozen_totals,
    totals_of,
)
from costs.usage.coverage import Coverage, Reading, coverage_by_provider, coverage_of_ranges, joint_coverage
from providers.models import Company, Provider

MONTHS_A_PAGE = 24
# Who may not see providers and keys is shown what was used, not by which key.
SEES_KEYS = "providers.view_provider"
CLOSES_MONTHS = "costs.close_month"
SOME_UNREAD = Notice("Some days have not been read yet.")


# --- Months -----------------------------------------------------------------------------------------------------------


@require_safe
def statement_months(request: HttpRequest) -> HttpResponseBase:
    """Every month of which anything is known, newest first, and how it stands."""
    now = timezone.now()
    providers = list(Provider.objects.all())
    closed = closed_months()
    since = known_since(providers, closed.first if closed else None)
    months = months_between(since, first_of(now.date())) if since else []
    statuses = month_statuses(months, providers=providers, now=now, since=since)
    page = paginate(request, statuses, of="months", size=MONTHS_A_PAGE)
    table = _months_table(request, page, providers, closed, now.date()) if statuses else None
    if table and (asked := asked_table(request, {"months": table})):
        return download(table_csv(asked[1]), name=["statements"])
    context = {
        "table": table,
        "ready": next_to_close(statuses),
        "simulated": simulated_only(providers),
    }
    return render(request, "statements/list.html", context)


def _months_table(
    request: HttpRequest,
    page: Page,
    providers: Sequence[Provider],
    closed: ClosedMonths | None,
    today: date,
) -> Table:
    statuses: Sequence[MonthStatus] = page.items
    span = DateRange(statuses[-1].month, days_of(statuses[0].month).last)
    on_statements = draft_totals(span, closed=closed) | frozen_totals([each.closed for each in statuses if each.closed])
    nobodys = all_usage().between(span.first, span.last).filter(company=None).annotate(month=TruncMonth("day"))
    unassigned = {month: sums for (month,), sums in totals_by(nobodys, "month").items()}
    coverages = coverage_of_ranges(providers, [days_of(status.month) for status in statuses], today=today)
    readings = [joint_coverage(of_month.values()).reading for of_month in coverages]
    currency = main_currency(sum((*on_statements.values(), *unassigned.values()), NOTHING), providers)
    may_close = request.user.has_perm(CLOSES_MONTHS)
    return Table(
        "Months",
        (
            Column("Month", is_number=False),
            Column("Status", is_number=False),
            Column("Cost on statements"),
            Column("Unassigned now"),
        ),
        tuple(
            Row(
                (
                    _month_link(status.month),
                    status_cell(status, links_close=may_close),
                    formatters.money(
                        on_statements.get(status.month, NOTHING),
                        currency,
                        reading=Reading.WHOLE if status.closed else reading,
                        in_cents=True,
                    ),
                    formatters.money(unassigned.get(status.month, NOTHING), currency, reading=reading),
                )
            )
            for status, reading in zip(statuses, readings, strict=True)
        ),
        csv_url=csv_url(request, "months"),
        page=None if page.is_whole else page,
    )


def _month_link(month: date) -> SafeString:
    return format_html(
        '<a class="row-link" href="{}">{}</a>', reverse("statements:month", args=[month]), name_of(month)
    )


def status_cell(status: MonthStatus, *, links_close: bool = False) -> Cell:
    """How a month stands: an icon and a word, never colour alone."""
    if status.closed:
        words = closed_words(status.closed)
        html = format_html('<span class="nowrap">Closed</span><span class="sub">{}</span>', words)
        return Cell(html, f"Closed {words}")
    if status.state is State.READY and links_close:
        html = format_html(
            '<a href="{}">Ready to close<span class="visually-hidden">: {}</span></a>',
            reverse("statements:close", args=[status.month]),
            name_of(status.month),
        )
        return Cell(html, status.label)
    return Cell(format_html("{}", status.label), status.label)


def closed_words(closed: ClosedMonth) -> str:
    """ "9 Nov 2026, 08:14 UTC by operator"."""
    by = f" by {closed.closed_by.get_username()}" if closed.closed_by else ""
    return f"{moment(closed.closed_at)} UTC{by}"


# --- One month --------------------------------------------------------------------------------------------------------


@require_safe
def statement_month(request: HttpRequest, month: date) -> HttpResponseBase:
    """The statements of all companies: frozen ones where the month is closed, else what they would say."""
    now = timezone.now()
    _refuse_future(month, now.date())
    providers = list(Provider.objects.all())
    (status,) = month_statuses([month], providers=providers, now=now)
    context = month_context(status, providers, today=now.date()) | {"may_close": request.user.has_perm(CLOSES_MONTHS)}
    tables = {name: context[name] for name in ("statements", "changed") if context[name]}
    if asked := asked_table(request, tables):
        slug, table = asked
        return download(table_csv(table), name=[slug, f"{month:%Y-%m}"])
    return render(request, "statements/month.html", context)


def month_context(status: MonthStatus, providers: Sequence[Provider], *, today: date) -> dict[str, Any]:
    """What the page of a month and the one that closes it have in common."""
    month, days = status.month, days_of(status.month)
    sheets = frozen_sheets([status.closed]) if status.closed else draft_sheets(month, closed=closed_months())
    unassigned = totals(all_usage().between(days.first, days.last).filter(company=None))
    coverages = coverage_by_provider(providers, days, today=today)
    currency = main_currency(sum((sheet.usage_totals for sheet in sheets), unassigned), providers)
    unassigned_reading = joint_coverage(coverages.values()).reading
    reading = Reading.WHOLE if status.closed else unassigned_reading
    url = reverse("statements:month", args=[month])
    return {
        "status": status,
        "month": month,
        "name": name_of(month),
        "next_name": name_of(following(month)),
        "days": days,
        "closed_words": closed_words(status.closed) if status.closed else "",
        "sheets": sheets,
        "statements": companies_table(
            sheets,
            currency,
            [_company_link(sheet) for sheet in sheets],
            caption=f"Statements of {name_of(month)}",
            csv_url=f"{url}?{PARAMETER}=statements",
        ),
        "cost": formatters.money(billed_totals(sheets), currency, reading=reading, in_cents=True),
        "with_markup": formatters.money(
            billed_totals(sheets, with_markup=True), currency, reading=reading, in_cents=True
        )
        if any(sheet.percents for sheet in sheets)
        else "",
        "unassigned_totals": unassigned,
        "unassigned": formatters.money(unassigned, currency, reading=unassigned_reading),
        "changed": _changed_since(month, f"{url}?{PARAMETER}=changed") if status.closed else None,
        "unread": None if status.closed else unread_notice(providers, coverages, today=today),
        "simulated": simulated_only(providers),
    }


def _company_link(sheet: StatementView) -> SafeString:
    url = reverse("companies:statement", args=[sheet.company.pk, sheet.month])
    return format_html('<a class="row-link" href="{}">{}</a>', url, isolated(sheet.company_name))


def _changed_since(month: date, csv_url: str) -> Table | None:
    """What has become of a closed month and is on no statement yet."""
    adjustments = pending_adjustments(closed_months(), with_reasons=True)
    pending = [(pk, line) for pk, line in adjustments if line.month == month]
    if not pending:
        return None
    names = dict(Company.objects.filter(pk__in={pk for pk, _line in pending}).values_list("pk", "name"))
    pending.sort(key=lambda item: names[item[0]].casefold())
    return Table(
        f"What has changed of {name_of(month)} since it was closed",
        (Column("Company", is_number=False), Column("Reason", is_number=False), Column("Change of the cost")),
        tuple(
            Row((names[pk], line.reason, formatters.money(totals_of(line), line.currency, in_cents=True)))
            for pk, line in pending
        ),
        csv_url=csv_url,
    )


# --- One company ------------------------------------------------------------------------------------------------------


@require_safe
def company_statements(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Every month in which a company used something or was billed, newest first."""
    company = get_object_or_404(Company, pk=pk)
    closed = closed_months()
    until_today = DateRange(EARLIEST_DAY, timezone.now().date())
    sheets = [
        *draft_sums(until_today, company=company, closed=closed),
        *frozen_sheets(ClosedMonth.objects.all(), company=company),
    ]
    sheets.sort(key=lambda sheet: sheet.month, reverse=True)
    page = paginate(request, sheets, of="statements", size=MONTHS_A_PAGE)
    shown: Sequence[StatementView] = page.items
    currency = main_currency(sum((sheet.usage_totals for sheet in shown), NOTHING), Provider.objects.all())
    table = months_table(
        shown,
        currency,
        [_month_and_status(sheet, closed) for sheet in shown],
        caption=f"Statements of {company.name}",
        csv_url=csv_url(request, "statements"),
        page=None if page.is_whole else page,
    )
    if asked_table(request, {"statements": table}):
        return download(table_csv(table), name=[company.name, "statements"])
    context = {
        "company": company,
        "page": page,
        "sees_all": request.user.has_perm(SEES_KEYS),
        "table": table,
        "simulated": _simulated(request),
    }
    return render(request, "statements/company.html", context)


def _month_and_status(sheet: StatementView, closed: ClosedMonths | None) -> tuple[SafeString, str]:
    url = reverse("companies:statement", args=[sheet.company.pk, sheet.month])
    link = format_html('<a class="row-link" href="{}">{}</a>', url, name_of(sheet.month))
    if sheet.closed:
        return link, f"Closed on {formatters.day(sheet.closed.closed_at.date())}"
    return link, "Not closed" if closed and sheet.month < closed.first else "Draft"


@require_safe
def company_statement(request: HttpRequest, pk: int, month: date) -> HttpResponse:
    """The statement that a client is sent; until the month is closed a draft of it."""
    today = timezone.now().date()
    company = get_object_or_404(Company, pk=pk)
    closed = closed_months()
    sheet = _sheet(company, month, closed, today)
    sees_keys = request.user.has_perm(SEES_KEYS)
    days = days_of(month)
    providers = list(Provider.objects.all())
    coverages = {} if sheet.closed else coverage_by_provider(providers, days, today=today)
    simulated = {provider.name for provider in simulated_only(providers)}
    coverage = joint_coverage(coverages.values())
    currency = main_currency(sheet.usage_totals, providers)
    is_known = bool(sheet.closed) or coverage.reading is not Reading.NONE
    words = statement_words(sheet, providers)
    figures = [METRICS[slug].label.lower() for slug in figures_on(sheet, words) if slug != "cost"]
    context = {
        "company": company,
        "words": words,
        "partial_figures": joined(figures).capitalize() if figures else "",
        "sheet": sheet,
        "name": name_of(month),
        "days": days,
        "sees_all": sees_keys,
        "usage": usage_table(sheet, currency, shows_keys=sees_keys, words=words) if sheet.usage else None,
        "adjustments": adjustments_table(sheet) if sheet.adjustments else None,
        "sums": sums_table(sheet, currency, is_known=is_known),
        "has_estimates": any(line.estimated for line in sheet.lines),
        "has_partial": any(getattr(sheet.usage_totals, name) is not None for name in sheet.usage_totals.untold),
        "unread": _unread(coverage, coverages, providers, sees_keys=sees_keys, today=today),
        "never_closed_before": name_of(closed.first) if closed and month < closed.first else "",
        "is_simulated": any(line.provider_name in simulated for line in sheet.usage),
    }
    return render(request, "statements/statement.html", context)


@require_safe
def company_statement_csv(request: HttpRequest, pk: int, month: date) -> HttpResponseBase:
    """The same, line by line."""
    company = get_object_or_404(Company, pk=pk)
    sheet = _sheet(company, month, closed_months(), timezone.now().date())
    figures = figures_on(sheet, statement_words(sheet, Provider.objects.all()))
    chunks = statement_csv(sheet, shows_keys=request.user.has_perm(SEES_KEYS), figures=figures)
    name = [sheet.company_name, "statement", f"{month:%Y-%m}", *([] if sheet.closed else ["draft"])]
    return download(chunks, name=name)


def _sheet(company: Company, month: date, closed: ClosedMonths | None, today: date) -> StatementView:
    """A company's statement of a month; without lines where there is nothing to say. Raises Http404 for the future."""
    _refuse_future(month, today)
    frozen = ClosedMonth.objects.get(month=month) if closed and month in closed else None
    found = (
        frozen_sheets([frozen], company=company)
        if frozen
        else draft_sheets(month, closed=closed, company=company, with_reasons=True)
    )
    return found[0] if found else StatementView(company, company.name, month, company.markup_percent, (), frozen)


def _unread(
    coverage: Coverage, coverages: dict[int, Coverage], providers: list[Provider], *, sees_keys: bool, today: date
) -> Notice | None:
    """What a draft lacks; providers are named to those who may know them."""
    if not coverages or not coverage.unread:
        return None
    return unread_notice(providers, coverages, today=today) if sees_keys else SOME_UNREAD


def _simulated(request: HttpRequest) -> list[Provider]:
    return simulated_only(Provider.objects.all()) if request.user.has_perm(SEES_KEYS) else []


def _refuse_future(month: date, today: date) -> None:
    if month > today:
        raise Http404
