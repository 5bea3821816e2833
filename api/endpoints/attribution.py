"""Which company pays for which API key, and the rules by which new keys are assigned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from accounts.access import ASSIGN
from api.answers import json_answer
from api.doors import BearerToken, caller_of
from api.endpoints.providers import describe_project
from api.lists import Listed, PageQuery, list_rows
from api.models import Scope
from api.problems import Problem, not_found, refused_by, unprocessable
from api.strictness import strict
from api.types import Body, Day, Id, Named, Text, exact, iso
from api.writing import IDEMPOTENT, once
from providers.forms import RuleForm
from providers.models import NO_PERIODS, Assignment, AssignmentChange, AssignmentRule, Company, Period, Project
from providers.permissions import SEE_PROVIDERS
from providers.services.assigning import assign_projects, split_projects
from providers.services.periods import WHOLE
from providers.services.rules import OutcomeChangedError, apply_rules, delete_rule, preview_rules, save_rule

router = Router(tags=["Attribution"])

MOST_AT_ONCE = 1000


class ShareOut(Schema):
    company: Named
    percent: str


class PeriodOut(Schema):
    from_: date | None = Field(..., alias="from", description="Null: from the beginning.")
    to: date | None = Field(..., description="Inclusive; null while nothing follows.")
    source: str = Field(..., description="hand or rule")
    shares: list[ShareOut] = Field(..., description="Who pays; nobody: unassigned.")


class ProjectRef(Schema):
    id: int
    external_id: str
    name: str
    provider: Named


class AssignmentOut(Schema):
    project: ProjectRef
    periods: list[PeriodOut] = Field(..., description="Oldest first; empty where nobody has decided.")


@router.get(
    "/assignments",
    auth=BearerToken(Scope.PROVIDERS, SEE_PROVIDERS),
    response=Listed[AssignmentOut],
    by_alias=True,
    url_name="assignments",
    operation_id="list_assignments",
)
@strict
def list_assignments(request: HttpRequest, asked: Query[PageQuery]) -> HttpResponseBase:
    """Who pays for each API key, period by period. As CSV the periods are JSON in one column."""
    return list_rows(
        request,
        asked,
        Project.objects.select_related("provider"),
        described=_assigned,
        columns=(
            "project.id",
            "project.external_id",
            "project.name",
            "project.provider.id",
            "project.provider.name",
            "periods",
        ),
    )


def _assigned(projects: Sequence[Project]) -> Iterator[dict[str, Any]]:
    periods = Assignment.objects.filter(project__in=projects).by_project()
    names = dict(Company.objects.values_list("pk", "name"))
    for project in projects:
        told = describe_project(project)
        yield {
            "project": {name: told[name] for name in ("id", "external_id", "name", "provider")},
            "periods": [describe_period(period, names) for period in periods.get(project.pk, NO_PERIODS).in_order],
        }


def describe_period(period: Period, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "from": None if period.is_from_the_beginning else iso(period.starts_on),
        "to": iso(period.ends_on),
        "source": period.source,
        "shares": [{"company": {"id": pk, "name": names[pk]}, "percent": exact(part)} for pk, part in period.payers],
    }


# --- Assigning --------------------------------------------------------------------------------------------------------


class ShareIn(Body):
    company: Id
    percent: Annotated[Decimal, Field(gt=0, le=100, max_digits=5, decimal_places=2)] = WHOLE


class AssignmentIn(Body):
    project: Id
    from_: Day | None = Field(..., alias="from", description="From which UTC day on; null moves all history.")
    shares: list[ShareIn] = Field(..., max_length=50, description="100 percent together; none: unassigned.")


class AssignmentsIn(Body):
    assignments: list[AssignmentIn] = Field(..., min_length=1, max_length=MOST_AT_ONCE)


class ChangeOut(Schema):
    id: int
    summary: str


class ChangesOut(Schema):
    """Each can be undone on the provider's page."""

    changes: list[ChangeOut]


