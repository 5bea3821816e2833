"""Everything that is stored, as CSV files: for leaving, for archives, for questions that no page answers.

Never a key, a password, a second factor or a token, nor what they were encrypted or hashed to: each file names the
columns that it has, and no column holds one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.audit.listing import audit_csv
from accounts.models import AuditEntry
from administrate import __version__
from alerts.export import Columns
from alerts.export import exported as exported_alerts
from core.csv_files import csv_chunks, csv_text, escape_formula, plain
from costs.exports.focus import focus_csv
from costs.exports.usage import usage_csv
from costs.models import AttributedUsage, ClosedMonth, Restatement
from costs.pages.restatements import restatements_csv
from costs.pages.statement_csv import COLUMNS as STATEMENT_COLUMNS
from costs.pages.statement_csv import statement_lines_csv
from costs.statements.contents import frozen_sheets
from providers.models import Assignment, AssignmentRule, Company, Project, Provider, SyncRun

MANIFEST: Final = "manifest.json"


@dataclass(frozen=True)
class Written:
    """One file of an export."""

    file: str
    rows: int  # without the heading
    bytes: int
    sha256: str


def files() -> Mapping[str, Callable[[], Iterator[str]]]:
    """What is exported: the CSV of each file in chunks, its heading first."""
    return {
        "usage.csv": lambda: usage_csv(AttributedUsage.objects.all()),
        "focus.csv": lambda: focus_csv(AttributedUsage.objects.all()),
        "restatements.csv": lambda: restatements_csv(Restatement.objects.all()),
        "companies.csv": lambda: _table(Company.objects.order_by("pk"), _COMPANY),
        "providers.csv": lambda: _table(Provider.objects.order_by("pk"), _PROVIDER),
        "projects.csv": lambda: _table(Project.objects.select_related("provider").order_by("pk"), _PROJECT),
        "assignments.csv": _assignments,
        "rules.csv": lambda: _table(
            AssignmentRule.objects.select_related("company", "provider").order_by("position", "pk"), _RULE
        ),
        "statements.csv": _statements,
        "sync_runs.csv": lambda: _table(SyncRun.objects.select_related("provider").order_by("pk"), _RUN),
        "audit.csv": lambda: audit_csv(AuditEntry.objects.order_by("at", "pk")),
        "members.csv": _members,
        **{name: partial(_table, rows, columns) for name, (rows, columns) in exported_alerts().items()},
    }


def export_everything(target: Path, *, now: datetime) -> list[Written]:
    """Write all files and a manifest into the folder ``target``, or into one zip file if it is named so.

    Everything is of the same moment. It is written beside the target and moved there at the end: never half an export.
    Only the owner can read it. Raises OSError – FileExistsError where the folder is there and not empty.
    """
    is_zip = target.suffix.lower() == ".zip"
    if target.exists() and (target.is_dir() == is_zip or (target.is_dir() and any(target.iterdir()))):
        raise FileExistsError(None, "something else is there already", str(target))
    workshop = Path(tempfile.mkdtemp(dir=target.absolute().parent, prefix=f".{target.name[:50]}-"))
    try:
        made = workshop / "export"
        if is_zip:
            with _private(made) as file:
                written = export_to_stream(file, now=now)
        else:
            made.mkdir(mode=0o700)
            written = _write_all(lambda name: _private(made / name), now)
        made.replace(target)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return written


def export_to_stream(file: IO[bytes], *, now: datetime) -> list[Written]:
    """The same as a zip file into ``file``, which may be a pipe; one that was cut off can't be opened."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:

        def opened(name: str) -> IO[bytes]:
            entry = zipfile.ZipInfo(name, now.astimezone(UTC).timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            return archive.open(entry, "w", force_zip64=True)

        return _write_all(opened, now)


# Opens the file of a name for writing, one at a time.
Opener = Callable[[str], IO[bytes]]


def _write_all(opened: Opener, now: datetime) -> list[Written]:
    with _one_moment():
        written = [_write(opened, name, chunks()) for name, chunks in files().items()]
    with opened(MANIFEST) as file:
        file.write(_manifest(written, now))
    return written


def _manifest(written: Sequence[Written], now: datetime) -> bytes:
    document = {
        "product": f"Administrate {__version__}",
        "exported_at": now.isoformat(timespec="seconds"),
        "files": [asdict(each) for each in written],
    }
    return f"{json.dumps(document, indent=2)}\n".encode()


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _write(opened: Opener, name: str, chunks: Iterator[str]) -> Written:
    size, lines, digest = 0, 0, hashlib.sha256()
    with opened(name) as file:
        for chunk in chunks:
            data = chunk.encode()
            file.write(data)
            digest.update(data)
            size += len(data)
            lines += _records(chunk)
    return Written(name, lines - 1, size, digest.hexdigest())


def _records(chunk: str) -> int:
    """The records of CSV text that ends with one: a line feed inside of quotes ends none."""
    return sum(part.count("\n") for part in chunk.split('"')[::2])


@contextmanager
def _one_moment() -> Iterator[None]:
    """A read-only snapshot: everything inside is read as of one moment."""
    if connection.in_atomic_block:  # the caller's snapshot
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # atomic() would take the write lock (settings.py); a deferred transaction takes none.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")


# --- What is in it ----------------------------------------------------------------------------------------------------

_COMPANY: Final[Columns] = {
    "id": lambda company: company.pk,
    "name": lambda company: company.name,
    "notes": lambda company: company.notes,
    "markup_percent": lambda company: company.markup_percent,
    "statement_amounts": lambda company: company.statement_amounts,
    "statement_lines": lambda company: company.statement_lines,
    "archived_at": lambda company: company.archived_at,
    "created_at": lambda company: company.created_at,
}
_PROVIDER: Final[Columns] = {
    "id": lambda provider: provider.pk,
    "name": lambda provider: provider.name,
    "type": lambda provider: provider.type,
    "region": lambda provider: provider.region,
    "source": lambda provider: provider.source,
    "currency": lambda provider: provider.currency,
    "keyless_sharing": lambda provider: provider.keyless_sharing,
    "credit_rate": lambda provider: provider.credit_rate,
    "credit_rate_currency": lambda provider: provider.credit_rate_currency,
    "history_from": lambda provider: provider.history_from,
    "paused_at": lambda provider: provider.paused_at,
    "disconnected_at": lambda provider: provider.disconnected_at,
    "last_synced_at": lambda provider: provider.last_synced_at,
    "created_at": lambda provider: provider.created_at,
}
_PROJECT: Final[Columns] = {
    "id": lambda project: project.pk,
    "provider": lambda project: project.provider.name,
    "project_id": lambda project: _external_id(project),
    "kind": lambda project: project.kind,
    "name": lambda project: project.name,
    "label": lambda project: project.label,
    "hint": lambda project: project.hint,
    "first_used_on": lambda project: project.first_used_on,
    "last_used_on": lambda project: project.last_used_on,
    "disabled_at": lambda project: project.disabled_at,
    "deleted_at": lambda project: project.deleted_at,
    "expires_at": lambda project: project.expires_at,
}
_ASSIGNMENT: Final[Columns] = {
    "provider": lambda part: part[0].project.provider.name,
    "project_id": lambda part: _external_id(part[0].project),
    "project": lambda part: part[0].project.display_name,
    "starts_on": lambda part: None if part[0].is_from_the_beginning else part[0].starts_on,
    "source": lambda part: part[0].source,
    "company": lambda part: part[1].company.name if part[1] else "",
    "percent": lambda part: part[1].percent if part[1] else None,
}
_RULE: Final[Columns] = {
    "position": lambda rule: rule.position,
    "kind": lambda rule: rule.kind,
    "pattern": lambda rule: rule.pattern,
    "company": lambda rule: rule.company.name,
    "provider": lambda rule: rule.provider.name if rule.provider else "",
    "created_at": lambda rule: rule.created_at,
}
_RUN: Final[Columns] = {
    "id": lambda run: run.pk,
    "provider": lambda run: run.provider.name,
    "trigger": lambda run: run.trigger,
    "window_from": lambda run: run.window_from,
    "window_to": lambda run: run.window_to,
    "rows_read": lambda run: run.rows_read,
    "rows_inserted": lambda run: run.rows_inserted,
    "rows_changed": lambda run: run.rows_changed,
    "rows_unchanged": lambda run: run.rows_unchanged,
    "outcome": lambda run: run.outcome,
    "error_code": lambda run: run.error_code,
    "error_text": lambda run: run.error_text,
    "queued_at": lambda run: run.queued_at,
    "started_at": lambda run: run.started_at,
    "finished_at": lambda run: run.finished_at,
}
_MEMBER: Final[Columns] = {
    "username": lambda user: user.get_username(),
    "first_name": lambda user: user.first_name,
    "last_name": lambda user: user.last_name,
    "email": lambda user: user.email,
    "role": lambda user: user.membership.role if hasattr(user, "membership") else "",
    "companies": lambda user: "; ".join(_companies(user)),
    "is_active": lambda user: user.is_active,
    "has_two_factor": lambda user: user.has_two_factor,
    "last_login": lambda user: user.last_login,
    "date_joined": lambda user: user.date_joined,
}


def _table(rows: QuerySet[Any] | Iterable[Any], columns: Columns) -> Iterator[str]:
    yield csv_text([tuple(columns)])
    found = rows.iterator(chunk_size=2000) if isinstance(rows, QuerySet) else iter(rows)
    yield from csv_chunks(tuple(_cell(value(row)) for value in columns.values()) for row in found)


def _assignments() -> Iterator[str]:
    """A line for each payer of each period; one without a company where a period is unassigned."""
    periods = (
        Assignment.objects.select_related("project__provider")
        .prefetch_related("shares__company")
        .order_by("project_id", "starts_on")
        .iterator(chunk_size=2000)
    )
    return _table(((period, share) for period in periods for share in (*period.shares.all(),) or (None,)), _ASSIGNMENT)


def _statements() -> Iterator[str]:
    """The lines of every frozen statement, exact, month by month, under one heading."""
    yield csv_text([STATEMENT_COLUMNS])
    for month in ClosedMonth.objects.order_by("month"):
        for sheet in frozen_sheets([month]):
            yield statement_lines_csv(sheet)


def _members() -> Iterator[str]:
    second_factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    people = (
        User.objects.select_related("membership")
        .prefetch_related("membership__companies")
        .annotate(has_two_factor=Exists(second_factors))
        .order_by("pk")
    )
    return _table(people, _MEMBER)


def _companies(user: User) -> list[str]:
    return sorted(company.name for company in user.membership.companies.all()) if hasattr(user, "membership") else []


def _external_id(project: Project) -> str:
    return "" if project.kind == Project.Kind.KEYLESS else project.external_id


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return plain(value)
        case datetime():
            return value.isoformat(timespec="seconds")
        case date():
            return value.isoformat()
    return escape_formula(str(value))
