"""Every usage row of a range as a file: the product's own CSV, and FOCUS 1.2.

Narrowed by the URL as the pages are: ``from`` and ``to``, ``provider`` and ``company`` by id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.audit import audit_event
from core.responses import before_sending
from core.table_csv import csv_response
from costs.exports.focus import focus_csv
from costs.exports.usage import usage_csv
from costs.models import AttributedUsageQuerySet
from costs.pages.ranges import read_range
from costs.reports.totals import usage_by_key
from providers.models import Company, Provider


@require_safe
def usage_export(request: HttpRequest) -> HttpResponseBase:
    """The columns of ``manage.py export_usage``."""
    return _export(request, "usage", usage_csv)


@require_safe
def focus_export(request: HttpRequest) -> HttpResponseBase:
    """FOCUS 1.2; rows without a price are left out, as the format has no place for them."""
    return _export(request, "focus", focus_csv)


def _export(
    request: HttpRequest, kind: str, write: Callable[[AttributedUsageQuerySet], Iterator[str]]
) -> HttpResponseBase:
    chosen = read_range(request, today=timezone.now().date())
    if chosen.error:
        problem = {"title": "Nothing was exported", "sentences": [chosen.error], "back": "/"}
        response: HttpResponse = render(request, "problem.html", problem, status=chosen.status)
        return response
    usage = usage_by_key().between(chosen.range.first, chosen.range.last)
    filters: dict[str, str] = {}
    subject: Company | Provider | None = None
    if company_id := request.GET.get("company"):
        subject = get_object_or_404(Company, pk=_id(company_id))
        usage = usage.filter(company=subject)
        filters["company"] = subject.name
    if provider_id := request.GET.get("provider"):
        subject = get_object_or_404(Provider, pk=_id(provider_id))
        usage = usage.for_provider(subject)
        filters["provider"] = subject.name
    told = {"format": kind, "from": chosen.range.first.isoformat(), "to": chosen.range.last.isoformat()} | filters
    about = subject or request.user  # signed in, as every page requires
    download = csv_response(write(usage), name=[kind, *filters.values()], days=chosen.range)
    before_sending(download, lambda: audit_event("usage.exported", about, new=told))  # type: ignore[arg-type]
    return download


def _id(text: str) -> int:
    """A row's id as a URL has it; 0, which no row has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0
