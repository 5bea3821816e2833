"""Companies: reading, adding and changing them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from accounts.access import ASSIGN
from api.answers import json_answer
from api.doors import BearerToken, caller_of
from api.lists import Listed, PageQuery, list_rows
from api.models import Scope
from api.problems import not_found
from api.strictness import strict
from api.types import Body, Text, exact
from api.writing import IDEMPOTENT, once
from providers.models import Company
from providers.services.companies import archive_company, restore_company, save_company

router = Router(tags=["Companies"])


class CompanyOut(Schema):
    id: int
    name: str
    archived: bool
    markup_percent: str | None = Field(..., description="Null also for who may learn prices alone.")
    notes: str | None = Field(..., description="Null for who may not see them.")
    statement_amounts: str = Field(..., description="What its client sees: price or cost; empty: price with a mark-up.")
    statement_lines: str = Field(..., description="What its statements have lines for: model, use or total.")


Name = Annotated[Text, Field(min_length=1, max_length=120)]
Notes = Annotated[Text, Field(max_length=5000)]
Amounts = Literal["", "price", "cost"]
Lines = Literal["model", "use", "total"]
Percent = Annotated[Decimal, Field(ge=0, max_digits=5, decimal_places=2)]


class CompanyIn(Body):
    name: Name
    notes: Notes = ""
    markup_percent: Percent | None = None
    statement_amounts: Amounts = ""
    statement_lines: Lines = "model"


class CompanyChange(Body):
    """What is left out stays as it is."""

    name: Name | None = None
    notes: Notes | None = None
    markup_percent: Percent | None = None
    statement_amounts: Amounts | None = None
    statement_lines: Lines | None = None
    archived: bool | None = None


@router.get(
    "/companies",
    auth=BearerToken(Scope.COSTS),
    response=Listed[CompanyOut],
    url_name="companies",
    operation_id="list_companies",
)
@strict
def list_companies(request: HttpRequest, asked: Query[PageQuery]) -> HttpResponseBase:
    """The companies that this token may know of, archived ones too."""
    caller = caller_of(request)
    rows = Company.objects.all()
    if caller.companies is not None:
        rows = rows.filter(pk__in=caller.companies)

    def described(companies: Sequence[Company]) -> Iterator[dict[str, Any]]:
        for company in companies:
            yield _company(company) | ({} if caller.companies is None else _hidden(company))

    return list_rows(request, asked, rows, described=described, columns=tuple(CompanyOut.model_fields))


@router.post(
    "/companies",
    auth=BearerToken(Scope.ATTRIBUTION, ASSIGN),
    response={201: CompanyOut},
    openapi_extra=IDEMPOTENT,
    url_name="companies",
    operation_id="add_company",
)
@strict
@once
def add_company(request: HttpRequest, body: CompanyIn) -> HttpResponse:
    """Names are unique, whatever their capitals."""
    company = Company(**body.model_dump())
    save_company(company=company, made_by=caller_of(request).user)
    return json_answer(_company(company), status=HTTPStatus.CREATED)


@router.patch(
    "/companies/{int:pk}",
    auth=BearerToken(Scope.ATTRIBUTION, ASSIGN),
    response=CompanyOut,
    url_name="company",
    operation_id="change_company",
)
@strict
@once
def change_company(request: HttpRequest, pk: int, body: CompanyChange) -> HttpResponse:
    """Change what is given: name, notes, mark-up (null: none), its statements, and whether it is archived."""
    user = caller_of(request).user
    company = Company.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if company is None:
        raise not_found()
    given = body.model_fields_set
    for name in ("name", "notes", "statement_amounts", "statement_lines"):
        if name in given and (value := getattr(body, name)) is not None:
            setattr(company, name, value)
    if "markup_percent" in given:
        company.markup_percent = body.markup_percent
    save_company(company=company, made_by=user)
    if body.archived is True:
        archive_company(company=company, now=timezone.now(), made_by=user)
    if body.archived is False:
        restore_company(company=company, made_by=user)
    company.refresh_from_db()
    return json_answer(_company(company))


def _hidden(company: Company) -> dict[str, Any]:
    """What is not for who sees chosen companies alone."""
    return {"notes": None} | ({"markup_percent": None} if company.is_price_only else {})


def _company(company: Company) -> dict[str, Any]:
    return {
        "id": company.pk,
        "name": company.name,
        "archived": company.archived_at is not None,
        "markup_percent": exact(company.markup_percent),
        "notes": company.notes,
        "statement_amounts": company.statement_amounts,
        "statement_lines": company.statement_lines,
    }
