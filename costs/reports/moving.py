"""What assigning keys otherwise would move: money per company before and after, and the closed months it is of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from core.money import Money
from costs.models import ClosedMonth
from costs.reports.selection import Usage
from costs.reports.totals import Totals, all_usage, totals_by
from providers.models import NO_PERIODS, Assignment, Company, Project, Provider

# Who would pay, and how many percent each; empty: nobody. A company that is not stored yet has no id.
Payers = Sequence[tuple[Company, Decimal]]

_NEW = 0  # stands where the id of a company would that is not stored yet
_Sums = dict[int | None, dict[str, Decimal]]


@dataclass(frozen=True)
class CompanyMove:
    """What a company (None: Unassigned) would pay in one currency."""

    company: Company | None
    before: Money
    after: Money


@dataclass(frozen=True)
class Move:
    lines: tuple[CompanyMove, ...]  # of those for whom something would change, largest gain first
    closed: tuple[date, ...]  # closed months, some of whose usage would move, oldest first
    shares_anew: bool  # usage without a key is shared by what would change; what that moves is not counted


def move_of(
    projects: Sequence[Project],
    payers: Payers,
    *,
    starts_on: date | None,
    today: date,
    ends_on: date | None = None,
) -> Move:
    """What giving ``projects`` to ``payers`` – from ``starts_on``, or in all history – would move; five queries.

    Of what is split only the amounts are told, not to which row the last digit goes. Without ``ends_on``, the last day
    that moves, periods that begin later stay, as start_periods() leaves them.
    """
    moving = [
        (company_id, month, totals)
        for usage in _concerned(projects, starts_on, ends_on, today)
        for (company_id, month), totals in totals_by(usage, "company_id", "month").items()
    ]
    changes = _changes(moving, payers)
    window = all_usage() if starts_on is None else all_usage().between(starts_on, ends_on or max(starts_on, today))
    before = {company_id: totals for (company_id,), totals in totals_by(window, "company_id").items()}
    companies: dict[int | None, Company | None] = {company.pk: company for company in Company.objects.all()}
    companies |= {_NEW: next((company for company, _percent in payers if company.pk is None), None)}
    lines = [
        CompanyMove(companies.get(company_id), Money(currency, had), Money(currency, had + change))
        for company_id, by_currency in changes.items()
        for currency, change in by_currency.items()
        if change
        for had in [before[company_id].cost_in(currency) if company_id in before else Decimal(0)]
    ]
    closed = set(ClosedMonth.objects.values_list("month", flat=True))
    return Move(
        lines=tuple(sorted(lines, key=lambda line: line.before.amount - line.after.amount)),
        closed=tuple(sorted({month for _company, month, totals in moving if not totals.is_idle} & closed)),
        shares_anew=any(project.provider.keyless_sharing != Provider.KeylessSharing.NONE for project in projects),
    )


def _concerned(
    projects: Sequence[Project], starts_on: date | None, ends_on: date | None, today: date
) -> Iterator[Usage]:
    """The usage that would have other payers: of each key until ``ends_on``, or the next period that begins later."""
    if starts_on is None:
        yield all_usage().filter(project__in=[project.pk for project in projects])
        return
    if ends_on is not None:
        yield all_usage().filter(project__in=[project.pk for project in projects]).between(starts_on, ends_on)
        return
    stored = Assignment.objects.filter(project__in=projects).by_project()
    by_end: dict[date, list[int]] = defaultdict(list)
    for project in projects:
        later = stored.get(project.pk, NO_PERIODS).after(starts_on)
        by_end[later[0].starts_on - timedelta(days=1) if later else max(starts_on, today)].append(project.pk)
    for end, ids in by_end.items():
        yield all_usage().filter(project__in=ids).between(starts_on, end)


def _changes(moving: Sequence[tuple[int | None, date, Totals]], payers: Payers) -> _Sums:
    """What each company gains or loses, by currency."""
    shares: Mapping[int | None, Decimal] = {company.pk or _NEW: percent for company, percent in payers} or {
        None: Decimal(100)
    }
    result: _Sums = defaultdict(lambda: defaultdict(Decimal))
    for company_id, _month, totals in moving:
        for money in totals.costs:
            result[company_id][money.currency] -= money.amount
            for payer, percent in shares.items():
                result[payer][money.currency] += money.amount * percent / 100
    return result
