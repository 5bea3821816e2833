"""The preview of an assignment: what it would move between companies, drawn for the pages that ask."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from core.money import Money
from core.months import name_of
from core.tables import Column, Row, Table
from core.wording import joined
from costs.pages import formatters
from costs.reports.breakdowns import UNASSIGNED
from costs.reports.moving import CompanyMove, move_of
from providers.moving import Moving


def moved_money(moving: Sequence[Moving]) -> SafeString:
    """A table of money per company, before and after, with the closed months that it is of."""
    if not moving:
        return SafeString("")
    move = move_of(moving, today=timezone.now().date())
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
        **_days(moving),
        "closed": joined([name_of(month) for month in move.closed]) if move.closed else "",
        "are_many": len(move.closed) > 1,
        "shares_anew": move.shares_anew,
    }
    return mark_safe(render_to_string("assignments/_moved.html", context))  # noqa: S308 - a template escapes


def _days(moving: Sequence[Moving]) -> dict[str, Any]:
    """Which days it is of, where they are the same for all keys."""
    every = {(each.starts_on, each.ends_on) for each in moving}
    if len(every) != 1:
        return {"since": "", "until": "", "all_history": False}
    ((first, last),) = every
    return {
        "since": formatters.day(first) if first else "",
        "until": formatters.day(last) if last else "",
        "all_history": first is None,
    }


def _cells(line: CompanyMove) -> tuple[str, ...]:
    company = formatters.named(line.company.name) if line.company else UNASSIGNED
    change = Money(line.before.currency, line.after.amount - line.before.amount)
    sign = "+" if change.amount > Decimal(0) else ""
    return company, str(line.before), str(line.after), f"{sign}{change}"
