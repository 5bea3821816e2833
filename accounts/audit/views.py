"""Settings → Audit log: the entries, newest first, filtered by the URL, and the same as CSV."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.audit.filters import AuditFilterForm
from accounts.audit.listing import AUDIT_LOG, audit_csv
from core.audit import audit_event
from core.paging import CountedRows, paginate
from core.responses import before_sending
from core.table_csv import PARAMETER, csv_content, csv_response, csv_url, file_name

SLUG = "audit"


@require_safe
def audit_log(request: HttpRequest) -> HttpResponseBase:
    form = AuditFilterForm(request.GET)
    entries = form.entries()
    if request.GET.get(PARAMETER) == SLUG and not form.errors:
        return _download(form)
    form.offer_actors()
    page = paginate(request, CountedRows(entries), of="the audit log")
    table = AUDIT_LOG.table(
        "Audit log, newest first", page.items, css="data--top audit", csv_url=csv_url(request, SLUG), page=page
    )
    context = {"form": form, "table": table}
    return render(request, "audit/list.html", context, status=422 if form.errors else 200)


def _download(form: AuditFilterForm) -> HttpResponseBase:
    """Recorded before the log is read for the file, so that the file holds its own download."""
    filters = {name: str(value) for name, value in form.cleaned_data.items() if value}
    name = ["audit-log", *filters.values()]
    measured = audit_csv(form.entries())
    response = csv_response(measured, name=name)

    def record() -> None:
        audit_event("audit.exported", file_name(name), new=filters)
        measured.close()
        response.streaming_content = csv_content(audit_csv(form.entries()))

    before_sending(response, record)
    return response
