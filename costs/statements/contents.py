"""The contents of statements: of a closed month the stored lines, of any other month a draft from present figures.

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
from typing import Any

from django.db.models import Count, Q

from core.days import DateRange
from core.money import Money
from core.months import days_of, following
from core.sums import ExactSum
from costs.models import COUNTED, ClosedMonth, Statement, StatementLine, marked_up
from costs.reports.breakdowns import NO_MODEL
from costs.reports.totals import NOTHING, Totals, all_usage, totals_by
from costs.statements.adjustments import ClosedMonths, CompanyLine, pending_adjustments
from providers.models import Company, Project

# What a client reads instead of the name of a person of the workspace.
PERSON = "Web app user"

Kind = StatementLine.Kind


@dataclass(frozen=True)
class Amounts:
    """What a statement comes to in one currency, exactly."""

    currency: str
    usage: Decimal
    adjustments: Decimal
    usage_markup: Decimal
    adjustments_markup: Decimal
    usage_estimated: bool = False
    adjustments_estimated: bool = False

    @property
    def cost(self) -> Decimal:
        return self.usage + self.adjustments

    @property
    def markup(self) -> Decimal:
        return self.usage_markup + self.adjustments_markup

    @property
    def total(self) -> Decimal:
        return self.cost + self.markup

    @property
    def estimated(self) -> bool:
        return self.usage_estimated or self.adjustments_estimated

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.currency,
            self.usage + other.usage,
            self.adjustments + other.adjustments,
            self.usage_markup + other.usage_markup,
            self.adjustments_markup + other.adjustments_markup,
            self.usage_estimated or other.usage_estimated,
            self.adjustments_estimated or other.adjustments_estimated,
        )


@dataclass(frozen=True)
class StatementView:
    """A company's statement of a month; a draft where the month is not closed."""

    company: Company
    company_name: str
    month: date
    markup_percent: Decimal | None
    lines: tuple[StatementLine, ...]
    closed: ClosedMonth | None = None
    waiting: tuple[date, ...] = ()  # closed months of which something was billed that has no price any more
    amounts_shown: Company.Amounts = Company.Amounts.COST  # to the client
    lines_by: Company.Lines = Company.Lines.MODEL
    number: str = ""  # of a closed one
    is_priced: bool = False  # its costs are prices: they hold the mark-up, and nothing here tells it
    used: frozenset[str] | None = None  # the workspaces that its usage is of, where its lines don't tell them

    @property
    def provider_names(self) -> frozenset[str]:
        """The workspaces that its usage is of; adjustments do not tell theirs."""
        return frozenset(line.provider_name for line in self.usage) if self.used is None else self.used

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
                part = Amounts(
                    line.currency,
                    line.cost,
                    Decimal(0),
                    self.markup_of(line),
                    Decimal(0),
                    usage_estimated=line.estimated,
                )
            else:
                part = Amounts(
                    line.currency,
                    Decimal(0),
                    line.cost,
                    Decimal(0),
                    self.markup_of(line),
                    adjustments_estimated=line.estimated,
                )
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
        """How many of its lines were used and have no price yet, and how many months wait for one."""
        return sum(line.unpriced for line in self.lines) + len(self.waiting)


def figures_of(held: StatementLine | Totals) -> dict[str, Any]:
    """The figures that are COUNTED, of a line or of a sum, by name."""
    return {name: getattr(held, name) for name in COUNTED}


def totals_of(line: StatementLine) -> Totals:
    """The line's figures as Totals; a figure that a line of usage lacks counts as not reported."""
    lacking = [name for name in COUNTED if line.kind == Kind.USAGE and getattr(line, name) is None]
    return Totals(
        **figures_of(line),
        costs=() if line.cost is None else (Money(line.currency, line.cost),),
        unpriced_rows=int(line.unpriced),
        estimated=line.estimated,
        untold=frozenset((*line.untold.split(), *lacking)),
    )