@router.post(
    "/assignments",
    auth=BearerToken(Scope.ATTRIBUTION, ASSIGN),
    response={201: ChangesOut},
    openapi_extra=IDEMPOTENT,
    url_name="assignments",
    operation_id="assign",
)
@strict
@once
def assign(request: HttpRequest, body: AssignmentsIn) -> HttpResponse:
    """Assign API keys in bulk: to a company, split between several, or to nobody. All of it, or nothing.

    Keys with the same day and shares are one change.
    """
    projects = Project.objects.in_bulk([line.project for line in body.assignments])
    companies = Company.objects.in_bulk([share.company for line in body.assignments for share in line.shares])
    _check(body.assignments, projects, companies)
    grouped: dict[tuple[date | None, tuple[tuple[int, Decimal], ...]], list[Project]] = {}
    for line in body.assignments:
        shares = tuple((share.company, share.percent) for share in line.shares)
        grouped.setdefault((line.from_, shares), []).append(projects[line.project])
    user, now = caller_of(request).user, timezone.now()
    changes: list[AssignmentChange] = []
    for (starts_on, parts), group in grouped.items():
        by_company = {companies[pk]: percent for pk, percent in parts}
        if len(by_company) > 1:
            change = split_projects(projects=group, shares=by_company, starts_on=starts_on, now=now, made_by=user)
        else:
            company = next(iter(by_company), None)
            change = assign_projects(projects=group, company=company, starts_on=starts_on, now=now, made_by=user)
        changes.append(change)
    told = [{"id": change.pk, "summary": change.summary} for change in changes]
    return json_answer({"changes": told}, status=HTTPStatus.CREATED)


def _check(lines: Sequence[AssignmentIn], projects: Mapping[int, Project], companies: Mapping[int, Company]) -> None:
    """Raises Problem (422), with the way to each value that is wrong."""
    wrong: list[tuple[str, str]] = []
    seen: set[int] = set()
    for number, line in enumerate(lines):
        here = f"assignments.{number}"
        if line.project not in projects:
            wrong.append((f"{here}.project", "There is no such project."))
        if line.project in seen:
            wrong.append((f"{here}.project", "Each project can be given once."))
        seen.add(line.project)
        wrong += _flaws_of_shares(here, line.shares, companies)
    if wrong:
        raise unprocessable(*wrong[:20])


def _flaws_of_shares(
    here: str, shares: Sequence[ShareIn], companies: Mapping[int, Company]
) -> Iterator[tuple[str, str]]:
    for number, share in enumerate(shares):
        company = companies.get(share.company)
        if company is None:
            yield f"{here}.shares.{number}.company", "There is no such company."
        elif company.archived_at is not None:
            yield f"{here}.shares.{number}.company", "This company is archived."
    if len({share.company for share in shares}) < len(shares):
        yield f"{here}.shares", "Each company can be given once."
    if shares and sum(share.percent for share in shares) != WHOLE:
        yield f"{here}.shares", "The percentages must add up to exactly 100."


# --- Rules ------------------------------------------------------------------------------------------------------------


class RuleOut(Schema):
    id: int
    position: int = Field(..., description="Of several that match, the first decides.")
    kind: str = Field(..., description="starts_with, contains, matches (* and ?) or tagged: an agent's tag")
    pattern: str
    company: Named
    provider: Named | None = Field(..., description="Null: every provider.")


class RuleIn(Body):
    kind: Text
    pattern: Text
    company: Id
    provider: Id | None = None


class RuleChange(Body):
    """What is left out stays as it is."""

    kind: Text | None = None
    pattern: Text | None = None
    company: Id | None = None
    provider: Id | None = None


@router.get(
    "/rules",
    auth=BearerToken(Scope.PROVIDERS, SEE_PROVIDERS),
    response=Listed[RuleOut],
    url_name="rules",
    operation_id="list_rules",
)
@strict
def list_rules(request: HttpRequest, asked: Query[PageQuery]) -> HttpResponseBase:
    """The rules by which new keys are assigned; their order is by ``position``."""
    return list_rows(
        request,
        asked,
        AssignmentRule.objects.select_related("company", "provider"),
        described=lambda rules: map(_rule, rules),
        columns=("id", "position", "kind", "pattern", "company.id", "company.name", "provider.id", "provider.name"),
    )


@router.post(
    "/rules",
    auth=BearerToken(Scope.ATTRIBUTION, ASSIGN),
    response={201: RuleOut},
    openapi_extra=IDEMPOTENT,
    url_name="rules",
    operation_id="add_rule",
)
@strict
@once
def add_rule(request: HttpRequest, body: RuleIn) -> HttpResponse:
    """It becomes the last, and assigns keys from now on; keys that there are wait for /rules/apply."""
    return json_answer(_saved(request, AssignmentRule(), body.model_dump()), status=HTTPStatus.CREATED)


