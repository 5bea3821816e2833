"""GET /costs: what was spent, by whatever is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from api.answers import JSON, chosen_format, json_answer, refuse_paging, stream
from api.cursors import LIMIT, make_cursor, read_cursor
from api.doors import BearerToken, Caller, caller_of
from api.models import Scope
from api.problems import Problem, unprocessable
from api.strictness import strict
from api.types import Cursor, Day, Limit, Named, exact, iso
from costs.models import COUNTED
from costs.reports.freshness import Freshness, freshness
from costs.reports.grouped_costs import GROUPS, GroupedCost, GroupedCostsQuery, days_of_usage, grouped_costs
from providers.models import Company, Project, Provider

router = Router(tags=["Costs"])

UNASSIGNED = "unassigned"
_FIGURES = ("credits", "minutes", "requests", "cost", "currency", "unpriced_rows", "estimated", "allocated")
# For who knows of chosen companies alone: neither their API keys nor the workspaces they lie in.
_HIDDEN = ("provider", "project")
_NAMED: Mapping[str, type[Company | Provider]] = {"company": Company, "provider": Provider}


class CostQuery(Schema):
    from_: Day | None = Field(None, alias="from", description="First UTC day; without it from the beginning.")
    to: Day | None = Field(None, description="Last UTC day, inclusive.")
    group_by: str = Field("", description=f"Any of {', '.join(GROUPS)}, separated by commas.")
    company: list[str] = Field([], description=f"Ids or names, or “{UNASSIGNED}”. May be given several times.")
    provider: list[str] = Field([], description="Ids or names.")
    project: list[str] = Field([], description="API keys and agents: ids, or external ids.")
    model: list[str] = Field([], description="Ids of models as reported.")
    limit: Limit = None
    cursor: Cursor = None


class CostLine(Schema):
    """One group in one currency. Of what it is not grouped by it has no field."""

    company: Named | None = None
    project: str | None = Field(None, description="The name of the API key or agent.")
    project_id: str | None = Field(None, description="Its external id; empty for usage without a key.")
    model: str | None = Field(None, description="The reported id; empty where none was.")
    provider: str | None = None
    day: date | None = None
    month: str | None = Field(None, description="YYYY-MM")
    credits: str | None = Field(..., description="Exact decimal; null where unknown. Likewise all figures.")
    minutes: str | None
    requests: str | None
    cost: str | None = Field(
        ...,
        description="Of the rows whose price is known. For a token of chosen companies those that are “price only” "
        "have prices: with the present mark-up.",
    )
    currency: str | None
    unpriced_rows: int = Field(..., description="Rows that were used and have no price yet: cost is not the whole.")
    estimated: bool = Field(..., description="Some of the cost comes from a rate, not from the provider.")
    allocated: bool = Field(..., description="Some of it is a share of what was reported for several together.")


class Costs(Schema):
    data: list[CostLine]
    next: str | None
    data_through: date | None
    provisional_from: date | None
    currencies: list[str]


@router.get("/costs", auth=BearerToken(Scope.COSTS), response=Costs, url_name="costs", operation_id="costs")
@strict
def costs(request: HttpRequest, asked: Query[CostQuery]) -> HttpResponseBase:
    """What was spent, summed by what you group by: one line for each group and currency.

    Sums are exact, and add up to what an export of the same days holds. Usage without a price is in the line of its
    group's only currency; of several it has a line of its own, without a cost. Groups in which nothing was used are
    left out.
    """
    caller = caller_of(request)
    query = _query(caller, asked)
    format_ = chosen_format(request)
    lines = grouped_costs(query)
    if format_ != JSON:
        refuse_paging(limit=asked.limit, cursor=asked.cursor)
        return stream(format_, _objects(lines, query), _columns(query))
    page = lines
    if asked.cursor is not None:
        after = read_cursor(request, asked.cursor, length=len(query.group_by) + 1)
        page = [line for line in lines if line.key > after]
    limit = asked.limit or LIMIT
    fresh = _freshness(query)
    return json_answer(
        {
            "data": list(_objects(page[:limit], query)),
            "next": make_cursor(request, page[limit - 1].key) if len(page) > limit else None,
            "data_through": iso(fresh.data_through),
            "provisional_from": iso(fresh.provisional_from),
            "currencies": sorted({line.currency for line in lines if line.currency}),
        }
    )


def _query(caller: Caller, asked: CostQuery) -> GroupedCostsQuery:
    """Raises Problem: 422 for what can't be understood, 403 for what the caller may not tell apart."""
    group_by = [name for name in asked.group_by.split(",") if asked.group_by]
    if unknown := [name for name in group_by if name not in GROUPS]:
        raise unprocessable(("group_by", f"“{unknown[0][:50]}” is none of {', '.join(GROUPS)}."))
    if len(set(group_by)) < len(group_by):
        raise unprocessable(("group_by", "Each can be given once."))
    if asked.from_ and asked.to and asked.from_ > asked.to:
        raise unprocessable(("from", "This is after “to”."))
    if caller.companies is not None and any(name in group_by or getattr(asked, name) for name in _HIDDEN):
        raise Problem(HTTPStatus.FORBIDDEN, "A token for chosen companies can't tell providers and API keys apart.")
    return GroupedCostsQuery(
        first=asked.from_,
        last=asked.to,
        group_by=group_by,
        companies=_companies(caller, asked.company),
        providers=_ids("provider", asked.provider, lambda: Provider.objects.values_list("pk", "name")),
        projects=_ids("project", asked.project, lambda: _projects(asked.project)),
        models=asked.model or None,
        markups=_markups(caller),
    )


