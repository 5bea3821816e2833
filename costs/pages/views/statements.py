"""Statements: the months, and all companies' statements of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from core.cells import Cell
from core.months import days_of, following, name_of
from core.names import isolated
from core.paging import Page, paginate
from core.table_csv import PARAMETER, asked_table, csv_url, table_csv
from core.tables import Column, Row, Table
from core.wording import moment
from costs.models import ClosedMonth
from costs.pages import formatters
from costs.pages.closing_words import sentences, status_label
from costs.pages.notices import simulated_notice, unread_notice
from costs.pages.statement_lists import billed_totals, companies_table
from costs.pages.statement_tables import statement_words
from costs.pages.views.downloads import download
from costs.pages.words import PageWords, words_for
from costs.statements.closing import MonthStatus, State, month_statuses, next_to_close
from costs.statements.contents import StatementView, totals_of
from costs.statements.reports import MonthLine, MonthReport, MonthsReport, known_months, month_report, months_report
from providers.models import Provider

MONTHS_A_PAGE = 24
CLOSES_MONTHS = "costs.close_month"


# --- Months -----------------------------------------------------------------------------------------------------------


@require_safe
def statement_months(request: HttpRequest) -> HttpResponseBase:
    """Every month of which anything is known, newest first, with its status."""
    now = timezone.now()
    providers = list(Provider.objects.all())
    known = known_months(providers, now=now)
    page = paginate(request, known.statuses, of="months", size=MONTHS_A_PAGE)
    table = None
    if known.statuses:
        report = months_report(page.items, providers, closed=known.closed, today=now.date())
        table = _months_table(request, report, page, words_for(providers))
    if table and (asked := asked_table(request, {"months": table})):
        return download(table_csv(asked[1]), name=["statements"])
    context = {
        "table": table,
        "ready": next_to_close(known.statuses),
        "simulated": simulated_notice(providers),
    }
    return render(request, "statements/list.html", context)


def _months_table(request: HttpRequest, report: MonthsReport, page: Page, words: PageWords) -> Table:
    may_close = request.user.has_perm(CLOSES_MONTHS)
    return Table(
        "Months",
        (
            Column("Month", is_number=False),
            Column("Cost on statements"),
            Column("Unassigned now"),
            Column("Status", is_number=False),
        ),
        tuple(Row(_month(line, report.currency, words, may_close=may_close)) for line in report.lines),
        csv_url=csv_url(request, "months"),
        page=None if page.is_whole else page,
    )


def _month(line: MonthLine, currency: str, words: PageWords, *, may_close: bool) -> tuple[str, ...]:
    return (
        _month_link(line.status.month),
        formatters.money(line.on_statements, currency, reading=line.statements_reading, in_cents=True, words=words),
        formatters.money(line.unassigned, currency, reading=line.reading, words=words),
        status_cell(line.status, links_close=may_close),
    )


def _month_link(month: date) -> SafeString:
    return format_html(
        '<a class="row-link" href="{}">{}</a>', reverse("statements:month", args=[month]), name_of(month)
    )


def status_cell(status: MonthStatus, *, links_close: bool = False) -> Cell:
    """The status of a month: an icon and a word, never colour alone."""
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
        return Cell(html, status_label(status))
    return Cell(format_html("{}", status_label(status)), status_label(status))


def closed_words(closed: ClosedMonth) -> str:
    """ "9 Nov 2026, 08:14 UTC by operator"."""
    by = f" by {closed.closed_by.get_username()}" if closed.closed_by else ""
    return f"{moment(closed.closed_at)} UTC{by}"


# --- One month --------------------------------------------------------------------------------------------------------


@require_safe
def statement_month(request: HttpRequest, month: date) -> HttpResponseBase:
    """The statements of all companies: frozen ones where the month is closed, else what they would say."""
    now = timezone.now()
    refuse_future(month, now.date())
    providers = list(Provider.objects.all())
    (status,) = month_statuses([month], providers=providers, now=now)
    report = month_report(status, providers, today=now.date())
    context = month_context(report, providers, today=now.date()) | {"may_close": request.user.has_perm(CLOSES_MONTHS)}
    tables = {name: context[name] for name in ("statements", "changed") if context[name]}
    if asked := asked_table(request, tables):
        slug, table = asked
        return download(table_csv(table), name=[slug, f"{month:%Y-%m}"])
    return render(request, "statements/month.html", context)


def month_context(report: MonthReport, providers: Sequence[Provider], *, today: date) -> dict[str, Any]:
    """What the page of a month and the one that closes it have in common."""
    status, month, sheets = report.status, report.month, report.sheets
    words, all_words = statement_words(sheets, providers), words_for(providers)
    url = reverse("statements:month", args=[month])
    statements = companies_table(
        sheets,
        report.currency,
        [_company_link(sheet) for sheet in sheets],
        caption=f"Statements of {name_of(month)}",
        csv_url=f"{url}?{PARAMETER}=statements",
        words=words,
    )
    return {
        "status": status,
        "status_label": status_label(status),
        "reasons": sentences(status.reasons),
        "month": month,
        "name": name_of(month),
        "next_name": name_of(following(month)),
        "days": days_of(month),
        "closed_words": closed_words(status.closed) if status.closed else "",
        "sheets": sheets,
        "statements": statements,
        "cost": _billed(report, words),
        "with_markup": _billed(report, words, with_markup=True) if any(sheet.percents for sheet in sheets) else "",
        "unassigned": formatters.money(
            report.unassigned, report.currency, reading=report.unassigned_reading, words=all_words
        ),
        "changed": _changed(report, all_words, f"{url}?{PARAMETER}=changed") if report.changes else None,
        "unread": None if status.closed else unread_notice(providers, report.coverages, today=today),
        "simulated": simulated_notice(providers),
    }


def _billed(report: MonthReport, words: PageWords, *, with_markup: bool = False) -> Cell:
    billed = billed_totals(report.sheets, with_markup=with_markup)
    return formatters.money(billed, report.currency, reading=report.reading, in_cents=True, words=words)


def _company_link(sheet: StatementView) -> SafeString:
    url = reverse("companies:statement", args=[sheet.company.pk, sheet.month])
    return format_html('<a class="row-link" href="{}">{}</a>', url, isolated(sheet.company_name))


def _changed(report: MonthReport, words: PageWords, csv_url: str) -> Table:
    return Table(
        f"What has changed of {name_of(report.month)} since it was closed",
        (
            Column("Company", is_number=False),
            Column("Change of the cost"),
            Column("Reason", is_number=False, css="is-text is-sentence"),
        ),
        tuple(
            Row(
                (
                    change.company_name,
                    formatters.money(totals_of(change.line), change.line.currency, in_cents=True, words=words),
                    change.line.reason,
                )
            )
            for change in report.changes
        ),
        csv_url=csv_url,
    )


def refuse_future(month: date, today: date) -> None:
    """Raises Http404 for a month that has not begun."""
    if month > today:
        raise Http404
