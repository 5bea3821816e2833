"""Deleting expired records, in small batches.

Every step may be interrupted and repeated, also by two machines at once. Usage, restatements, assignments, statements
and whatever they refer to are never deleted here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from accounts.models import AuditEntry, Session
from alerts.models import Alert
from api.models import KeptAnswer
from costs.models import ConversationDay, Restatement
from providers.models import AssignmentChange, SyncRun

# Rows a statement: short enough for a writer who waits for it.
BATCH = 1000

# How long assigning can be undone. What it came to stands in the audit log.
UNDO_KEPT_FOR = timedelta(days=365)

# How long a program may repeat itself with the same Idempotency-Key.
ANSWERS_KEPT_FOR = timedelta(days=1)

# With who has read them and how they were delivered: long enough to look at the same month of the year before.
ALERTS_KEPT_FOR = timedelta(days=400)


# How long sums of agents' conversations are evidence for sharing usage.
CONVERSATIONS_KEPT_FOR = timedelta(days=100)


@dataclass(frozen=True)
class Cleaned:
    """How many rows of one kind were deleted, or would be."""

    what: str
    number: int


def clean_up(*, now: datetime, dry_run: bool = False) -> Iterator[Cleaned]:
    """Delete what has grown too old at ``now``, kind by kind; with ``dry_run`` only count it."""
    act: Callable[[QuerySet[Any]], int] = QuerySet.count if dry_run else _delete
    for what, rows in (
        ("Audit entries", _old_audit_entries(now)),
        ("Sync runs", _old_runs(now)),
        ("Assignments that could be undone", AssignmentChange.objects.filter(made_at__lt=now - UNDO_KEPT_FOR)),
        ("Days of agents' conversations", ConversationDay.objects.filter(day__lt=now.date() - CONVERSATIONS_KEPT_FOR)),
        ("Kept answers of the API", KeptAnswer.objects.filter(made_at__lt=now - ANSWERS_KEPT_FOR)),
        ("Alerts", Alert.objects.filter(raised_at__lt=now - ALERTS_KEPT_FOR)),
        ("Expired sessions", Session.objects.filter(expire_date__lt=now)),
    ):
        yield Cleaned(what, act(rows))
    yield Cleaned("Expired cache entries", _clean_cache(now, dry_run=dry_run))


def _old_audit_entries(now: datetime) -> QuerySet[AuditEntry]:
    if not settings.AUDIT_KEEP_DAYS:
        return AuditEntry.objects.none()
    return AuditEntry.objects.before(now - timedelta(days=settings.AUDIT_KEEP_DAYS))


def _old_runs(now: datetime) -> QuerySet[SyncRun]:
    """Finished ones, but never a provider's latest of an outcome, nor one that explains a restatement."""
    if not settings.SYNC_RUN_KEEP_DAYS:
        return SyncRun.objects.none()
    later = SyncRun.objects.filter(
        Q(finished_at__gt=OuterRef("finished_at")) | Q(finished_at=OuterRef("finished_at"), pk__gt=OuterRef("pk")),
        provider=OuterRef("provider"),
        outcome=OuterRef("outcome"),
    )
    return SyncRun.objects.filter(
        Exists(later),
        ~Exists(Restatement.objects.filter(run=OuterRef("pk"))),
        finished_at__lt=now - timedelta(days=settings.SYNC_RUN_KEEP_DAYS),
    )


def _delete(rows: QuerySet[Any]) -> int:
    """Batch by batch, each a transaction of its own, in the order of the keys so that two at once don't deadlock."""
    model: type[Model] = rows.model
    deleted = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        # The plain manager: the audit log's own refuses.
        deleted += model._base_manager.filter(pk__in=keys).delete()[0]
    return deleted


def _clean_cache(now: datetime, *, dry_run: bool) -> int:
    """The database cache deletes an expired entry only when it is asked for, or when there are too many."""
    table = connection.ops.quote_name(str(settings.CACHES["default"]["LOCATION"]))
    expired = f"FROM {table} WHERE expires < %s"
    parameters = [connection.ops.adapt_datetimefield_value(now)]
    with connection.cursor() as cursor:
        if dry_run:
            cursor.execute(f"SELECT COUNT(*) {expired}", parameters)
            return int(cursor.fetchone()[0])
        cursor.execute(f"DELETE {expired}", parameters)
        return int(cursor.rowcount)