@router.patch(
    "/rules/{int:pk}",
    auth=BearerToken(Scope.ATTRIBUTION, ASSIGN),
    response=RuleOut,
    url_name="rule",
    operation_id="change_rule",
)
@strict
@once
def change_rule(request: HttpRequest, pk: int, body: RuleChange) -> HttpResponse:
    """Keys that it has assigned stay as they are. A provider of null makes it hold for all of them."""
    rule = _stored_rule(pk)
    stored = {"kind": rule.kind, "pattern": rule.pattern, "company": rule.company_id, "provider": rule.provider_id}
    given = {name: getattr(body, name) for name in body.model_fields_set}
    return json_answer(_saved(request, rule, stored | given))


@router.delete(
    "/rules/{int:pk}",
    auth=BearerToken(Scope.ATTRIBUTION, ASSIGN),
    response={204: None},
    url_name="rule",
    operation_id="delete_rule",
)
@strict
@once
def remove_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Keys that it has assigned stay as they are."""
    delete_rule(rule=_stored_rule(pk), made_by=caller_of(request).user)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _stored_rule(pk: int) -> AssignmentRule:
    rule = AssignmentRule.objects.select_related("company", "provider").filter(pk=pk).first()
    if rule is None:
        raise not_found()
    return rule


def _saved(request: HttpRequest, rule: AssignmentRule, values: Mapping[str, Any]) -> dict[str, Any]:
    """By the form of the page, so that both refuse the same."""
    form = RuleForm({name: "" if value is None else value for name, value in values.items()}, instance=rule)
    if not form.is_valid():
        raise refused_by(form)
    save_rule(rule=form.instance, made_by=caller_of(request).user)
    return _rule(form.instance)


def _rule(rule: AssignmentRule) -> dict[str, Any]:
    return {
        "id": rule.pk,
        "position": rule.position,
        "kind": rule.kind,
        "pattern": rule.pattern,
        "company": {"id": rule.company_id, "name": rule.company.name},
        "provider": {"id": rule.provider_id, "name": rule.provider.name} if rule.provider else None,
    }


class PreviewIn(Body):
    from_: Day | None = Field(..., alias="from", description="From which UTC day on; null: all history.")


class OutcomeOut(Schema):
    project: ProjectRef
    payers_now: str
    company: Named
    rule: int
    is_paid: bool = Field(..., description="Some company pays for what would move.")


class PreviewOut(Schema):
    outcomes: list[OutcomeOut]
    kept: int = Field(..., description="Keys that were assigned by hand, which no rule touches.")
    fingerprint: str = Field(..., description="Send it to /rules/apply.")


class ApplyIn(PreviewIn):
    fingerprint: Annotated[Text, Field(min_length=64, max_length=64)]


@router.post(
    "/rules/preview",
    auth=BearerToken(Scope.PROVIDERS, SEE_PROVIDERS),
    response=PreviewOut,
    url_name="preview_rules",
    operation_id="preview_rules",
)
@strict
def preview(request: HttpRequest, body: PreviewIn) -> HttpResponse:  # noqa: ARG001 - the framework's signature
    """What applying the rules to the keys that there are would change. Changes nothing."""
    found = preview_rules(starts_on=body.from_)
    outcomes: Iterable[dict[str, Any]] = (
        {
            "project": {
                name: describe_project(outcome.project)[name] for name in ("id", "external_id", "name", "provider")
            },
            "payers_now": outcome.payers,
            "company": {"id": outcome.company.pk, "name": outcome.company.name},
            "rule": outcome.rule.pk,
            "is_paid": outcome.is_paid,
        }
        for outcome in found.outcomes
    )
    return json_answer({"outcomes": list(outcomes), "kept": found.kept, "fingerprint": found.fingerprint})


@router.post(
    "/rules/apply",
    auth=BearerToken(Scope.ATTRIBUTION, ASSIGN),
    response={201: ChangesOut},
    openapi_extra=IDEMPOTENT,
    url_name="apply_rules",
    operation_id="apply_rules",
)
@strict
@once
def apply(request: HttpRequest, body: ApplyIn) -> HttpResponse:
    """Exactly what a preview showed. 409 when by now something else would come of it, or nothing."""
    try:
        change = apply_rules(
            expected=body.fingerprint, starts_on=body.from_, now=timezone.now(), made_by=caller_of(request).user
        )
    except OutcomeChangedError:
        raise Problem(HTTPStatus.CONFLICT, "The outcome is no longer what the preview showed, or is nothing.") from None
    return json_answer({"changes": [{"id": change.pk, "summary": change.summary}]}, status=HTTPStatus.CREATED)
