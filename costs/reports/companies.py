"""What each company spent, how that has changed, and what its month will come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Min, OuterRef, Subquery

from core.days import DateRange
from costs.reports.breakdowns import Breakdown, company_breakdown
from costs.reports.comparison import Change, Spend, spend_by
from costs.reports.forecast import Expected, expect
from costs.reports.scope import Scope, scope_of
from costs.reports.totals import Totals, main_currency, totals_by
from providers.keys import Counts, count_keys_and_agents
from providers.models import Company, Provider


@dataclass(frozen=True)
class CompanyLine:
    """A company, or what is unassigned (``company`` is None)."""

    company: Company | None
    label: str
    totals: Totals
    change: Change
    keys: int  # API keys that it pays for today
    agents: int  # likewise
    expected: Expected | None = None  # of the current month; None where it never used anything, or was not computed


@dataclass(frozen=True)
class CompaniesReport:
    """Every company's figures, largest spend first, and last what is unassigned."""

    scope: Scope
    currency: str
    lines: tuple[CompanyLine, ...]
    total: Totals
    change: Change
    keys: int  # API keys of all, each once
    agents: int  # likewise


def companies_report(
    providers: Sequence[Provider],
    *,
    days: DateRange,
    today: date,
    provider: Provider | None = None,
    with_archived: bool = False,
) -> CompaniesReport:
    """The companies that are not archived or used something; with ``with_archived`` all. Nine queries or ten."""
    scope = scope_of(providers, days=days, today=today, provider=provider)
    spend = spend_by(scope.every_day, "company_id", days, scope.comparison)
    by_company = company_breakdown(spend.by_group, with_archived=with_archived)
    currency = main_currency(by_company.total, scope.providers)
    counts = count_keys_and_agents(today, provider=provider)
    expected = _expected_by_company(scope, currency)
    return CompaniesReport(
        scope=scope,
        currency=currency,
        lines=company_lines(by_company, spend, counts, expected),
        total=by_company.total,
        change=spend.change,
        keys=counts.keys.total,
        agents=counts.agents.total,
    )


def company_lines(
    by_company: Breakdown, spend: Spend, counts: Counts, expected: Mapping[int | None, Expected]
) -> tuple[CompanyLine, ...]:
    return tuple(
        CompanyLine(
            company=line.subject,
            label=line.label,
            totals=line.totals,
            change=spend.change_of(pk),
            keys=counts.keys.by_company.get(pk, 0),
            agents=counts.agents.by_company.get(pk, 0),
            expected=expected.get(pk),
        )
        for line in by_company.lines
        for pk in [line.subject and line.subject.pk]
    )


def _expected_by_company(scope: Scope, currency: str) -> dict[int | None, Expected]:
    """Of each company that ever had usage, and of what is unassigned (None); three queries."""
    recent: dict[int | None, dict[date, Totals]] = defaultdict(dict)
    usage = scope.every_day.between(scope.window.first, scope.window.last)
    for (company_id, day), sums in totals_by(usage, "company_id", "day").items():
        recent[company_id][day] = sums
    return {
        pk: expect(recent[pk], scope.complete_recently, today=scope.today, first_use=first_use, currency=currency)
        for pk, first_use in _first_uses(scope).items()
        if first_use
    }


def _first_uses(scope: Scope) -> dict[int | None, date | None]:
    """The first day with usage of each company; None: of what is unassigned.

    Looked up in the index of each, or of one provider in all of its days: of a company that never used it, no index
    would tell so soon.
    """
    days = scope.every_day.sums_of_days()
    if scope.provider:
        return dict(days.order_by().values("company_id").values_list("company_id", Min("day")))
    of_company = days.filter(company=OuterRef("pk")).order_by("day").values("day")[:1]
    unassigned = scope.every_day.filter(company=None).first_day()
    return {None: unassigned} | dict(
        Company.objects.order_by().annotate(first_use=Subquery(of_company)).values_list("pk", "first_use")
    )
