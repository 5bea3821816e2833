"""Providers, their API keys, their syncs, and how their figures reconcile. Never a key itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from accounts.access import SYNC
from api.answers import json_answer
from api.doors import BearerToken
from api.lists import Listed, PageQuery, list_rows
from api.models import Scope
from api.problems import Problem, not_found, refused_by, unprocessable
from api.strictness import strict
from api.types import Body, Day, Id, Named, exact, iso
from api.writing import IDEMPOTENT, once
from core.money import Money
from costs.pages.reconciliation_words import explanation
from costs.reports.freshness import last_read_days
from costs.reports.reconciliation import Reconciliation, reconcile, running_period
from costs.usage.coverage import coverage
from providers.forms import ResyncForm
from providers.models import Project, Provider, SyncRun
from providers.permissions import SEE_PROVIDERS
from providers.plan import Plan
from providers.registry import words_of
from providers.services.queueing import enqueue_quietly, request_manual_sync
from providers.views.syncing import why_no_sync

router = Router(tags=["Providers"])


class MoneyOut(Schema):
    amount: str
    currency: str


class PlanOut(Schema):
    name: str
    status: str
    used: int | None = Field(..., description="In the unit that the provider counts by.")
    included: int | None
    resets_at: datetime | None
    overage: MoneyOut | None
    next_invoice: MoneyOut | None


class ProviderOut(Schema):
    id: int
    name: str
    type: str
    region: str
    status: str = Field(..., description="connected, syncing, late, failed, paused or disconnected")
    source: str = Field(..., description="analytics: usage per API key; account_totals: totals alone")
    currency: str | None
    problem: str | None = Field(..., description="Why the latest sync failed.")
    last_synced_at: datetime | None
    next_sync_at: datetime | None
    data_through: date | None = Field(..., description="The last UTC day that was read.")
    plan: PlanOut | None


_PROVIDER = ("id", "name", "type", "region", "status", "source", "currency", "problem", "last_synced_at")
_MORE_OF_PROVIDER = ("next_sync_at", "data_through", "plan.name", "plan.used", "plan.included", "plan.resets_at")


@router.get(
    "/providers",
    auth=BearerToken(Scope.PROVIDERS, SEE_PROVIDERS),
    response=Listed[ProviderOut],
    url_name="providers",
    operation_id="list_providers",
)
@strict
def list_providers(request: HttpRequest, asked: Query[PageQuery]) -> HttpResponseBase:
    """Every connected workspace, how fresh it is, and its plan as it reported it."""
    return list_rows(
        request, asked, Provider.objects.all(), described=_providers, columns=(*_PROVIDER, *_MORE_OF_PROVIDER)
    )


def _providers(providers: Sequence[Provider]) -> Iterator[dict[str, Any]]:
    now = timezone.now()
    through = last_read_days(providers)
    for provider in providers:
        yield {
            "id": provider.pk,
            "name": provider.name,
            "type": provider.type,
            "region": provider.region,
            "status": provider.status(now).value,
            "source": provider.source,
            "currency": provider.currency or None,
            "problem": provider.failure_text or None,
            "last_synced_at": iso(provider.last_synced_at),
            "next_sync_at": iso(provider.next_due_at),
            "data_through": iso(through.get(provider.pk)),
            "plan": _plan(Plan.of(provider.subscription)),
        }


def _plan(plan: Plan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {
        "name": plan.name,
        "status": plan.status,
        "used": plan.used,
        "included": plan.included,
        "resets_at": iso(plan.resets_at),
        "overage": _money(plan.overage),
        "next_invoice": _money(plan.next_invoice),
    }


def _money(money: Money | None) -> dict[str, Any] | None:
    return {"amount": exact(money.amount), "currency": money.currency} if money else None


# --- Syncs ------------------------------------------------------------------------------------------------------------


class SyncIn(Body):
    """Without days: whatever is due."""

    from_: Day | None = Field(None, alias="from")
    to: Day | None = None


class SyncRunOut(Schema):
    id: int
    provider: Named
    trigger: str = Field(..., description="connect, hourly, nightly or manual")
    state: str = Field(..., description="queued, running, succeeded, failed or needs_look")
    from_: date | None = Field(..., alias="from", description="The days it covers, once it is known.")
    to: date | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    rows_read: int
    rows_inserted: int
    rows_changed: int
    rows_unchanged: int
    problem: str | None


_RUN = ("id", "provider.id", "provider.name", "trigger", "state", "from", "to", "queued_at", "started_at")
_MORE_OF_RUN = ("finished_at", "rows_read", "rows_inserted", "rows_changed", "rows_unchanged", "problem")


class ProviderQuery(PageQuery):
    provider: Id | None = Field(None, description="The id of one provider.")


@router.get(
    "/sync-runs",
    auth=BearerToken(Scope.PROVIDERS, SEE_PROVIDERS),
    response=Listed[SyncRunOut],
    by_alias=True,
    url_name="sync_runs",
    operation_id="list_sync_runs",
)
@strict
def list_sync_runs(request: HttpRequest, asked: Query[ProviderQuery]) -> HttpResponseBase:
    """Syncs that were wanted, oldest first."""
    rows = SyncRun.objects.select_related("provider")
    if asked.provider is not None:
        rows = rows.filter(provider=_known(asked.provider))
    return list_rows(request, asked, rows, described=lambda runs: map(_run, runs), columns=(*_RUN, *_MORE_OF_RUN))


@router.post(
    "/providers/{int:pk}/sync",
    auth=BearerToken(Scope.SYNC, SYNC),
    response={202: SyncRunOut},
    by_alias=True,
    openapi_extra=IDEMPOTENT,
    url_name="sync",
    operation_id="sync_provider",
)
@strict
@once
def sync_provider(
    request: HttpRequest,  # noqa: ARG001 - the framework's signature
    pk: int,
    body: SyncIn | None = None,
) -> HttpResponse:
    """Sync now: whatever is due, or the days that you name. 409 while it is paused or disconnected."""
    provider = Provider.objects.filter(pk=pk).first()
    if provider is None:
        raise not_found()
    if reason := why_no_sync(provider):
        raise Problem(HTTPStatus.CONFLICT, reason)
    now = timezone.now()
    first, last = _asked_days(body, now.date())
    run = request_manual_sync(provider=provider, now=now, first=first, last=last)
    if run.enqueued_at is None:
        transaction.on_commit(lambda: enqueue_quietly(run=run, now=now))
    return json_answer(_run(run), status=HTTPStatus.ACCEPTED)


def _asked_days(body: SyncIn | None, today: date) -> tuple[date | None, date | None]:
    if body is None or (body.from_ is None and body.to is None):
        return None, None
    form = ResyncForm({"first": body.from_, "last": body.to}, today=today)
    if form.is_valid():
        return form.cleaned_data["first"], form.cleaned_data["last"]
    raise refused_by(form, {"first": "from", "last": "to"})


def _run(run: SyncRun) -> dict[str, Any]:
    return {
        "id": run.pk,
        "provider": {"id": run.provider_id, "name": run.provider.name},
        "trigger": run.trigger,
        "state": run.outcome or ("running" if run.started_at else "queued"),
        "from": iso(run.window_from or run.requested_from),
        "to": iso(run.window_to or run.requested_to),
        "queued_at": iso(run.queued_at),
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "rows_read": run.rows_read,
        "rows_inserted": run.rows_inserted,
        "rows_changed": run.rows_changed,
        "rows_unchanged": run.rows_unchanged,
        "problem": run.error_text or None,
    }


def _known(pk: int) -> int:
    if not Provider.objects.filter(pk=pk).exists():
        raise unprocessable(("provider", "There is no such provider."))
    return pk


# --- API keys ---------------------------------------------------------------------------------------------------------


class ProjectOut(Schema):
    id: int
    external_id: str = Field(..., description="As the provider reports it; empty for usage without a key.")
    provider: Named
    kind: str = Field(
        ...,
        description="key, agent, person (usage without a key, of who caused it), keyless (the rest of it) or account "
        "(totals)",
    )
    name: str
    hint: str = Field(..., description="The key's last characters, where they are known.")
    tags: list[str] = Field(..., description="An agent's.")
    is_allocated: bool = Field(..., description="Some of its usage is a share by conversations, not reported.")
    disabled_at: datetime | None
    archived_at: datetime | None = Field(..., description="An agent's: when it was first found archived.")
    deleted_at: datetime | None
    first_used_on: date | None
    last_used_on: date | None


_PROJECT = ("id", "external_id", "provider.id", "provider.name", "kind", "name", "hint", "disabled_at", "deleted_at")
_MORE_OF_PROJECT = ("first_used_on", "last_used_on", "tags", "is_allocated", "archived_at")


@router.get(
    "/projects",
    auth=BearerToken(Scope.PROVIDERS, SEE_PROVIDERS),
    response=Listed[ProjectOut],
    url_name="projects",
    operation_id="list_projects",
)
@strict
def list_projects(request: HttpRequest, asked: Query[ProviderQuery]) -> HttpResponseBase:
    """Every API key and agent that was ever known, and what stands for usage that is neither's."""
    rows = Project.objects.select_related("provider")
    if asked.provider is not None:
        rows = rows.filter(provider=_known(asked.provider))
    return list_rows(
        request,
        asked,
        rows,
        described=lambda projects: map(describe_project, projects),
        columns=(*_PROJECT, *_MORE_OF_PROJECT),
    )


