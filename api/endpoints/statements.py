"""Statements: what was billed, and what a month that is not closed would say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from api.answers import json_answer
from api.doors import BearerToken, Caller, caller_of
from api.lists import Listed, PageQuery, list_rows
from api.models import Scope
from api.problems import not_found, unprocessable
from api.strictness import strict
from api.types import Id, Named, Text, exact, iso
from core.months import parse_month
from costs.models import COUNTED, Statement, StatementLine
from costs.reports.totals import NOTHING, Totals
from costs.statements.client_copy import readers_copy
from costs.statements.contents import Amounts, StatementView, frozen_sheet, totals_of
from costs.statements.reports import company_month
from providers.models import Company, Provider

router = Router(tags=["Statements"])


class AmountsOut(Schema):
    """Exact; a printed statement rounds each to cents."""

    currency: str
    usage: str
    adjustments: str
    markup: str
    total: str
    estimated: bool


class StatementOut(Schema):
    company: Named
    month: str
    number: str | None = Field(..., description="Of a closed one, as it is printed.")
    status: str = Field(..., description="closed: frozen for ever; draft: what it would say now")
    closed_at: str | None
    is_priced: bool = Field(
        ...,
        description="To who sees chosen companies alone, of a company that is “price only”: every cost is a price, "
        "which holds the mark-up.",
    )
    markup_percent: str | None
    amounts: list[AmountsOut] = Field(..., description="By currency.")
    unpriced: int = Field(..., description="Lines and months that wait for a price: the total is not the whole.")


class StatementLineOut(Schema):
    kind: str = Field(..., description="usage, or adjustment of an earlier month")
    month: str = Field(..., description="Whose usage it is about.")
    provider: str | None = Field(..., description="Null for who sees chosen companies alone, as project is.")
    project: str | None
    project_id: str | None
    model: str = Field(..., description="As the copy for clients names its lines: a model, a use, or all usage.")
    model_name: str
    credits: str | None
    minutes: str | None
    requests: str | None
    cost: str | None
    currency: str | None
    markup: str
    estimated: bool
    unpriced: bool
    reason: str


class WholeStatementOut(StatementOut):
    unread: bool = Field(..., description="Of a draft: some of its days have not been read yet.")
    lines: list[StatementLineOut]


class StatementsQuery(PageQuery):
    company: Id | None = Field(None, description="The id of one company.")
    month: Text | None = Field(None, description="YYYY-MM")


@router.get(
    "/statements",
    auth=BearerToken(Scope.STATEMENTS),
    response=Listed[StatementOut],
    url_name="statements",
    operation_id="list_statements",
)
@strict
def list_statements(request: HttpRequest, asked: Query[StatementsQuery]) -> HttpResponseBase:
    """The statements of closed months, which never change. Drafts are asked for one by one."""
    caller = caller_of(request)
    rows = Statement.objects.select_related("company", "closed_month").prefetch_related("lines")
    if caller.companies is not None:
        rows = rows.filter(company__in=caller.companies)
    if asked.company is not None:
        if not caller.sees(asked.company) or not Company.objects.filter(pk=asked.company).exists():
            raise unprocessable(("company", "There is no such company that this token may see."))
        rows = rows.filter(company=asked.company)
    if asked.month is not None:
        rows = rows.filter(closed_month__month=_month(asked.month))

    def described(statements: Sequence[Statement]) -> Iterator[dict[str, Any]]:
        return (_statement(_seen(frozen_sheet(statement), caller)) for statement in statements)

    return list_rows(request, asked, rows, described=described, columns=tuple(_columns()))


def _columns() -> Iterator[str]:
    for name in StatementOut.model_fields:
        yield from ("company.id", "company.name") if name == "company" else (name,)


def _seen(sheet: StatementView, caller: Caller) -> StatementView:
    """Who knows of chosen companies alone gets the copy that such readers get on pages."""
    return sheet if caller.companies is None else readers_copy(sheet)


@router.get(
    "/statements/{int:company}/{month}",
    auth=BearerToken(Scope.STATEMENTS),
    response=WholeStatementOut,
    url_name="statement",
    operation_id="statement",
)
@strict
def statement(request: HttpRequest, company: int, month: str) -> HttpResponse:
    """One statement with its lines; of a month that is not closed a draft."""
    caller = caller_of(request)
    found = Company.objects.filter(pk=company).first() if caller.sees(company) else None
    if found is None:
        raise not_found()
    first = _month(month)
    today = timezone.now().date()
    if first > today:
        raise not_found()
    told = company_month(found, first, list(Provider.objects.all()), today=today)
    sheet = _seen(told.sheet, caller)
    return json_answer(_statement(sheet) | {"unread": told.unread, "lines": list(_lines(sheet, caller))})


def _statement(sheet: StatementView) -> dict[str, Any]:
    return {
        "company": {"id": sheet.company.pk, "name": sheet.company_name},
        "month": f"{sheet.month:%Y-%m}",
        "number": sheet.number or None,
        "status": "closed" if sheet.closed else "draft",
        "closed_at": iso(sheet.closed.closed_at) if sheet.closed else None,
        "is_priced": sheet.is_priced,
        "markup_percent": exact(sheet.markup_percent),
        "amounts": [_amounts(amounts) for amounts in sheet.amounts],
        "unpriced": sheet.unpriced,
    }


def _amounts(amounts: Amounts) -> dict[str, Any]:
    return {
        "currency": amounts.currency,
        "usage": exact(amounts.usage),
        "adjustments": exact(amounts.adjustments),
        "markup": exact(amounts.markup),
        "total": exact(amounts.total),
        "estimated": amounts.estimated,
    }


def _lines(sheet: StatementView, caller: Caller) -> Iterator[dict[str, Any]]:
    if caller.companies is None:
        usage: Iterable[dict[str, Any]] = (_with_key(line, sheet) for line in sheet.usage)
    else:
        usage = _by_model(sheet)
    yield from usage
    for line in sheet.adjustments:
        yield _line(line, totals_of(line), exact(sheet.markup_of(line)))


def _with_key(line: StatementLine, sheet: StatementView) -> dict[str, Any]:
    told = _line(line, totals_of(line), exact(sheet.markup_of(line)))
    return told | {"provider": line.provider_name, "project": line.key_name, "project_id": line.key_id}


def _by_model(sheet: StatementView) -> Iterator[dict[str, Any]]:
    """Of all API keys together: how many there are is not for everybody."""
    grouped: dict[tuple[str, str, str], list[StatementLine]] = defaultdict(list)
    for line in sheet.usage:
        grouped[line.model, line.model_name, line.currency].append(line)
    for lines in grouped.values():
        totals = sum((totals_of(line) for line in lines), NOTHING)
        markup = exact(sum(sheet.markup_of(line) for line in lines))
        yield _line(lines[0], totals, markup)


def _line(line: StatementLine, totals: Totals, markup: str | None) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "month": f"{line.month:%Y-%m}",
        "provider": None,
        "project": None,
        "project_id": None,
        "model": line.model,
        "model_name": line.model_name,
        **{name: exact(getattr(totals, name)) for name in COUNTED},
        "cost": exact(totals.costs[0].amount) if totals.costs else None,
        "currency": line.currency or None,
        "markup": markup,
        "estimated": totals.estimated,
        "unpriced": bool(totals.unpriced_rows),
        "reason": line.reason,
    }


def _month(text: str) -> date:
    try:
        return parse_month(text)
    except ValueError as error:
        raise unprocessable(("month", str(error))) from None
