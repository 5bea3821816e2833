"""Statements as files: one as PDF; of a month all as one PDF or a ZIP, and a CSV for the books."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.audit import audit_event
from core.responses import before_sending
from costs.models import Letterhead
from costs.pages.statement_files import File, accounting_csv, pdf_file, zip_file
from costs.pages.statement_papers import Paper, paper_of, papers_of
from costs.pages.views.downloads import download
from costs.pages.views.statements import refuse_future
from costs.statements.client_copy import readers_copy
from costs.statements.closing import month_statuses
from costs.statements.letterheads import letterhead_of
from costs.statements.reports import MonthReport, company_month, month_report
from providers.models import Company, Provider
from providers.permissions import SEE_PROVIDERS

PDF, ZIP = "application/pdf", "application/zip"


@require_safe
def company_statement_pdf(request: HttpRequest, pk: int, month: date) -> HttpResponse:
    """What the client is sent."""
    today = timezone.now().date()
    refuse_future(month, today)
    company = get_object_or_404(Company, pk=pk)
    providers = list(Provider.objects.all())
    report = company_month(company, month, providers, today=today)
    own = None if request.user.has_perm(SEE_PROVIDERS) else readers_copy(report.sheet)
    return file_download(pdf_file([paper_of(report, providers, own)], letterhead_of(report.sheet.closed)), PDF)


@require_safe
def month_pdf(request: HttpRequest, month: date) -> HttpResponse:  # noqa: ARG001 - the framework's signature
    """All statements one after another."""
    return _of_month(month, pdf_file, PDF)


@require_safe
def month_zip(request: HttpRequest, month: date) -> HttpResponse:  # noqa: ARG001 - the framework's signature
    """A PDF of each."""
    return _of_month(month, zip_file, ZIP)


@require_safe
def month_accounting(request: HttpRequest, month: date) -> HttpResponseBase:  # noqa: ARG001 - the framework's signature
    """What each statement comes to, for the books."""
    report, _providers = _report(month)
    return download(accounting_csv(report), name=["accounting", f"{month:%Y-%m}"])


def _of_month(month: date, made: Callable[[Sequence[Paper], Letterhead], File], content_type: str) -> HttpResponse:
    """A month without statements has no such file; its page says so."""
    report, providers = _report(month)
    closed = report.status.all_closed
    papers = papers_of(report, providers, closing_began=closed.first if closed and month < closed.first else None)
    if not papers:
        return redirect("statements:month", month)
    return file_download(made(papers, letterhead_of(report.status.closed)), content_type)


def _report(month: date) -> tuple[MonthReport, list[Provider]]:
    now = timezone.now()
    refuse_future(month, now.date())
    providers = list(Provider.objects.all())
    (status,) = month_statuses([month], providers=providers, now=now)
    return month_report(status, providers, today=now.date(), with_lines=True), providers


def file_download(file: File, content_type: str) -> HttpResponse:
    """A download; the audit log records its name, which says what it holds."""
    name, content = file
    response = HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
    before_sending(response, lambda: audit_event("statement.exported", name))
    return response