def describe_project(project: Project) -> dict[str, Any]:
    return {
        "id": project.pk,
        "external_id": "" if project.kind == Project.Kind.KEYLESS else project.external_id,
        "provider": {"id": project.provider_id, "name": project.provider.name},
        "kind": project.kind,
        "name": project.display_name,
        "hint": project.hint,
        "tags": project.tags,
        "is_allocated": project.is_allocated,
        "disabled_at": iso(project.disabled_at),
        "archived_at": iso(project.archived_at),
        "deleted_at": iso(project.deleted_at),
        "first_used_on": iso(project.first_used_on),
        "last_used_on": iso(project.last_used_on),
    }


# --- Reconciliation ---------------------------------------------------------------------------------------------------


class ReconciliationOut(Schema):
    """Of the running period of a plan, in the unit that the provider counts by."""

    provider: Named
    begins: datetime
    asked_at: datetime
    ours: str
    theirs: str
    difference: str
    verdict: str = Field(..., description="equal, explained, overage, unread, unknown or unexplained")
    explanation: str
    unread_days: list[date]


_RECONCILED = ("provider.id", "provider.name", "begins", "asked_at", "ours", "theirs", "difference", "verdict")


@router.get(
    "/reconciliation",
    auth=BearerToken(Scope.PROVIDERS, SEE_PROVIDERS),
    response=Listed[ReconciliationOut],
    url_name="reconciliation",
    operation_id="list_reconciliation",
)
@strict
def list_reconciliation(request: HttpRequest, asked: Query[ProviderQuery]) -> HttpResponseBase:
    """Our sums beside the providers' own counts, and what explains a difference."""
    rows = Provider.objects.all()
    if asked.provider is not None:
        rows = rows.filter(pk=_known(asked.provider))
    return list_rows(request, asked, rows, described=_reconciled, columns=(*_RECONCILED, "explanation", "unread_days"))


def _reconciled(providers: Sequence[Provider]) -> Iterator[dict[str, Any]]:
    """Providers that do not report a period have nothing to compare with."""
    today = timezone.now().date()
    for provider in providers:
        if (period := running_period(provider)) is not None:
            known = coverage([provider], period.days, today=today)
            yield _comparison(provider, reconcile(provider=provider, period=period, coverage=known))


def _comparison(provider: Provider, found: Reconciliation) -> dict[str, Any]:
    return {
        "provider": {"id": provider.pk, "name": provider.name},
        "begins": iso(found.period.begins),
        "asked_at": iso(found.period.asked_at),
        "ours": exact(found.ours),
        "theirs": exact(found.theirs),
        "difference": exact(found.difference),
        "verdict": found.verdict.value,
        "explanation": explanation(found, words_of(provider.type)),
        "unread_days": [iso(day) for day in found.unread],
    }
