"""What assigning keys otherwise would move: money per company before and after, and the closed months it is of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from core.money import Money
from core.months import first_of
from costs.models import ClosedMonth
from costs.reports.selection import Usage
from costs.reports.totals import Totals, all_usage, totals_by
from providers.models import NO_PERIODS, Assignment, Company, Provider
from providers.moving import Moving
from providers.services.periods import WHOLE

Payers = Sequence[tuple[Company, Decimal]]

_Key = int | str  # a company's id or, where it is not stored yet, its name
_Sums = dict[_Key | None, dict[str, Decimal]]
_Days = tuple[date | None, date | None]
# For so many stretches of days each is read by itself, which sums of months answer; more are read day by day.
_MOST_STRETCHES = 3


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


def move_of(moving: Sequence[Moving], *, today: date) -> Move:
    """What giving keys to other payers would move; at most seven queries.

    Of what is split only the amounts are told, not to which row the last digit goes. Where a Moving names no last day,
    periods that begin later stay, as start_periods() leaves them.
    """
    stretches = _stretches(moving, today)
    moved = list(_moved(stretches))
    changes = _changes(moved)
    before = {company_id: totals for (company_id,), totals in totals_by(_window(moving, today), "company_id").items()}
    companies: dict[_Key | None, Company | None] = {company.pk: company for company in Company.objects.all()}
    companies |= {_key(company): company for each in moving for company, _percent in each.payers}
    lines = [
        CompanyMove(companies.get(key), Money(currency, had), Money(currency, had + change))
        for key, by_currency in changes.items()
        for currency, change in by_currency.items()
        if change
        for had in [before[key].cost_in(currency) if key in before else Decimal(0)]
    ]
    closed = set(ClosedMonth.objects.values_list("month", flat=True))
    months = {first_of(day) for _company, day, totals, _payers in moved if not totals.is_idle}
    providers = {project.provider for each in moving for project in each.projects}
    return Move(
        lines=tuple(sorted(lines, key=lambda line: line.before.amount - line.after.amount)),
        closed=tuple(sorted(months & closed)),
        shares_anew=any(provider.keyless_sharing != Provider.KeylessSharing.NONE for provider in providers),
    )


def _window(moving: Sequence[Moving], today: date) -> Usage:
    """The days of which companies are told what they pay: from the first day that anything moves to the last, or on."""
    starts = [each.starts_on for each in moving]
    if None in starts or not starts:
        return all_usage()
    lasts = [each.ends_on or max(each.starts_on or today, today) for each in moving]
    return all_usage().between(min(filter(None, starts)), max(lasts))


def _stretches(moving: Sequence[Moving], today: date) -> dict[_Days, dict[int, Payers]]:
    """Who would pay for which keys, by the first and the last of the days for which that would change."""
    asked = [project for each in moving if each.starts_on and each.ends_on is None for project in each.projects]
    stored = Assignment.objects.filter(project__in=asked).by_project() if asked else {}
    found: dict[_Days, dict[int, Payers]] = defaultdict(dict)
    for each in moving:
        for project in each.projects:
            last = each.ends_on
            if each.starts_on and last is None:
                later = stored.get(project.pk, NO_PERIODS).after(each.starts_on)
                last = later[0].starts_on - timedelta(days=1) if later else max(each.starts_on, today)
            found[each.starts_on, last][project.pk] = each.payers
    return found


def _moved(stretches: Mapping[_Days, Mapping[int, Payers]]) -> Iterator[tuple[int | None, date, Totals, Payers]]:
    """Usage by the company that pays it now and a day of its month, with who would pay it."""
    if len(stretches) > _MOST_STRETCHES:
        yield from _moved_by_day(stretches)
        return
    for (first, last), of_days in stretches.items():
        usage = all_usage().filter(project__in=list(of_days))
        usage = usage.between(first, last) if first and last else usage
        for (key, company_id, month), totals in totals_by(usage, "project_id", "company_id", "month").items():
            yield company_id, month, totals, of_days[key]


def _moved_by_day(
    stretches: Mapping[_Days, Mapping[int, Payers]],
) -> Iterator[tuple[int | None, date, Totals, Payers]]:
    by_key: dict[int, list[tuple[date, date, Payers]]] = defaultdict(list)
    for (first, last), of_days in stretches.items():
        for key, payers in of_days.items():
            by_key[key].append((first or date.min, last or date.max, payers))
    usage = all_usage().filter(project__in=list(by_key))
    if all(first and last for first, last in stretches):
        pieces = [piece for of_key in by_key.values() for piece in of_key]
        usage = usage.between(min(piece[0] for piece in pieces), max(piece[1] for piece in pieces))
    for (key, company_id, day), totals in totals_by(usage, "project_id", "company_id", "day").items():
        for begin, end, payers in by_key[key]:
            if begin <= day <= end:
                yield company_id, day, totals, payers


def _changes(moved: Iterable[tuple[int | None, date, Totals, Payers]]) -> _Sums:
    """What each company gains or loses, by currency."""
    result: _Sums = defaultdict(lambda: defaultdict(Decimal))
    for company_id, _day, totals, payers in moved:
        shares: Mapping[_Key | None, Decimal] = {_key(company): percent for company, percent in payers} or {None: WHOLE}
        for money in totals.costs:
            result[company_id][money.currency] -= money.amount
            for payer, percent in shares.items():
                result[payer][money.currency] += money.amount * percent / 100
    return result


def _key(company: Company) -> _Key:
    return company.pk or company.name
