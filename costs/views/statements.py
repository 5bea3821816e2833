"""Statements: the months, all companies' statements of one, and a company's own – which is what a client is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncMonth
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from costs import cells
from costs.closing import MonthStatus, State, known_since, month_statuses
from costs.coverage import Coverage, Reading, coverage_by_provider, joint_coverage
from costs.models import ClosedMonth, DailyTotalQuerySet, StatementLine
from costs.money import Money
from costs.months import days_of, first_of, following, months_between, name_of
from costs.querystate import paginate
from costs.ranges import DateRange
from costs.statement_tables import (
    adjustments_table,
    amounts_cell,
    companies_rounding_shows,
    companies_table,
    months_rounding_shows,
    months_table,
    rounding_shows,
    statement_csv,
    sum_rows,
    usage_table,
)
from costs.statements import Sheet, closed_span, draft_sheets, frozen_sheets, pending_adjustments, sum_of, with_markups
from costs.sums import ExactSum
from costs.tables import Column, Row, Table
from costs.totals import NOTHING, Totals, all_usage, main_currency, totals, totals_by
from costs.views.downloads import download
from costs.views.notices import simulated_only, unread_notice
from costs.wording import moment
from providers.models import Company, Provider

MONTHS_A_PAGE = 24
# Who may not see providers and keys is shown what was used, not by which key.
SEES_KEYS = "providers.view_provider"
CLOSES_MONTHS = "costs.close_month"


# --- Months -----------------------------------------------------------------------------------------------------------


@require_safe
def statement_months(request: HttpRequest) -> HttpResponse:
    """Every month of which anything is known, newest first, and how it stands."""
    now = timezone.now()
    providers = list(Provider.objects.all())
    since = known_since(providers)
    page = paginate(request, months_between(since, first_of(now.date())) if since else [], size=MONTHS_A_PAGE)
    statuses = month_statuses(page.items, providers=providers, now=now)
    context = {
        "page": page,
        "table": _months_table(request, statuses, providers) if statuses else None,
        "ready": next((status for status in reversed(statuses) if status.state is State.READY), None),
        "simulated": simulated_only(providers),
    }
    return render(request, "statements/list.html", context)


def _months_table(request: HttpRequest, statuses: Sequence[MonthStatus], providers: Sequence[Provider]) -> Table:
    span = all_usage().between(statuses[-1].month, days_of(statuses[0].month).last)
    assigned, unassigned = (_by_month(span.filter(company__isnull=is_null)) for is_null in (False, True))
    billed = _billed_by_month(statuses)
    currency = main_currency(sum((*assigned.values(), *unassigned.values()), NOTHING), providers)
    may_close = request.user.has_perm(CLOSES_MONTHS)
    return Table(
        "Months",
        (
            Column("Month", is_number=False),
            Column("Status", is_number=False),
            Column("Cost on statements"),
            Column("Unassigned now"),
        ),
        tuple(
            Row(
                (
                    _month_link(status.month),
                    status_cell(status, links_close=may_close),
                    cells.money((billed if status.closed else assigned).get(status.month, NOTHING), currency),
                    cells.money(unassigned.get(status.month, NOTHING), currency),
                )
            )
            for status in statuses
        ),
    )


def _by_month(usage: DailyTotalQuerySet) -> dict[date, Totals]:
    return {month: sums for (month,), sums in totals_by(usage.annotate(month=TruncMonth("day")), "month").items()}


def _billed_by_month(statuses: Sequence[MonthStatus]) -> dict[date, Totals]:
    """What the frozen statements of months come to, adjustments included; one query."""
    lines = StatementLine.objects.filter(statement__closed_month__in=[each.closed for each in statuses if each.closed])
    result: dict[date, Totals] = defaultdict(Totals)
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


def _month_link(month: date) -> SafeString:
    return format_html(
        '<a class="row-link" href="{}">{}</a>', reverse("statements:month", args=[month]), name_of(month)
    )


def status_cell(status: MonthStatus, *, links_close: bool = False) -> SafeString:
    """How a month stands: an icon and a word, never colour alone."""
    if status.closed:
        return format_html('<span class="nowrap">Closed</span><span class="sub">{}</span>', closed_words(status.closed))
    if status.state is State.READY and links_close:
        return format_html(
            '<a href="{}">Ready to close<span class="visually-hidden">: {}</span></a>',
            reverse("statements:close", args=[status.month]),
            name_of(status.month),
        )
    return format_html("{}", status.label)


def closed_words(closed: ClosedMonth) -> str:
    """ "9 Nov 2026, 08:14 UTC by operator"."""
    by = f" by {closed.closed_by.get_username()}" if closed.closed_by else ""
    return f"{moment(closed.closed_at)} UTC{by}"


# --- One month --------------------------------------------------------------------------------------------------------


@require_safe
def statement_month(request: HttpRequest, month: date) -> HttpResponse:
    """The statements of all companies: frozen ones where the month is closed, else what they would say."""
    now = timezone.now()
    _refuse_future(month, now.date())
    providers = list(Provider.objects.all())
    (status,) = month_statuses([month], providers=providers, now=now)
    context = month_context(status, providers, today=now.date()) | {"may_close": request.user.has_perm(CLOSES_MONTHS)}
    return render(request, "statements/month.html", context)


def month_context(status: MonthStatus, providers: Sequence[Provider], *, today: date) -> dict[str, Any]:
    """What the page of a month and the one that closes it have in common."""
    month, days = status.month, days_of(status.month)
    sheets = frozen_sheets([status.closed]) if status.closed else draft_sheets(month)
    unassigned = totals(all_usage().between(days.first, days.last).filter(company=None))
    coverages = coverage_by_provider(providers, days, today=today)
    currency = main_currency(sum((sheet.usage_totals for sheet in sheets), unassigned), providers)
    reading = Reading.WHOLE if status.closed else joint_coverage(coverages.values()).reading
    whole = sum_of(sheets)
    billed = Totals(
        costs=tuple(Money(each.currency, each.cost) for each in whole),
        unpriced_rows=sum(sheet.unpriced for sheet in sheets),
    )
    return {
        "status": status,
        "month": month,
        "name": name_of(month),
        "next_name": name_of(following(month)),
        "days": days,
        "closed_words": closed_words(status.closed) if status.closed else "",
        "sheets": sheets,
        "table": companies_table(
            sheets, currency, [_company_link(sheet) for sheet in sheets], caption=f"Statements of {name_of(month)}"
        ),
        "rounding_shows": companies_rounding_shows(sheets),
        "cost": cells.money(billed, currency, reading=reading),
        "with_markup": amounts_cell((Money(each.currency, each.total) for each in whole), currency)
        if any(sheet.percents for sheet in sheets)
        else "",
        "unassigned": cells.money(unassigned, currency, reading=reading),
        "has_unassigned": not unassigned.is_idle,
        "changed": _changed_since(month) if status.closed else None,
        "unread": "" if status.closed else unread_notice(providers, coverages),
        "simulated": simulated_only(providers),
    }


def _company_link(sheet: Sheet) -> SafeString:
    url = reverse("companies:statement", args=[sheet.company.pk, sheet.month])
    return format_html('<a class="row-link" href="{}">{}</a>', url, sheet.company_name)


def _changed_since(month: date) -> Table | None:
    """What has become of a closed month and is on no statement yet; two queries, and one more where there is any."""
    pending = [(company_id, line) for company_id, line in pending_adjustments() if line.month == month]
    if not pending:
        return None
    names = dict(Company.objects.filter(pk__in=[pk for pk, _line in pending]).values_list("pk", "name"))
    pending.sort(key=lambda item: names[item[0]].casefold())
    return Table(
        f"What has changed of {name_of(month)} since it was closed",
        (Column("Company", is_number=False), Column("Change of the cost")),
        tuple(Row((names[company_id], amounts_cell(_costs(line), line.currency))) for company_id, line in pending),
    )


def _costs(line: StatementLine) -> tuple[Money, ...]:
    return () if line.cost is None else (Money(line.currency, line.cost),)


# --- One company ------------------------------------------------------------------------------------------------------


@require_safe
def company_statements(request: HttpRequest, pk: int) -> HttpResponse:
    """Every month in which a company used something or was billed, newest first."""
    company = get_object_or_404(Company, pk=pk)
    today = timezone.now().date()
    closed = closed_span()
    sheets = [*_drafts(company, closed, today), *frozen_sheets(ClosedMonth.objects.all(), company=company)]
    sheets.sort(key=lambda sheet: sheet.month, reverse=True)
    page = paginate(request, sheets, size=MONTHS_A_PAGE)
    shown: Sequence[Sheet] = page.items
    currency = main_currency(sum((sheet.usage_totals for sheet in shown), NOTHING), Provider.objects.all())
    context = {
        "company": company,
        "page": page,
        "sees_all": request.user.has_perm(SEES_KEYS),
        "table": months_table(
            shown,
            currency,
            [_month_and_status(sheet, closed) for sheet in shown],
            caption=f"Statements of {company.name}",
        ),
        "rounding_shows": months_rounding_shows(shown),
        "simulated": _simulated(request),
    }
    return render(request, "statements/company.html", context)


def _drafts(company: Company, closed: DateRange | None, today: date) -> list[Sheet]:
    """A company's months that are not closed, each as one line per currency."""
    usage = all_usage().filter(company=company, day__lte=today).annotate(month=TruncMonth("day"))
    lines: dict[date, list[StatementLine]] = defaultdict(list)
    for (month, currency), sums in totals_by(usage, "month", "currency").items():
        if not sums.is_idle and not (closed and closed.first <= month <= closed.last):
            lines[month].append(
                StatementLine(
                    kind=StatementLine.Kind.USAGE,
                    month=month,
                    credits=sums.credits,
                    cost=sums.costs[0].amount if sums.costs else None,
                    currency=currency,
                    estimated=sums.estimated,
                    unpriced=bool(sums.unpriced_rows),
                )
            )
    if closed and (carrier := following(closed.last)) <= today:
        lines[carrier] += (line for _company, line in with_markups(pending_adjustments(company=company), [company]))
    return [
        Sheet(company, company.name, month, company.markup_percent, tuple(of_month))
        for month, of_month in lines.items()
        if of_month
    ]


