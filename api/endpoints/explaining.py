"""Why an API key's usage of one day belongs to the company that it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from api.answers import json_answer
from api.doors import BearerToken
from api.endpoints.attribution import PeriodOut, ProjectRef, describe_period
from api.endpoints.providers import describe_project
from api.models import Scope
from api.problems import not_found
from api.strictness import strict
from api.types import Day, iso
from providers.models import (
    NO_PERIODS,
    Assignment,
    AssignmentRule,
    Company,
    Period,
    Project,
    Provider,
    describe_shares,
)
from providers.permissions import SEE_PROVIDERS
from providers.services.rules import first_match

router = Router(tags=["Attribution"])


class WhyQuery(Schema):
    day: Day = Field(..., description="UTC day.")


class WhyOut(Schema):
    project: ProjectRef
    day: date
    decided_by: str = Field(..., description="hand, rule, sharing (of usage without a key) or nothing")
    period: PeriodOut | None = Field(..., description="The period in force; null where none has begun.")
    sharing: str | None = Field(..., description="Of usage without a key: none, evenly or by_usage.")
    matching_rule: str | None = Field(..., description="The rule that fits its name today, whoever decided.")
    explanation: str


@router.get(
    "/projects/{int:pk}/attribution",
    auth=BearerToken(Scope.PROVIDERS, SEE_PROVIDERS),
    response=WhyOut,
    by_alias=True,
    url_name="attribution",
    operation_id="explain_attribution",
)
@strict
def explain(request: HttpRequest, pk: int, asked: Query[WhyQuery]) -> HttpResponse:  # noqa: ARG001 - the framework's signature
    """Why the usage of an API key on one day is whose it is. What was divided how is in /costs of that day."""
    project = Project.objects.select_related("provider").filter(pk=pk).first()
    if project is None:
        raise not_found()
    period = Assignment.objects.filter(project=pk).by_project().get(pk, NO_PERIODS).on(asked.day)
    names = dict(Company.objects.values_list("pk", "name"))
    sharing = project.provider.keyless_sharing if project.kind == Project.Kind.KEYLESS else None
    rule = first_match(project, list(AssignmentRule.objects.in_force()))
    told = describe_project(project)
    return json_answer(
        {
            "project": {name: told[name] for name in ("id", "external_id", "name", "provider")},
            "day": iso(asked.day),
            "decided_by": _decided_by(period, sharing),
            "period": describe_period(period, names) if period else None,
            "sharing": sharing,
            "matching_rule": str(rule) if rule else None,
            "explanation": _explanation(period, sharing, names),
        }
    )


def _decided_by(period: Period | None, sharing: str | None) -> str:
    if period is not None:
        return period.source
    return "sharing" if sharing not in {None, Provider.KeylessSharing.NONE} else "nothing"


def _explanation(period: Period | None, sharing: str | None, names: Mapping[int, str]) -> str:
    if period is None:
        if sharing == Provider.KeylessSharing.EVENLY:
            return "It is shared evenly between the companies that have an API key in use on the day."
        if sharing == Provider.KeylessSharing.BY_USAGE:
            return "It is shared between the companies by what their API keys used on the day."
        return "No period has begun by this day, so it is unassigned."
    decided = "A rule decided it" if period.source == Assignment.Source.RULE else "It was decided by hand"
    since = "from the beginning" if period.is_from_the_beginning else f"from {period.starts_on.isoformat()}"
    until = f" to {period.ends_on.isoformat()}" if period.ends_on else ""
    payers = describe_shares((names[company_id], percent) for company_id, percent in period.payers)
    return f"{decided}: {payers}, {since}{until}."
