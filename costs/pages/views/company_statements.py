"""A company's statements: its months, and the statement of one – which is what a client is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from core.months import days_of, name_of
from core.paging import paginate
from core.table_csv import asked_table, csv_url, table_csv
from core.wording import joined
from costs.pages import formatters
from costs.pages.notices import Notice, simulated_only, unread_notice
from costs.pages.statement_csv import statement_csv
from costs.pages.statement_lists import months_table
from costs.pages.statement_tables import adjustments_table, figures_on, statement_words, sums_table, usage_table
from costs.pages.views.downloads import download
from costs.pages.views.statements import MONTHS_A_PAGE, refuse_future
from costs.reports.metrics import METRICS
from costs.reports.totals import NOTHING, main_currency
from costs.statements.adjustments import closed_months
from costs.statements.client_copy import readers_copy
from costs.statements.contents import StatementView
from costs.statements.reports import CompanyMonth, CompanyMonths, company_month, company_months, company_sheet
from providers.models import Company, Provider
from providers.permissions import SEE_PROVIDERS

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
        "simulated": simulated_only(providers) if sees_all else [],
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
    """The statement that a client is sent; until the month is closed a draft of it."""
    today = timezone.now().date()
    refuse_future(month, today)
    company = get_object_or_404(Company, pk=pk)
    providers = list(Provider.objects.all())
    report = company_month(company, month, providers, today=today)
    currency = report.currency
    # Who may not see providers and keys is shown what was used, not by which key, and of money what the client may see.
    sees_keys = request.user.has_perm(SEE_PROVIDERS)
    simulated = {provider.name for provider in simulated_only(providers)}
    words = statement_words([report.sheet], providers)
    sheet = report.sheet if sees_keys else readers_copy(report.sheet)
    figures = [METRICS[slug].label.lower() for slug in figures_on(sheet, words) if slug != "cost"]
    context = {
        "company": company,
        "words": words,
        "partial_figures": joined(figures).capitalize() if figures else "",
        "sheet": sheet,
        "name": name_of(month),
        "days": days_of(month),
        "sees_all": sees_keys,
        "usage": usage_table(sheet, currency, shows_keys=sees_keys, words=words) if sheet.usage else None,
        "adjustments": adjustments_table(sheet, words) if sheet.adjustments else None,
        "sums": sums_table(sheet, currency, is_known=report.is_known, words=words),
        "has_estimates": report.has_estimates,
        "has_partial": report.has_partial,
        "unread": _unread(report, providers, sees_keys=sees_keys, today=today),
        "never_closed_before": name_of(report.closing_began) if report.closing_began else "",
        "is_simulated": any(line.provider_name in simulated for line in report.sheet.usage),
    }
    return render(request, "statements/statement.html", context)


@require_safe
def company_statement_csv(request: HttpRequest, pk: int, month: date) -> HttpResponseBase:
    """The same, line by line."""
    refuse_future(month, timezone.now().date())
    company = get_object_or_404(Company, pk=pk)
    sheet = company_sheet(company, month, closed_months())
    figures = figures_on(sheet, statement_words([sheet], Provider.objects.all()))
    sees_keys = request.user.has_perm(SEE_PROVIDERS)
    chunks = statement_csv(sheet if sees_keys else readers_copy(sheet), shows_keys=sees_keys, figures=figures)
    name = [sheet.company_name, "statement", f"{month:%Y-%m}", *([] if sheet.closed else ["draft"])]
    return download(chunks, name=name)


def _unread(report: CompanyMonth, providers: list[Provider], *, sees_keys: bool, today: date) -> Notice | None:
    """What a draft lacks; providers are named to those who may know them."""
    if not report.unread:
        return None
    return unread_notice(providers, report.coverages, today=today) if sees_keys else SOME_UNREAD
