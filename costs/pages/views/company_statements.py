"""A company's statements: its months, and the statement of one – which is what a client is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from core.months import days_of, name_of
from core.paging import paginate
from core.table_csv import asked_table, csv_url, table_csv
from costs.models import Statement
from costs.pages import formatters
from costs.pages.notices import Notice, simulated_notice, unread_notice
from costs.pages.statement_csv import statement_csv
from costs.pages.statement_files import csv_file
from costs.pages.statement_lists import months_table
from costs.pages.statement_papers import paper_of
from costs.pages.statement_tables import adjustments_table, figures_on, statement_words, sums_table, usage_table
from costs.pages.views.downloads import download
from costs.pages.views.statement_files import file_download
from costs.pages.views.statements import MONTHS_A_PAGE, refuse_future
from costs.reports.totals import NOTHING, all_usage, main_currency
from costs.statements.adjustments import closed_months
from costs.statements.client_copy import readers_copy
from costs.statements.contents import StatementView
from costs.statements.letterheads import letterhead_of
from costs.statements.reports import CompanyMonth, CompanyMonths, company_month, company_months, company_sheet
from providers.models import Company, Provider
from providers.permissions import SEE_PROVIDERS

_LINES = {
    Company.Lines.MODEL: "by model",
    Company.Lines.USE: "by use",
    Company.Lines.TOTAL: "in one line",
    Company.Lines.KEY: "by API key",
}
SOME_UNREAD = Notice("Some days have not been read yet.")


@require_safe
def company_statements(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Every month in which a company used something or was billed, newest first."""
    company = get_object_or_404(Company, pk=pk)
    months = company_months(company, today=timezone.now().date())
    page = paginate(request, months.sheets, of="statements", size=MONTHS_A_PAGE)
    sees_all = request.user.has_perm(SEE_PROVIDERS)
    shown: Sequence[StatementView] = [sheet if sees_all else readers_copy(sheet) for sheet in page.items]
    providers = list(Provider.objects.all())
    currency = main_currency(sum((sheet.usage_totals for sheet in shown), NOTHING), providers)
    table = months_table(
        shown,
        currency,
        [_month_and_status(sheet, months) for sheet in shown],
        caption=f"Statements of {company.name}",
        csv_url=csv_url(request, "statements"),
        words=statement_words(page.items, providers),
        page=None if page.is_whole else page,
    )
    if asked_table(request, {"statements": table}):
        return download(table_csv(table), name=[company.name, "statements"])
    context = {
        "company": company,
        "page": page,
        "sees_all": sees_all,
        "table": table,
        "simulated": simulated_notice(providers) if sees_all else None,
    }
    return render(request, "statements/company.html", context)


def _month_and_status(sheet: StatementView, months: CompanyMonths) -> tuple[SafeString, str]:
    url = reverse("companies:statement", args=[sheet.company.pk, sheet.month])
    link = format_html('<a class="row-link" href="{}">{}</a>', url, name_of(sheet.month))
    if sheet.closed:
        return link, f"Closed on {formatters.day(sheet.closed.closed_at.date())}"
    return link, "Not closed" if months.was_never_closed(sheet.month) else "Draft"


@require_safe
def company_statement(request: HttpRequest, pk: int, month: date) -> HttpResponse:
    """A statement: to its own readers as the client receives it, to the agency with its keys and costs."""
    today = timezone.now().date()
    refuse_future(month, today)
    # Who may not see providers and keys is shown what was used, not by which key, and of money what the client may see.
    sees_keys = request.user.has_perm(SEE_PROVIDERS)
    company, before, after = _among_others(pk, month) if sees_keys else (get_object_or_404(Company, pk=pk), None, None)
    providers = list(Provider.objects.all())
    report = company_month(company, month, providers, today=today)
    paper = paper_of(report, providers, report.sheet if sees_keys else readers_copy(report.sheet))
    sheet, currency, words = paper.sheet, paper.currency, paper.words
    context = {
        "company": company,
        "before": before,
        "after": after,
        "paper": paper,
        "sheet": sheet,
        "name": name_of(month),
        "days": days_of(month),
        "sees_all": sees_keys,
        "sender": "" if sees_keys else letterhead_of(sheet.closed).name,
        "client_gets": f"{_amounts_shown(sheet)}, {_LINES[sheet.lines_by]}",
        "usage": usage_table(sheet, currency, shows_keys=sees_keys, words=words) if sheet.usage else None,
        "adjustments": adjustments_table(sheet, words) if sheet.adjustments else None,
        "sums": sums_table(sheet, currency, is_known=report.is_known),
        "unread": _unread(report, providers, sees_keys=sees_keys, today=today),
    }
    return render(request, "statements/statement.html", context)


def _amounts_shown(sheet: StatementView) -> str:
    """What the client gets of money: "cost and mark-up" where there is one."""
    is_cost_alone = sheet.amounts_shown == Company.Amounts.COST and not sheet.percents
    return "costs" if is_cost_alone else sheet.amounts_shown.label.lower()


def _among_others(pk: int, month: date) -> tuple[Company, Company | None, Company | None]:
    """The company, and those before and after it by name that have a statement of the month; one query."""
    frozen = Statement.objects.filter(company=OuterRef("pk"), closed_month__month=month)
    used = all_usage().filter(company=OuterRef("pk")).sums_of_months().filter(day=month)
    found = Company.objects.filter(Q(Exists(frozen)) | Q(Exists(used)) | Q(pk=pk))
    companies = sorted(found, key=lambda company: company.name.casefold())
    place = next((place for place, company in enumerate(companies) if company.pk == pk), None)
    if place is None:
        raise Http404
    before = companies[place - 1] if place else None
    return companies[place], before, companies[place + 1] if place + 1 < len(companies) else None


@require_safe
def company_statement_csv(request: HttpRequest, pk: int, month: date) -> HttpResponseBase:
    """The same, line by line; to its own readers under a name that is the agency's."""
    today = timezone.now().date()
    refuse_future(month, today)
    company = get_object_or_404(Company, pk=pk)
    providers = list(Provider.objects.all())
    if not request.user.has_perm(SEE_PROVIDERS):
        report = company_month(company, month, providers, today=today)
        paper = paper_of(report, providers, readers_copy(report.sheet))
        return file_download(csv_file(paper, letterhead_of(paper.sheet.closed)), "text/csv; charset=utf-8")
    sheet = company_sheet(company, month, closed_months())
    chunks = statement_csv(sheet, shows_keys=True, figures=figures_on(sheet, statement_words([sheet], providers)))
    name = [sheet.company_name, "statement", f"{month:%Y-%m}", *([] if sheet.closed else ["draft"])]
    return download(chunks, name=name)


def _unread(report: CompanyMonth, providers: list[Provider], *, sees_keys: bool, today: date) -> Notice | None:
    """What a draft lacks; providers are named to those who may know them."""
    if not report.unread:
        return None
    return unread_notice(providers, report.coverages, today=today) if sees_keys else SOME_UNREAD
