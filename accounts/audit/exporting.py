"""The audit log as CSV."""

from __future__ import annotations

import json
from collections.abc import Generator

from django.db.models import QuerySet

from accounts.audit.models import AuditEntry
from core.csv_files import csv_chunks, csv_text, escape_formula

COLUMNS = (
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
)


def audit_csv(entries: QuerySet[AuditEntry]) -> Generator[str]:
    """``entries`` in their order under COLUMNS, in chunks; ``old`` and ``new`` are JSON, times are UTC."""
    yield csv_text([COLUMNS])
    yield from csv_chunks(_line(entry) for entry in entries.iterator(chunk_size=2000))


def _line(entry: AuditEntry) -> tuple[str, ...]:
    return (
        entry.at.isoformat(timespec="seconds"),
        escape_formula(entry.actor_name),
        entry.address,
        escape_formula(entry.request_id),
        entry.action,
        entry.target_type,
        "" if entry.target_id is None else str(entry.target_id),
        escape_formula(entry.target_name),
        json.dumps(entry.old, ensure_ascii=False) if entry.old else "",
        json.dumps(entry.new, ensure_ascii=False) if entry.new else "",
    )
