"""The demo's examples: what an agency has after a few weeks with the product, made from the simulated workspace.

Everything is done by the services that people use, so that the examples are nothing but what anybody could have done.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from alerts.models import Budget
from alerts.services.budgets import default_limits, save_budget
from core.months import first_of, preceding
from costs.statements.closing import NotClosableError, close_month
from providers.client_names import clients_in
from providers.matching import shown_name
from providers.models import Company, Project
from providers.services.assigning import assign_projects, split_projects
from providers.services.companies import save_company
from providers.services.setting_up import ChosenClient, set_up_companies

_MARKED_UP, _MARKUP = "Northwind", Decimal(15)
_SHARED, _PAYERS = "concierge", (("Juniper Travel", Decimal(70)), ("Lantern Books", Decimal(30)))
# Used by another client since the middle of a month that was closed: an adjustment.
_MOVED, _MOVED_TO = "IVR", "Oakfield Bank"
_BUDGETED, _BUDGET = "Harbor Clinic", Decimal(60)


@transaction.atomic
def arrange_examples(*, now: datetime) -> bool:
    """Companies, rules, a mark-up, a split key, a closed month with a correction since, and a budget.

    Only where there is no company yet. Returns whether anything was made.
    """
    if Company.objects.exists():
        return False
    projects = Project.objects.keys_and_agents().select_related("provider").order_by("pk")
    clients = clients_in((project, shown_name(project)) for project in projects)
    set_up_companies(
        clients=[ChosenClient(client.name, client.items, client.prefix) for client in clients if not client.is_own],
        now=now,
    )
    companies = {company.name: company for company in Company.objects.all()}
    if marked_up := companies.get(_MARKED_UP):
        marked_up.markup_percent = _MARKUP
        save_company(company=marked_up)
    payers = {companies[name]: percent for name, percent in _PAYERS if name in companies}
    if len(payers) == len(_PAYERS):
        split_projects(projects=_called(_SHARED), shares=payers, starts_on=first_of(now.date()), now=now)
    _close_and_correct(companies, now)
    if budgeted := companies.get(_BUDGETED):
        budget = Budget(company=budgeted, amount=_BUDGET, currency="usd", starts_on=first_of(now.date()))
        save_budget(budget=budget, limits=default_limits())
    return True


def _close_and_correct(companies: dict[str, Company], now: datetime) -> None:
    """Close the latest month that has settled, and learn afterwards that a key was somebody else's by then."""
    for month in (preceding(first_of(now.date())), preceding(preceding(first_of(now.date())))):
        try:
            close_month(month=month, now=now)
        except NotClosableError:
            continue
        if _MOVED_TO in companies:
            tenth = month + timedelta(days=9)
            assign_projects(projects=_called(_MOVED), company=companies[_MOVED_TO], starts_on=tenth, now=now)
        return


def _called(name: str) -> list[Project]:
    return [project for project in Project.objects.all() if shown_name(project).endswith(name)]