def _markups(caller: Caller) -> Mapping[int, Decimal]:
    """Of who may not learn the costs of some of their companies: what is added to them."""
    if caller.companies is None:
        return {}
    companies = Company.objects.filter(pk__in=caller.companies)
    return {
        company.pk: company.markup_percent
        for company in companies
        if company.markup_percent is not None and company.is_price_only
    }


def _companies(caller: Caller, asked: Sequence[str]) -> list[int | None] | None:
    visible = Company.objects.all() if caller.companies is None else Company.objects.filter(pk__in=caller.companies)
    if not asked:
        return None if caller.companies is None else list(visible.values_list("pk", flat=True))
    named = [text for text in asked if text != UNASSIGNED]
    unassigned: list[int | None] = [None] if len(named) < len(asked) else []
    if unassigned and caller.companies is not None:
        raise _unknown("company", UNASSIGNED)
    return [*(_ids("company", named, lambda: visible.values_list("pk", "name")) or []), *unassigned]


def _projects(asked: Sequence[str]) -> Iterable[tuple[int, str]]:
    ids = [int(text) for text in asked if _is_id(text)]
    return Project.objects.filter(Q(external_id__in=asked) | Q(pk__in=ids)).values_list("pk", "external_id")


def _ids(field: str, asked: Sequence[str], known: Callable[[], Iterable[tuple[int, str]]]) -> list[int] | None:
    """Of ids and names; several things may have one name. What is unknown, or not the caller's to know, is refused."""
    if not asked:
        return None
    rows = list(known())
    found: list[int] = []
    for text in asked:
        matching = [pk for pk, _name in rows if _is_id(text) and pk == int(text)]
        matching = matching or [pk for pk, name in rows if name.casefold() == text.casefold()]
        if not matching:
            raise _unknown(field, text)
        found += matching
    return found


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _unknown(field: str, text: str) -> Problem:
    return unprocessable((field, f"There is no {field} “{text[:100]}” that this token may see."))


def _freshness(query: GroupedCostsQuery) -> Freshness:
    providers = Provider.objects.order_by().only("disconnected_at", "history_from")
    if query.providers is not None:
        providers = providers.filter(pk__in=query.providers)
    today = timezone.now().date()
    return freshness(providers, days_of_usage(query, today=today), today=today)


def _objects(lines: Sequence[GroupedCost], query: GroupedCostsQuery) -> Iterator[dict[str, Any]]:
    names = _names(lines, query.group_by)
    for line in lines:
        line_object: dict[str, Any] = {}
        for name, value in zip(query.group_by, line.group, strict=True):
            line_object |= _labels(name, value, names)
        totals = line.totals
        yield line_object | {
            **{figure: exact(totals.told(figure)) for figure in COUNTED},
            "cost": exact(line.cost),
            "currency": line.currency or None,
            "unpriced_rows": totals.unpriced_rows,
            "estimated": totals.estimated,
            "allocated": line.allocated,
        }


def _names(lines: Sequence[GroupedCost], group_by: Sequence[str]) -> dict[str, Mapping[int, Any]]:
    """What is told of the ids of these lines, by what they are grouped by: names, and whole API keys."""
    found: dict[str, Mapping[int, Any]] = {}
    for place, name in enumerate(group_by):
        ids = {line.group[place] for line in lines} - {None}
        if name == "project":
            found[name] = {row.pk: row for row in Project.objects.filter(pk__in=ids).order_by()}
        elif name in _NAMED:
            found[name] = dict(_NAMED[name].objects.filter(pk__in=ids).order_by().values_list("pk", "name"))
    return found


def _labels(name: str, value: Any, names: Mapping[str, Mapping[int, Any]]) -> dict[str, Any]:
    match name:
        case "company":
            return {"company": None if value is None else {"id": value, "name": names[name][value]}}
        case "provider":
            return {"provider": names[name][value]}
        case "project":
            project = names[name][value]
            keyless = project.kind == Project.Kind.KEYLESS
            return {"project": project.display_name, "project_id": "" if keyless else project.external_id}
        case "day":
            return {"day": value.isoformat()}
        case "month":
            return {"month": f"{value:%Y-%m}"}
    return {name: value}


def _columns(query: GroupedCostsQuery) -> list[str]:
    columns = {"company": ["company.id", "company.name"], "project": ["project", "project_id"]}
    return [column for name in query.group_by for column in columns.get(name, [name])] + list(_FIGURES)
