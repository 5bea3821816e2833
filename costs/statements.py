"""What statements say: of a closed month what was frozen, of any other month what its statement would say now.

A statement holds a company's usage of its month, and adjustments: what the cost of earlier, closed months has become
other than what was billed for them, by restatements, late prices and reassignments alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from django.db.models import Max, Min
from django.db.models.functions import TruncMonth

from costs.models import ClosedMonth, Statement, StatementLine, marked_up
from costs.money import Money
from costs.months import days_of, following
from costs.ranges import DateRange
from costs.reports import NO_MODEL
from costs.sums import ExactSum
from costs.totals import NOTHING, Totals, all_usage, totals_by, usage_by_key
from providers.models import Company, Project

Kind = StatementLine.Kind
CompanyLine = tuple[int, StatementLine]  # with the company's id


@dataclass(frozen=True)
class Amounts:
    """What a statement comes to in one currency, exactly."""

    currency: str
    usage: Decimal
    adjustments: Decimal
    usage_markup: Decimal
    adjustments_markup: Decimal

    @property
    def cost(self) -> Decimal:
        return self.usage + self.adjustments

    @property
    def markup(self) -> Decimal:
        return self.usage_markup + self.adjustments_markup

    @property
    def total(self) -> Decimal:
        return self.cost + self.markup

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.currency,
            self.usage + other.usage,
            self.adjustments + other.adjustments,
            self.usage_markup + other.usage_markup,
            self.adjustments_markup + other.adjustments_markup,
        )


@dataclass(frozen=True)
class Sheet:
    """A company's statement of a month; a draft where the month is not closed."""

    company: Company
    company_name: str
    month: date
    markup_percent: Decimal | None
    lines: tuple[StatementLine, ...]
    closed: ClosedMonth | None = None

    @property
    def usage(self) -> tuple[StatementLine, ...]:
        return tuple(line for line in self.lines if line.kind == Kind.USAGE)

    @property
    def adjustments(self) -> tuple[StatementLine, ...]:
        return tuple(line for line in self.lines if line.kind == Kind.ADJUSTMENT)

    @cached_property
    def usage_totals(self) -> Totals:
        return sum((totals_of(line) for line in self.usage), NOTHING)

    @cached_property
    def amounts(self) -> tuple[Amounts, ...]:
        """By currency; empty where nothing on the statement has a price."""
        by_currency: dict[str, Amounts] = {}
        for line in self.lines:
            if line.cost is None:
                continue
            if line.kind == Kind.USAGE:
                part = Amounts(line.currency, line.cost, Decimal(0), self.markup_of(line), Decimal(0))
            else:
                part = Amounts(line.currency, Decimal(0), line.cost, Decimal(0), self.markup_of(line))
            before = by_currency.get(line.currency)
            by_currency[line.currency] = before + part if before else part
        return tuple(by_currency[currency] for currency in sorted(by_currency))

    def markup_of(self, line: StatementLine) -> Decimal:
        return marked_up(line.cost, self.percent_of(line))

    def percent_of(self, line: StatementLine) -> Decimal | None:
        """An adjustment keeps the mark-up under which its month was billed."""
        return self.markup_percent if line.kind == Kind.USAGE else line.markup_percent

    @property
    def percents(self) -> frozenset[Decimal]:
        """Every mark-up that the statement's lines have; the company's own, where it has one, in any case."""
        own = () if self.markup_percent is None else (self.markup_percent,)
        return frozenset({*own, *(line.markup_percent for line in self.adjustments if line.markup_percent is not None)})

    @property
    def unpriced(self) -> int:
        """How many of its lines were used and have no price yet."""
        return sum(line.unpriced for line in self.lines)


def totals_of(line: StatementLine) -> Totals:
    return Totals(
        credits=line.credits,
        minutes=line.minutes,
        requests=line.requests,
        costs=() if line.cost is None else (Money(line.currency, line.cost),),
        unpriced_rows=int(line.unpriced),
        estimated=line.estimated,
    )


def sum_of(sheets: Iterable[Sheet]) -> tuple[Amounts, ...]:
    """Of several statements together, by currency."""
    by_currency: dict[str, Amounts] = {}
    for sheet in sheets:
        for amounts in sheet.amounts:
            before = by_currency.get(amounts.currency)
            by_currency[amounts.currency] = before + amounts if before else amounts
    return tuple(by_currency[currency] for currency in sorted(by_currency))


# --- What was frozen --------------------------------------------------------------------------------------------------


def frozen_sheets(closed: Iterable[ClosedMonth], *, company: Company | None = None) -> list[Sheet]:
    """The statements of closed months, by month (newest first) and name; two queries."""
    by_pk = {month.pk: month for month in closed}
    statements = Statement.objects.filter(closed_month__in=by_pk).select_related("company", "closed_month")
    if company is not None:
        statements = statements.filter(company=company)
    return [
        Sheet(
            company=statement.company,
            company_name=statement.company_name,
            month=statement.closed_month.month,
            markup_percent=statement.markup_percent,
            lines=tuple(statement.lines.all()),
            closed=by_pk[statement.closed_month_id],
        )
        for statement in statements.prefetch_related("lines")
    ]


