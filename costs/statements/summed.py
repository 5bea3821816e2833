"""The statements of a month in sums: what a list of them all shows, without the lines of every API key and model.

Each has its usage as a line per currency, and of what has no price as many lines as there would be, since these are
counted. What a statement comes to is the same, exactly.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from django.db.models import Count, Q

from core.months import days_of
from core.sums import ExactSum
from costs.models import ClosedMonth, Statement, StatementLine
from costs.reports.selection import Usage
from costs.reports.totals import all_usage, totals_by
from costs.statements.adjustments import ClosedMonths, CompanyLine
from costs.statements.contents import Kind, StatementView, carried, drafts, frozen_sheet, usage_sum


def summed_drafts(month: date, *, closed: ClosedMonths | None) -> list[StatementView]:
    """As draft_sheets()."""
    days = days_of(month)
    usage = all_usage().between(days.first, days.last).filter(company__isnull=False)
    adjustments = carried(days, closed, None)
    sheets = drafts([*_usage(month, usage), *(line for _month, line in adjustments)], month, None)
    sums = usage.sums_of_months("company", "provider").filter(day=month).used()
    used = _used(sums.values_list("company_id", "provider__name"))
    return [replace(sheet, used=frozenset(used[sheet.company.pk])) for sheet in sheets]


def _usage(month: date, usage: Usage) -> Iterator[CompanyLine]:
    by_company = totals_by(usage, "company_id", "currency")
    found = {group: sums for group, sums in by_company.items() if not sums.is_idle}
    unpriced = _unpriced_lines(usage) if any(not currency for _company, currency in found) else Counter()
    for (company, currency), sums in found.items():
        yield company, usage_sum(month, currency, sums)
        for _further in range(1, 1 if currency else unpriced[company]):
            yield company, _unpriced(month)


def _unpriced_lines(usage: Usage) -> Counter[int]:
    """How many lines without a price there would be, by company."""
    by_key = totals_by(usage.filter(currency=""), "company_id", "project_id", "model")
    return Counter(company for (company, *_key), sums in by_key.items() if not sums.is_idle)


def _used(pairs: Iterable[tuple[int, str]]) -> dict[int, set[str]]:
    """The second of each by the first."""
    found: dict[int, set[str]] = defaultdict(set)
    for whose, name in pairs:
        found[whose].add(name)
    return found


def summed_statements(closed: ClosedMonth) -> list[StatementView]:
    """As frozen_sheets() of a month; three queries."""
    lines: dict[int, list[StatementLine]] = defaultdict(list)
    stored = StatementLine.objects.filter(statement__closed_month=closed).order_by()
    named = ("kind", "currency", "markup_percent", "unpriced")
    sums = {"total": ExactSum("cost"), "estimates": Count("pk", filter=Q(estimated=True)), "number": Count("pk")}
    for pk, kind, currency, percent, is_unpriced, cost, estimates, number in stored.values_list(
        "statement_id", *named
    ).annotate(**sums):
        if is_unpriced:
            lines[pk] += [_unpriced(closed.month) for _each in range(number)]
            continue
        lines[pk].append(
            StatementLine(
                kind=kind,
                month=closed.month,
                cost=cost,
                currency=currency,
                markup_percent=percent,
                estimated=bool(estimates),
            )
        )
    used = _used(stored.filter(kind=Kind.USAGE).values_list("statement_id", "provider_name").distinct())
    statements = Statement.objects.filter(closed_month=closed).select_related("company", "closed_month")
    return [
        replace(frozen_sheet(statement, lines[statement.pk]), used=frozenset(used[statement.pk]))
        for statement in statements
    ]


def _unpriced(month: date) -> StatementLine:
    return StatementLine(kind=Kind.USAGE, month=month, unpriced=True)
