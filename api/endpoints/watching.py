"""Budgets, and what was noticed: alerts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from ninja import Field, Query, Router, Schema

from alerts.models import Alert, Budget, Severity, Threshold
from alerts.models.alert import AlertQuerySet
from alerts.standing import standing_of
from api.doors import BearerToken, Caller, caller_of
from api.endpoints.logs import SinceQuery
from api.lists import Listed, PageQuery, list_rows
from api.models import Scope
from api.problems import unprocessable
from api.strictness import strict
from api.types import Id, Named, Text, exact, iso
from providers.models import Company
from providers.permissions import SEE_PROVIDERS

router = Router(tags=["Budgets and alerts"])


class SubjectOut(Schema):
    kind: str = Field(..., description="company, provider, project (an API key or an agent) or everything")
    id: int | None = Field(..., description="Null for everything.")
    name: str


class ThresholdOut(Schema):
    kind: str = Field(..., description="actual: is spent; forecast: is forecast to be spent")
    percent: str | None = Field(..., description="Of the amount; null where the threshold is an amount itself.")
    amount: str = Field(..., description="What it comes to, in the budget's currency.")


class BudgetOut(Schema):
    """Spent and expected are what the latest comparison found; null before the first."""

    id: int
    subject: SubjectOut
    period: str = Field(..., description="month, quarter or range")
    starts_on: date
    ends_on: date | None = Field(..., description="The last day of a range.")
    amount: str
    currency: str
    thresholds: list[ThresholdOut]
    compared_at: datetime | None
    compared_from: date | None = Field(..., description="The first day of the period that was compared.")
    spent: str | None
    expected: str | None = Field(..., description="By the end of the period, at the pace of its complete days.")
    is_partial: bool = Field(..., description="Some of the usage has no price yet: spent is not the whole.")
    reaches: date | None = Field(..., description="The last UTC day that had been read of every provider.")
    state: str = Field(..., description="within, near or over; unknown before the first comparison")


_AFTER_SUBJECT = tuple(name for name in BudgetOut.model_fields if name not in {"id", "subject"})
_BUDGET = ("id", "subject.kind", "subject.id", "subject.name", *_AFTER_SUBJECT)


@router.get(
    "/budgets",
    auth=BearerToken(Scope.COSTS, SEE_PROVIDERS),
    response=Listed[BudgetOut],
    url_name="budgets",
    operation_id="list_budgets",
)
@strict
def list_budgets(request: HttpRequest, asked: Query[PageQuery]) -> HttpResponseBase:
    """Every budget, and how it stands. Like on pages they are not shown to who sees chosen companies alone."""
    rows = Budget.objects.with_subjects().prefetch_related("thresholds")
    return list_rows(request, asked, rows, described=lambda found: map(_budget, found), columns=_BUDGET)


def _budget(budget: Budget) -> dict[str, Any]:
    standing = standing_of(budget)
    kind, _colon, subject_id = budget.key_of_subject.partition(":")
    return {
        "id": budget.pk,
        "subject": {"kind": kind, "id": int(subject_id) if subject_id else None, "name": budget.subject},
        "period": budget.period,
        "starts_on": iso(budget.starts_on),
        "ends_on": iso(budget.ends_on),
        "amount": exact(budget.amount),
        "currency": budget.currency,
        "thresholds": [_threshold(threshold, budget) for threshold in budget.thresholds.all()],
        "compared_at": iso(budget.evaluated_at),
        "compared_from": iso(budget.evaluated_from),
        "spent": exact(budget.spent),
        "expected": exact(budget.expected),
        "is_partial": budget.is_partial,
        "reaches": iso(budget.reaches),
        "state": standing.state if standing.is_known else "unknown",
    }


def _threshold(threshold: Threshold, budget: Budget) -> dict[str, Any]:
    return {"kind": threshold.kind, "percent": exact(threshold.percent), "amount": exact(threshold.limit(budget))}


# --- Alerts -----------------------------------------------------------------------------------------------------------


class AlertEventOut(Schema):
    at: datetime
    kind: str
    text: str


class AlertOut(Schema):
    """To who sees chosen companies alone it says what the companies' own viewers are told."""

    id: int
    kind: str = Field(..., description="E.g. budget.threshold_passed; webhooks call it the same.")
    severity: str = Field(..., description="info, warning or urgent")
    title: str
    text: str = Field(..., description="Sentences, one a line.")
    company: Named | None
    provider: Named | None = Field(..., description="Null for who sees chosen companies alone, as facts are.")
    path: str = Field(..., description="Of the page about it.")
    raised_at: datetime
    ended_at: datetime | None = Field(..., description="When its cause was found gone; null: it goes on, or is over.")
    facts: dict[str, Any] | None = Field(..., description="What webhooks are told: plain values, amounts as text.")
    events: list[AlertEventOut] = Field(..., description="What became of it later, oldest first.")


class AlertsQuery(SinceQuery):
    company: Id | None = Field(None, description="The id of one company.")
    kind: Text | None = Field(None, max_length=60, description="E.g. budget.threshold_passed")
    open: bool | None = Field(None, description="true: those that have not ended; false: those that have.")


_ALERT = ("id", "kind", "severity", "title", "text", "company.id", "company.name", "provider.id", "provider.name")
_MORE_OF_ALERT = ("path", "raised_at", "ended_at", "facts", "events")


@router.get(
    "/alerts", auth=BearerToken(Scope.COSTS), response=Listed[AlertOut], url_name="alerts", operation_id="list_alerts"
)
@strict
def list_alerts(request: HttpRequest, asked: Query[AlertsQuery]) -> HttpResponseBase:
    """What was noticed, oldest first, whoever has read it. A Company viewer's token gets what its owner was told."""
    caller = caller_of(request)
    rows = asked.narrow(_visible(caller), "raised_at").select_related("company", "provider").prefetch_related("events")
    if asked.company is not None:
        if not caller.sees(asked.company) or not Company.objects.filter(pk=asked.company).exists():
            raise unprocessable(("company", "There is no such company that this token may see."))
        rows = rows.filter(company=asked.company)
    if asked.kind is not None:
        rows = rows.filter(kind=asked.kind)
    if asked.open is not None:
        rows = rows.filter(ended_at__isnull=asked.open)
    to_client = caller.companies is not None

    def described(alerts: Sequence[Alert]) -> Iterator[dict[str, Any]]:
        return (_alert(alert, to_client=to_client) for alert in alerts)

    return list_rows(request, asked, rows, described=described, columns=(*_ALERT, *_MORE_OF_ALERT))


def _visible(caller: Caller) -> AlertQuerySet:
    if caller.companies is None:
        return Alert.objects.all()
    rows = Alert.objects.for_clients(caller.companies)
    return rows if caller.user.has_perm(SEE_PROVIDERS) else rows.told_to_client(caller.user.pk)


def _alert(alert: Alert, *, to_client: bool) -> dict[str, Any]:
    company, provider = alert.company, None if to_client else alert.provider
    title, text = alert.words(to_client=to_client)
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "severity": Severity(alert.severity).name.lower(),
        "title": title,
        "text": text,
        "company": {"id": company.pk, "name": company.name} if company else None,
        "provider": {"id": provider.pk, "name": provider.name} if provider else None,
        "path": alert.client_path if to_client else alert.path,
        "raised_at": iso(alert.raised_at),
        "ended_at": iso(alert.ended_at),
        "facts": None if to_client else alert.facts,
        "events": [
            {"at": iso(told.at), "kind": told.kind, "text": told.text} for told in alert.told(to_client=to_client)
        ],
    }