def sum_of(sheets: Iterable[StatementView]) -> tuple[Amounts, ...]:
    """Of several statements together, by currency."""
    by_currency: dict[str, Amounts] = {}
    for sheet in sheets:
        for amounts in sheet.amounts:
            before = by_currency.get(amounts.currency)
            by_currency[amounts.currency] = before + amounts if before else amounts
    return tuple(by_currency[currency] for currency in sorted(by_currency))


# --- What was frozen --------------------------------------------------------------------------------------------------


def frozen_sheets(closed: Iterable[ClosedMonth], *, company: Company | None = None) -> list[StatementView]:
    """The statements of closed months, by month (newest first) and name; two queries."""
    statements = Statement.objects.filter(closed_month__in=[month.pk for month in closed])
    if company is not None:
        statements = statements.filter(company=company)
    return [
        frozen_sheet(statement)
        for statement in statements.select_related("company", "closed_month").prefetch_related("lines")
    ]


def frozen_sheet(statement: Statement, lines: Iterable[StatementLine] | None = None) -> StatementView:
    """What was frozen; of many, select ``company`` and ``closed_month`` and prefetch ``lines``, or give them."""
    return StatementView(
        company=statement.company,
        company_name=statement.company_name,
        month=statement.closed_month.month,
        markup_percent=statement.markup_percent,
        lines=tuple(statement.lines.all() if lines is None else lines),
        closed=statement.closed_month,
        amounts_shown=Company.Amounts(statement.amounts),
        lines_by=Company.Lines(statement.lines_by),
        number=statement.number,
    )


def frozen_totals(closed: Sequence[ClosedMonth]) -> dict[date, Totals]:
    """What the statements of closed months come to, without mark-ups, by month; one query."""
    lines = StatementLine.objects.filter(statement__closed_month__in=closed)
    result = {month.month: NOTHING for month in closed}
    for month, currency, cost, unpriced, estimated in (
        lines.order_by()
        .values_list("statement__closed_month__month", "currency")
        .annotate(
            total=ExactSum("cost"),
            unpriced_lines=Count("pk", filter=Q(unpriced=True)),
            estimated_lines=Count("pk", filter=Q(estimated=True)),
        )
    ):
        costs = (Money(currency, cost),) if currency else ()
        result[month] += Totals(costs=costs, unpriced_rows=unpriced, estimated=bool(estimated))
    return result


# --- What would be ----------------------------------------------------------------------------------------------------


def draft_sheets(
    month: date, *, closed: ClosedMonths | None, company: Company | None = None, with_reasons: bool = False
) -> list[StatementView]:
    """The drafts of a month's statements, as closing it now would store them, by name; empty ones are left out.

    The month after the latest ``closed`` one carries the adjustments; before any month is closed there are none. Under
    costs.usage.attribution.locked() and ``with_reasons`` this is what is frozen.
    """
    adjustments = carried(days_of(month), closed, company, with_reasons=with_reasons)
    return drafts([*_usage_lines(month, company), *(line for _month, line in adjustments)], month, company)


def draft_sums(days: DateRange, *, company: Company, closed: ClosedMonths | None) -> list[StatementView]:
    """The drafts of a company's months in ``days`` that are not closed, each with its usage as a line per currency."""
    usage = all_usage().between(days.first, days.last).filter(company=company)
    lines: dict[date, list[CompanyLine]] = defaultdict(list)
    for (month, currency), sums in totals_by(usage, "month", "currency").items():
        if not sums.is_idle and not (closed and month in closed):
            lines[month].append((company.pk, usage_sum(month, currency, sums)))
    for month, line in carried(days, closed, company):
        lines[month].append(line)
    return [sheet for month, of_month in lines.items() for sheet in drafts(of_month, month, company)]


def draft_totals(days: DateRange, *, closed: ClosedMonths | None) -> dict[date, Totals]:
    """What the drafts of all companies together come to, without mark-ups, by month."""
    result: dict[date, Totals] = defaultdict(Totals)
    usage = all_usage().between(days.first, days.last).filter(company__isnull=False)
    for (month,), sums in totals_by(usage, "month").items():
        if not (closed and month in closed):
            result[month] = sums
    for month, (_company, line) in carried(days, closed, None):
        result[month] += totals_of(line)
    return result