def _month_and_status(sheet: Sheet, closed: DateRange | None) -> tuple[SafeString, str]:
    url = reverse("companies:statement", args=[sheet.company.pk, sheet.month])
    link = format_html('<a class="row-link" href="{}">{}</a>', url, name_of(sheet.month))
    if sheet.closed:
        return link, f"Closed on {cells.day(sheet.closed.closed_at.date())}"
    return link, "Not closed" if closed and sheet.month < closed.first else "Draft"


@require_safe
def company_statement(request: HttpRequest, pk: int, month: date) -> HttpResponse:
    """The statement that a client is sent; until the month is closed a draft of it."""
    today = timezone.now().date()
    company = get_object_or_404(Company, pk=pk)
    sheet = _sheet(company, month, today)
    sees_keys = request.user.has_perm(SEES_KEYS)
    days = days_of(month)
    providers = list(Provider.objects.all())
    coverages = {} if sheet.closed else coverage_by_provider(providers, days, today=today)
    closed = None if sheet.closed else closed_span()
    simulated = {provider.name for provider in simulated_only(providers)}
    coverage = joint_coverage(coverages.values())
    currency = main_currency(sheet.usage_totals, providers)
    currencies, sums = sum_rows(sheet, currency, is_known=bool(sheet.closed) or coverage.reading is not Reading.NONE)
    context = {
        "company": company,
        "sheet": sheet,
        "name": name_of(month),
        "days": days,
        "sees_all": sees_keys,
        "usage": usage_table(sheet, currency, shows_keys=sees_keys) if sheet.usage else None,
        "adjustments": adjustments_table(sheet) if sheet.adjustments else None,
        "currencies": currencies,
        "sums": sums,
        "has_estimates": any(line.estimated for line in sheet.usage),
        "rounding_shows": rounding_shows(sheet, shows_keys=sees_keys),
        "unread": _unread(coverage, coverages, providers, sees_keys=sees_keys),
        "never_closed_before": name_of(closed.first) if closed and month < closed.first else "",
        "is_simulated": any(line.provider_name in simulated for line in sheet.usage),
    }
    return render(request, "statements/statement.html", context)