# --- What would be ----------------------------------------------------------------------------------------------------


def draft_sheets(month: date, *, company: Company | None = None) -> list[Sheet]:
    """What the statements of a month would say if it were closed now, by name; empty ones are left out.

    The month after the latest closed one carries the adjustments; before any month is closed there are none. Under
    costs.attribution.locked() this is what is frozen.
    """
    closed = closed_span()
    lines = _usage_lines(month, company)
    pending = _pending(closed, company) if closed and month == following(closed.last) else []
    companies = [company] if company else list(Company.objects.filter(pk__in=[pk for pk, _line in (*lines, *pending)]))
    of_company: dict[int, list[StatementLine]] = defaultdict(list)
    for company_id, line in (*lines, *with_markups(pending, companies)):
        of_company[company_id].append(line)
    sheets = [
        Sheet(each, each.name, month, each.markup_percent, tuple(of_company[each.pk]))
        for each in companies
        if each.pk in of_company
    ]
    return sorted(sheets, key=lambda sheet: sheet.company_name.casefold())


def closed_span() -> DateRange | None:
    """The closed months – which are closed in order – from the first to the last one; one query."""
    span = ClosedMonth.objects.aggregate(first=Min("month"), last=Max("month"))
    return DateRange(span["first"], span["last"]) if span["first"] else None


def pending_adjustments(*, company: Company | None = None) -> list[CompanyLine]:
    """What no statement has carried yet: one unsaved line per closed month, company and currency, oldest first.

    What the month's usage costs now, minus what was frozen of it, minus what statements have carried for it since.
    with_markups() adds the mark-ups.
    """
    closed = closed_span()
    return _pending(closed, company) if closed else []


def with_markups(pending: Sequence[CompanyLine], companies: Iterable[Company]) -> Sequence[CompanyLine]:
    """Give adjustments the mark-up under which their month was billed or – where it was not – the present one.

    ``companies`` hold every company of ``pending``; one query.
    """
    if not pending:
        return pending
    billed = Statement.objects.filter(
        company__in={pk for pk, _line in pending}, closed_month__month__in={line.month for _pk, line in pending}
    )
    percents = {
        (company_id, month): percent
        for company_id, month, percent in billed.values_list("company_id", "closed_month__month", "markup_percent")
    }
    present = {company.pk: company.markup_percent for company in companies}
    for company_id, line in pending:
        line.markup_percent = percents.get((company_id, line.month), present[company_id])
    return pending


def _pending(closed: DateRange, company: Company | None) -> list[CompanyLine]:
    current = all_usage().between(closed.first, days_of(closed.last).last).filter(company__isnull=False)
    billed = StatementLine.objects.all()
    if company is not None:
        current, billed = current.filter(company=company), billed.filter(statement__company=company)
    differences: dict[tuple[date, int, str], Decimal] = defaultdict(Decimal)
    by_month = current.exclude(currency="").annotate(month=TruncMonth("day")).order_by()
    for company_id, month, currency, cost in by_month.values_list("company_id", "month", "currency").annotate(
        total=ExactSum("cost")
    ):
        differences[month, company_id, currency] += cost
    for company_id, month, currency, cost in (
        billed.exclude(currency="")
        .order_by()
        .values_list("statement__company_id", "month", "currency")
        .annotate(total=ExactSum("cost"))
    ):
        differences[month, company_id, currency] -= cost
    return [
        (company_id, StatementLine(kind=Kind.ADJUSTMENT, month=month, currency=currency, cost=cost))
        for (month, company_id, currency), cost in sorted(differences.items())
        if cost
    ]


def _usage_lines(month: date, company: Company | None) -> list[CompanyLine]:
    """The usage of a month by company id, API key, model and currency, without what is nothing but zeros."""
    days = days_of(month)
    usage = usage_by_key().between(days.first, days.last).filter(company__isnull=False)
    if company is not None:
        usage = usage.filter(company=company)
    by_key = totals_by(usage, "company_id", "project_id", "model", "currency")
    projects = _projects({project_id for _company, project_id, _model, _currency in by_key})
    return [
        (company_id, _usage_line(month, projects[project_id], model, sums))
        for (company_id, project_id, model, _currency), sums in sorted(by_key.items())
        if not sums.is_idle
    ]


def _projects(ids: Iterable[int]) -> Mapping[int, Project]:
    return {project.pk: project for project in Project.objects.filter(pk__in=ids).select_related("provider")}


def _usage_line(month: date, project: Project, model: str, sums: Totals) -> StatementLine:
    priced = sums.costs[0] if sums.costs else None
    return StatementLine(
        kind=Kind.USAGE,
        month=month,
        provider_name=project.provider.name,
        key_name=project.display_name,
        key_hint=project.hint if project.label or project.name else "",
        model=model,
        model_name=str(project.provider.model_names.get(model) or model or NO_MODEL)[:200],
        credits=sums.credits,
        minutes=sums.minutes,
        requests=sums.requests,
        cost=priced.amount if priced else None,
        currency=priced.currency if priced else "",
        estimated=sums.estimated,
        unpriced=bool(sums.unpriced_rows),
    )