def drafts(lines: Iterable[CompanyLine], month: date, company: Company | None) -> list[StatementView]:
    """The drafts that hold ``lines``, by name; of ``company`` alone, or of all."""
    of_company: dict[int, list[StatementLine]] = defaultdict(list)
    waiting: dict[int, list[date]] = defaultdict(list)
    for pk, line in lines:
        of_lines = of_company[pk]
        if line.kind == Kind.ADJUSTMENT and line.unpriced:
            waiting[pk].append(line.month)
        else:
            of_lines.append(line)
    companies = [company] if company else Company.objects.filter(pk__in=of_company)
    sheets = [
        draft_sheet(each, month, tuple(of_company[each.pk]), tuple(waiting[each.pk]))
        for each in companies
        if each.pk in of_company
    ]
    return sorted(sheets, key=lambda sheet: sheet.company_name.casefold())


def draft_sheet(
    company: Company, month: date, lines: tuple[StatementLine, ...] = (), waiting: tuple[date, ...] = ()
) -> StatementView:
    """What would be frozen of ``lines``, as the company's statements show them now."""
    return StatementView(
        company=company,
        company_name=company.name,
        month=month,
        markup_percent=company.markup_percent,
        lines=lines,
        waiting=waiting,
        amounts_shown=company.shown_amounts,
        lines_by=Company.Lines(company.statement_lines),
    )


def carried(
    days: DateRange, closed: ClosedMonths | None, company: Company | None, *, with_reasons: bool = False
) -> list[tuple[date, CompanyLine]]:
    """The adjustments, with the month that carries them: the one after the latest closed one, if it is in ``days``."""
    if closed is None or not days.first <= following(closed.last) <= days.last:
        return []
    pending = pending_adjustments(closed, company=company, with_reasons=with_reasons)
    return [(following(closed.last), line) for line in pending]


def _usage_lines(month: date, company: Company | None) -> list[CompanyLine]:
    """The usage of a month by company id, API key, model and currency, without what is nothing but zeros."""
    days = days_of(month)
    usage = all_usage().between(days.first, days.last).filter(company__isnull=False)
    if company is not None:
        usage = usage.filter(company=company)
    by_key = totals_by(usage, "company_id", "project_id", "model", "currency")
    projects = _projects({project_id for _company, project_id, _model, _currency in by_key})
    return [
        (company_id, _usage_line(month, projects[project_id], model, sums))
        for (company_id, project_id, model, _currency), sums in sorted(by_key.items())
        if not sums.is_idle
    ]


def usage_sum(month: date, currency: str, sums: Totals) -> StatementLine:
    """The usage of a month in ``currency`` as one line."""
    return StatementLine(
        kind=Kind.USAGE,
        month=month,
        **figures_of(sums),
        cost=sums.cost_in(currency) if currency else None,
        currency=currency,
        estimated=sums.estimated,
        unpriced=bool(sums.unpriced_rows),
        untold=" ".join(sorted(sums.untold)),
    )


def _projects(ids: Iterable[int]) -> Mapping[int, Project]:
    return {project.pk: project for project in Project.objects.filter(pk__in=ids).select_related("provider")}


def _usage_line(month: date, project: Project, model: str, sums: Totals) -> StatementLine:
    priced = sums.costs[0] if sums.costs else None
    return StatementLine(
        kind=Kind.USAGE,
        month=month,
        provider_name=project.provider.name,
        key_id=project.external_id,
        key_name=PERSON if project.kind == Project.Kind.PERSON else project.full_name[:200],
        key_hint=project.hint if project.label or project.name else "",
        use=project.label,
        model=model,
        model_name=str(project.provider.model_names.get(model) or model or NO_MODEL)[:200],
        **figures_of(sums),
        cost=priced.amount if priced else None,
        currency=priced.currency if priced else "",
        estimated=sums.estimated,
        unpriced=bool(sums.unpriced_rows),
        untold=" ".join(sorted(sums.untold)),
    )
