"""What each company spent, how that has changed, and what its month will come to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from django.db.models import Min, OuterRef, Q, Subquery

from core.days import DateRange
from core.months import first_of
from costs.reports.breakdowns import Breakdown, company_breakdown
from costs.reports.comparison import Change, Spend, spend_by, total_change
from costs.reports.days import Step
from costs.reports.forecast import Expected, expect
from costs.reports.scope import Scope, scope_of
from costs.reports.selection import Usage
from costs.reports.series import steps_by
from costs.reports.spending import NO_SPEND, DailySpend, together
from costs.reports.totals import Totals, main_currency, total_of, totals_by
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
    by_step: Mapping[date, Decimal] = field(default_factory=dict)  # cost in the report's currency; empty: not computed

    @property
    def pk(self) -> int | None:
        """Of the company."""
        return self.company.pk if self.company else None


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
    expected: Expected  # of all
    steps: tuple[DateRange, ...]  # of the days, as small lines show them


def companies_report(
    providers: Sequence[Provider],
    *,
    days: DateRange,
    today: date,
    provider: Provider | None = None,
    with_archived: bool = False,
    named: str = "",
    chosen: Callable[[Sequence[CompanyLine]], Sequence[CompanyLine]] = lambda lines: lines,
) -> CompaniesReport:
    """The companies that are not archived or used something; with ``with_archived`` all. Seven queries to ten.

    ``named`` leaves those whose name holds it, and nothing of what is unassigned; totals are of what is left. Forecasts
    and steps, which cost the most, are worked out of the lines that are ``chosen`` of them.
    """
    scope = scope_of(providers, days=days, today=today, provider=provider)
    spend = spend_by(scope.every_day, "company_id", days, scope.comparison)
    by_company = company_breakdown(spend.by_group, with_archived=with_archived)
    currency = main_currency(by_company.total, scope.providers)
    counts = count_keys_and_agents(today, provider=provider)
    lines = company_lines(by_company, spend, counts)
    shown = [line for line in lines if not named or (line.company and named.casefold() in line.label.casefold())]
    kept = [line.pk for line in shown]
    drawn = {line.pk for line in chosen(shown)}
    step = Step.of_line(days)
    usage = scope.every_day
    by_step, recent = steps_by(
        usage if drawn.issuperset(line.pk for line in lines) else _of(usage, drawn),
        "company_id",
        days,
        step,
        window=scope.window,
        currency=currency,
    )
    first_uses = _first_uses(scope)

    def forecast_of(spent: DailySpend, first_use: date | None) -> Expected:
        return expect(spent, scope.complete_recently, today=today, first_use=first_use, currency=currency)

    def in_full(line: CompanyLine) -> CompanyLine:
        first_use = first_uses.get(line.pk)
        expected = forecast_of(recent.get(line.pk, NO_SPEND), first_use) if first_use else None
        return replace(line, expected=expected, by_step=by_step.get(line.pk, {}))

    uses = [first_use for pk in (kept if named else first_uses) if (first_use := first_uses.get(pk))]
    return CompaniesReport(
        scope=scope,
        currency=currency,
        lines=tuple(in_full(line) if line.pk in drawn else line for line in shown),
        total=total_of(line.totals for line in shown),
        change=total_change({pk: spend.change_of(pk) for pk in kept}) if named else spend.change,
        keys=sum(line.keys for line in shown) if named else counts.keys.total,
        agents=sum(line.agents for line in shown) if named else counts.agents.total,
        expected=forecast_of(
            together(recent.values())
            if drawn.issuperset(kept)
            else _recent(_of(usage, kept) if named else usage, scope),
            min(uses, default=None),
        ),
        steps=tuple(step.within(days)),
    )


def company_lines(by_company: Breakdown, spend: Spend, counts: Counts) -> tuple[CompanyLine, ...]:
    """Without forecasts and steps."""
    return tuple(
        CompanyLine(
            company=line.subject,
            label=line.label,
            totals=line.totals,
            change=spend.change_of(pk),
            keys=counts.keys.by_company.get(pk, 0),
            agents=counts.agents.by_company.get(pk, 0),
        )
        for line in by_company.lines
        for pk in [line.subject and line.subject.pk]
    )


def _of(usage: Usage, companies: Collection[int | None]) -> Usage:
    theirs = Q(company__in=[pk for pk in companies if pk is not None])
    return usage.where("company", theirs | Q(company=None) if None in companies else theirs)


def _recent(usage: Usage, scope: Scope) -> DailySpend:
    """Of all companies together, what a forecast needs."""
    by_day = totals_by(usage.between(scope.window.first, scope.window.last), "day")
    return DailySpend.of({day: sums for (day,), sums in by_day.items()})


def _first_uses(scope: Scope) -> dict[int | None, date | None]:
    """The first day with usage of each company; None: of what is unassigned. One query or two.

    Looked up in the index of each. Of one provider – of a company that never used it, no index would tell so soon –
    from the days that a forecast may reach, and of what lies before them the month, which tells it as much.
    """
    if scope.provider:
        reached = first_of(scope.window.first)
        before = scope.every_day.sums_of_months().filter(day__lt=reached)
        since = scope.every_day.sums_of_days().filter(day__gte=reached)
        months, days = (
            sums.order_by().values("company_id").values_list("company_id", Min("day")) for sums in (before, since)
        )
        return dict(days) | dict(months)
    of_company = scope.every_day.sums_of_days().filter(company=OuterRef("pk")).order_by("day").values("day")[:1]
    unassigned = scope.every_day.filter(company=None).first_day()
    return {None: unassigned} | dict(
        Company.objects.order_by().annotate(first_use=Subquery(of_company)).values_list("pk", "first_use")
    )
