"""The statements of a month in sums: what a list of them all shows, without the lines of every API key and model.

Each has its usage as a line per workspace and currency, and of what has no price as many lines as there would be, since
these are counted. What a statement comes to is the same, exactly.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
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
    adjustments = carried(days_of(month), closed, None)
    return drafts([*_usage(month), *(line for _month, line in adjustments)], month, None)


def _usage(month: date) -> Iterator[CompanyLine]:
    days = days_of(month)
    usage = all_usage().between(days.first, days.last).filter(company__isnull=False)
    by_provider = totals_by(usage, "company_id", "provider__name", "currency")
    found = {group: sums for group, sums in by_provider.items() if not sums.is_idle}
    unpriced = _unpriced_lines(usage) if any(not currency for *_whose, currency in found) else Counter()
    for (company, provider, currency), sums in found.items():
        line = usage_sum(month, currency, sums)
        line.provider_name = provider
        yield company, line
        for _further in range(1, 1 if currency else unpriced[company, provider]):
            yield company, _unpriced(month, provider)


def _unpriced_lines(usage: Usage) -> Counter[tuple[int, str]]:
    """How many lines without a price there would be, by company and provider."""
    by_key = totals_by(usage.filter(currency=""), "company_id", "provider__name", "project_id", "model")
    return Counter((company, provider) for (company, provider, *_key), sums in by_key.items() if not sums.is_idle)


def summed_statements(closed: ClosedMonth) -> list[StatementView]:
    """As frozen_sheets() of a month; two queries."""
    lines: dict[int, list[StatementLine]] = defaultdict(list)
    stored = StatementLine.objects.filter(statement__closed_month=closed).order_by()
    named = ("kind", "provider_name", "currency", "markup_percent", "unpriced")
    sums = {"total": ExactSum("cost"), "estimates": Count("pk", filter=Q(estimated=True)), "number": Count("pk")}
    for pk, kind, provider, currency, percent, is_unpriced, cost, estimates, number in stored.values_list(
        "statement_id", *named
    ).annotate(**sums):
        if is_unpriced:
            lines[pk] += [_unpriced(closed.month, provider) for _each in range(number)]
            continue
        lines[pk].append(
            StatementLine(
                kind=kind,
                month=closed.month,
                provider_name=provider,
                cost=cost,
                currency=currency,
                markup_percent=percent,
                estimated=bool(estimates),
            )
        )
    statements = Statement.objects.filter(closed_month=closed).select_related("company", "closed_month")
    return [frozen_sheet(statement, lines[statement.pk]) for statement in statements]


def _unpriced(month: date, provider_name: str) -> StatementLine:
    return StatementLine(kind=Kind.USAGE, month=month, provider_name=provider_name, unpriced=True)
