"""What happened: figures that were restated after they had settled, and – for Admins – the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from ninja import Field, Query, Router, Schema

from accounts.access import AUDIT
from accounts.models import AuditEntry
from api.doors import BearerToken
from api.endpoints.providers import describe_project
from api.lists import Listed, PageQuery, list_rows
from api.models import Scope
from api.strictness import strict
from api.types import Day, Id, Named, Text, exact, iso
from costs.models import FIGURES, Restatement
from providers.permissions import SEE_PROVIDERS

router = Router(tags=["Logs"])


class SinceQuery(PageQuery):
    since: Day | None = Field(None, description="What happened on this UTC day or later.")
    after: Id | None = Field(None, description="What follows the entry of this id: where you left off.")

    def narrow(self, rows: QuerySet[Any], moment: str) -> QuerySet[Any]:
        if self.since is not None:
            rows = rows.filter(**{f"{moment}__gte": datetime.combine(self.since, time.min, UTC)})
        return rows if self.after is None else rows.filter(pk__gt=self.after)


class FiguresOut(Schema):
    credits: str | None
    minutes: str | None
    requests: str | None
    cost: str | None
    currency: str | None


class ProjectName(Schema):
    id: int
    external_id: str
    name: str
    provider: Named


class RestatementOut(Schema):
    id: int
    restated_at: datetime
    sync_run: int | None = Field(..., description="Null where it is no longer kept.")
    day: date
    project: ProjectName
    model: str
    before: FiguresOut
    after: FiguresOut


_RESTATED = ("id", "restated_at", "sync_run", "day", "project.id", "project.external_id", "project.name", "model")


@router.get(
    "/restatements",
    auth=BearerToken(Scope.COSTS, SEE_PROVIDERS),
    response=Listed[RestatementOut],
    url_name="restatements",
    operation_id="list_restatements",
)
@strict
def list_restatements(request: HttpRequest, asked: Query[SinceQuery]) -> HttpResponseBase:
    """Changes of days that had already settled, in the order in which they came. Read the days they name again."""
    return list_rows(
        request,
        asked,
        asked.narrow(Restatement.objects.select_related("project__provider"), "restated_at"),
        described=lambda rows: map(_restatement, rows),
        columns=(*_RESTATED, *(f"{when}.{name}" for when in ("before", "after") for name in (*FIGURES, "currency"))),
    )


def _restatement(row: Restatement) -> dict[str, Any]:
    project = describe_project(row.project)
    return {
        "id": row.pk,
        "restated_at": iso(row.restated_at),
        "sync_run": row.run_id,
        "day": iso(row.day),
        "project": {name: project[name] for name in ("id", "external_id", "name", "provider")},
        "model": row.model,
        "before": _figures(row, "before"),
        "after": _figures(row, "after"),
    }


def _figures(row: Restatement, when: str) -> dict[str, Any]:
    figures: dict[str, Any] = {name: exact(getattr(row, f"{name}_{when}")) for name in FIGURES}
    return figures | {"currency": getattr(row, f"currency_{when}") or None}


class AuditQuery(SinceQuery):
    action: Text | None = Field(None, max_length=60, description="E.g. provider.connected")


class AuditEntryOut(Schema):
    id: int
    at: datetime
    actor: str
    address: str
    request_id: str
    action: str
    target_type: str
    target_id: int | None
    target_name: str
    old: dict[str, Any]
    new: dict[str, Any]


@router.get(
    "/audit",
    auth=BearerToken(Scope.AUDIT, AUDIT),
    response=Listed[AuditEntryOut],
    url_name="audit",
    operation_id="list_audit_entries",
)
@strict
def list_audit_entries(request: HttpRequest, asked: Query[AuditQuery]) -> HttpResponseBase:
    """Who did what, oldest first. For Admins."""
    rows = asked.narrow(AuditEntry.objects.all(), "at")
    if asked.action is not None:
        rows = rows.filter(action=asked.action)
    return list_rows(request, asked, rows, described=_entries, columns=tuple(AuditEntryOut.model_fields))


def _entries(entries: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    return [
        {
            "id": entry.pk,
            "at": iso(entry.at),
            "actor": entry.actor_name,
            "address": entry.address,
            "request_id": entry.request_id,
            "action": entry.action,
            "target_type": entry.target_type,
            "target_id": entry.target_id,
            "target_name": entry.target_name,
            "old": entry.old,
            "new": entry.new,
        }
        for entry in entries
    ]
