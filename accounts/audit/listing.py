"""The audit log as a page's table and as CSV: its columns."""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import UTC
from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.audit.labels import act, changes
from accounts.audit.models import AuditEntry
from core.csv_files import escape_formula
from core.listings import ListColumn, Listing
from core.names import isolated
from core.tables import Column


def audit_csv(entries: QuerySet[AuditEntry]) -> Generator[str]:
    """``entries`` in their order, in chunks; ``old`` and ``new`` are JSON, times are UTC."""
    yield from AUDIT_LOG.csv(entries.iterator(chunk_size=2000))


def _when(entry: AuditEntry) -> SafeString:
    at = entry.at.astimezone(UTC)
    return format_html('{}<span class="sub">{}</span>', f"{at.day} {at:%b %Y}", f"{at:%H:%M:%S}")


def _who(entry: AuditEntry) -> SafeString:
    return format_html('{}<span class="sub">{}</span>', isolated(entry.actor_name), entry.address)


def _what(entry: AuditEntry) -> SafeString:
    return format_html('{}<span class="sub">{}</span>', act(entry.action), isolated(entry.target_name))


def _changes(entry: AuditEntry) -> SafeString:
    lines = ((change.label, change.text) for change in changes(entry))
    return format_html_join("", '<p><span class="muted">{}:</span> {}</p>', lines)


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True) if values else ""


AUDIT_LOG = Listing[AuditEntry](
    (
        ListColumn(
            Column("When (UTC)", is_number=False, css="nowrap"),
            _when,
            {"at": lambda entry: entry.at.isoformat(timespec="seconds")},
        ),
        ListColumn(
            Column("Who", is_number=False, css="audit__who"),
            _who,
            {
                "actor": lambda entry: escape_formula(entry.actor_name),
                "address": lambda entry: entry.address,
                "request_id": lambda entry: escape_formula(entry.request_id),
            },
        ),
        ListColumn(
            Column("What", is_number=False, heads_rows=True),
            _what,
            {
                "action": lambda entry: entry.action,
                "target_type": lambda entry: entry.target_type,
                "target_id": lambda entry: "" if entry.target_id is None else str(entry.target_id),
                "target": lambda entry: escape_formula(entry.target_name),
            },
        ),
        ListColumn(
            Column("Old → new", is_number=False, css="audit__changes"),
            _changes,
            {"old": lambda entry: _json(entry.old), "new": lambda entry: _json(entry.new)},
        ),
    ),
    file_columns=(
        "at",
        "actor",
        "address",
        "request_id",
        "action",
        "target_type",
        "target_id",
        "target",
        "old",
        "new",
    ),
)
