"""Settings → Audit log: the entries, newest first, filtered by the URL, and the same as CSV."""

from __future__ import annotations

from datetime import UTC

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_safe

from accounts.audit.exporting import audit_csv
from accounts.audit.filters import AuditFilterForm
from accounts.audit.labels import act, changes
from accounts.audit.models import AuditEntry
from core.audit import audit_event
from core.names import isolated
from core.paging import CountedRows, paginate
from core.responses import before_sending
from core.table_csv import PARAMETER, csv_content, csv_response, csv_url, file_name
from core.tables import Column, Row, Table

SLUG = "audit"


COLUMNS = (
    Column("When (UTC)", is_number=False, css="nowrap"),
    Column("Who", is_number=False, css="audit__who"),
    Column("What", is_number=False, heads_rows=True),
    Column("Old → new", is_number=False, css="audit__changes"),
)


@require_safe
def audit_log(request: HttpRequest) -> HttpResponseBase:
    form = AuditFilterForm(request.GET)
    entries = form.entries()
    if request.GET.get(PARAMETER) == SLUG and not form.errors:
        return _download(form)
    form.offer_actors()
    page = paginate(request, CountedRows(entries), of="the audit log")
    table = Table(
        "Audit log, newest first",
        COLUMNS,
        tuple(_row(entry) for entry in page.items),
        css="data--top audit",
        csv_url=csv_url(request, SLUG),
        page=page,
    )
    context = {"form": form, "table": table}
    return render(request, "audit/list.html", context, status=422 if form.errors else 200)


def _row(entry: AuditEntry) -> Row:
    at = entry.at.astimezone(UTC)
    told = ((change.label, change.text) for change in changes(entry))
    return Row(
        (
            format_html('{}<span class="sub">{}</span>', f"{at.day} {at:%b %Y}", f"{at:%H:%M:%S}"),
            format_html('{}<span class="sub">{}</span>', isolated(entry.actor_name), entry.address),
            format_html('{}<span class="sub">{}</span>', act(entry.action), isolated(entry.target_name)),
            format_html_join("", '<p><span class="muted">{}:</span> {}</p>', told),
        )
    )


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
