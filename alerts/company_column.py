"""The budget of each company, as a column of their list."""

from __future__ import annotations

from collections.abc import Mapping

from django.urls import reverse
from django.utils.html import format_html

from alerts.models import Budget
from alerts.standing import BudgetStanding, bar, standing_of
from core.cells import Cell
from core.money import to_significant
from core.tables import Column
from costs.pages.company_columns import CompanyColumn


def cells() -> Mapping[int, Cell]:
    """Of several budgets of a company the tightest; one query."""
    standings: dict[int, BudgetStanding] = {}
    for budget in Budget.objects.exclude(company=None).exclude(spent=None).select_related("company").order_by("pk"):
        standing = standing_of(budget)
        known = standings.get(budget.company_id or 0)
        if known is None or standing.tightness > known.tightness:
            standings[budget.company_id or 0] = standing
    return {company_id: _cell(standing) for company_id, standing in standings.items()}


def _cell(standing: BudgetStanding) -> Cell:
    ratio = (standing.budget.spent or 0) * 100 / standing.budget.amount
    url = f"{reverse('budgets:list')}#budget-{standing.budget.pk}"
    html = format_html('<a class="row-link" href="{}">{}</a>{}', url, standing.percent, bar(standing))
    return Cell(html, to_significant(ratio), f"{standing.state_label}: {standing.period}")


BUDGET_COLUMN = CompanyColumn(Column("Budget", unit="%", css="num budget-cell"), cells)
