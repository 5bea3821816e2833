"""Settings → Audit log: the entries, newest first, filtered by the URL, and the same as CSV."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.audit.exporting import audit_csv
from accounts.audit.filters import AuditFilterForm
from accounts.audit.labels import Change, act, changes
from accounts.audit.models import AuditEntry
from core.audit import audit_event
from core.paging import CountedRows, paginate
from core.table_csv import PARAMETER, csv_response, csv_url, file_name

SLUG = "audit"


@dataclass(frozen=True)
class Line:
    """An entry as the page shows it."""

    entry: AuditEntry
    act: str
    changes: list[Change]


@require_safe
def audit_log(request: HttpRequest) -> HttpResponseBase:
    form = AuditFilterForm(request.GET)
    entries = form.entries()
    if request.GET.get(PARAMETER) == SLUG and not form.errors:
        return _download(form)
    form.offer_actors()
    page = paginate(request, CountedRows(entries), of="the audit log")
    context = {
        "form": form,
        "page": page,
        "lines": [Line(entry, act(entry.action), changes(entry)) for entry in page.items],
        "csv_url": csv_url(request, SLUG),
    }
    return render(request, "audit/list.html", context, status=422 if form.errors else 200)


def _download(form: AuditFilterForm) -> HttpResponseBase:
    """Told before it is read, so that it stands in its own file."""
    filters = {name: str(value) for name, value in form.cleaned_data.items() if value}
    name = ["audit-log", *filters.values()]
    audit_event("audit.exported", file_name(name), new=filters)
    return csv_response(audit_csv(form.entries()), name=name)