@require_safe
def company_statement_csv(request: HttpRequest, pk: int, month: date) -> HttpResponseBase:
    """The same, exact."""
    company = get_object_or_404(Company, pk=pk)
    sheet = _sheet(company, month, timezone.now().date())
    chunks = statement_csv(sheet, shows_keys=request.user.has_perm(SEES_KEYS))
    name = [sheet.company_name, "statement", f"{month:%Y-%m}", *([] if sheet.closed else ["draft"])]
    return download(chunks, name=name)


def _sheet(company: Company, month: date, today: date) -> Sheet:
    """A company's statement of a month; without lines where there is nothing to say. Raises Http404 for the future."""
    _refuse_future(month, today)
    closed = ClosedMonth.objects.filter(month=month).first()
    found = frozen_sheets([closed], company=company) if closed else draft_sheets(month, company=company)
    return found[0] if found else Sheet(company, company.name, month, company.markup_percent, (), closed)


def _unread(coverage: Coverage, coverages: dict[int, Coverage], providers: list[Provider], *, sees_keys: bool) -> str:
    """What a draft lacks; providers are named to those who may know them."""
    if not coverages or not coverage.unread:
        return ""
    return unread_notice(providers, coverages) if sees_keys else "Some days have not been read yet."


def _simulated(request: HttpRequest) -> list[Provider]:
    return simulated_only(Provider.objects.all()) if request.user.has_perm(SEES_KEYS) else []


def _refuse_future(month: date, today: date) -> None:
    if month > today:
        raise Http404
