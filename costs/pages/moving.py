"""The preview of an assignment: what it would move between companies, drawn for the pages that ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from core.money import Money
from core.months import name_of
from core.tables import Column, Row, Table
from core.wording import joined
from costs.pages import formatters
from costs.reports.breakdowns import UNASSIGNED
from costs.reports.moving import CompanyMove, Payers, move_of
from providers.models import Project


def moved_money(
    projects: Sequence[Project], payers: Payers, starts_on: date | None, ends_on: date | None = None
) -> SafeString:
    """A table of money per company, before and after, with the closed months that it is of."""
    move = move_of(projects, payers, starts_on=starts_on, ends_on=ends_on, today=timezone.now().date())
    table = Table(
        "What moves",
        (
            Column("Company", is_number=False),
            Column("Before"),
            Column("After"),
            Column("Change"),
        ),
        tuple(Row(_cells(line)) for line in move.lines),
        is_dense=True,
        says_rounding=False,
    )
    context = {
        "table": table,
        "moves": bool(move.lines),
        "since": formatters.day(starts_on) if starts_on else "",
        "until": formatters.day(ends_on) if ends_on else "",
        "closed": joined([name_of(month) for month in move.closed]) if move.closed else "",
        "are_many": len(move.closed) > 1,
        "shares_anew": move.shares_anew,
    }
    return mark_safe(render_to_string("assignments/_moved.html", context))  # noqa: S308 - a template escapes


def _cells(line: CompanyMove) -> tuple[str, ...]:
    company = formatters.named(line.company.name) if line.company else UNASSIGNED
    change = Money(line.before.currency, line.after.amount - line.before.amount)
    sign = "+" if change.amount > Decimal(0) else ""
    return company, str(line.before), str(line.after), f"{sign}{change}"
