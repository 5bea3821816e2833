"""What a new installation lacks: companies for the keys whose names say whose they are, and a first statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, QuerySet

from core.days import DateRange
from costs.models import ClosedMonth
from costs.reports.totals import NOTHING, Totals, all_usage, sums_by
from providers.client_names import Client, clients_in
from providers.matching import shown_name
from providers.models import Company, Project, Provider

# Whose spend tells large clients from small ones.
_RECENT_DAYS = 30


@dataclass(frozen=True)
class SuggestedClients:
    """Of keys and agents that nobody has assigned, what their names suggest."""

    clients: tuple[Client[Project], ...]
    unnamed: tuple[Project, ...]  # whose names say no client
    days: DateRange  # of which the spend is
    spend_by_project: Mapping[int, Totals]

    def spend(self, client: Client[Project]) -> Totals:
        return sum((self.spend_by_project.get(project.pk, NOTHING) for project in client.items), NOTHING)


@dataclass(frozen=True)
class FirstSteps:
    """How far a new installation has come; ``clients`` that could be made companies at once."""

    is_synced: bool
    has_companies: bool
    clients: int
    unassigned: int  # keys and agents

    @property
    def is_assigned(self) -> bool:
        return self.has_companies and not self.unassigned


def suggested_clients(today: date) -> SuggestedClients:
    """Four queries."""
    projects = list(_unassigned().select_related("provider"))
    companies = Company.objects.filter(archived_at=None).values_list("name", flat=True)
    clients = clients_in(((project, shown_name(project)) for project in projects), known=companies)
    named = {project.pk for client in clients for project in client.items}
    days = DateRange(today - timedelta(days=_RECENT_DAYS - 1), today)
    return SuggestedClients(
        clients=tuple(clients),
        unnamed=tuple(project for project in projects if project.pk not in named),
        days=days,
        spend_by_project=sums_by(all_usage().between(days.first, days.last), "project_id") if projects else {},
    )


def providers_and_closing() -> list[Provider]:
    """All providers, and with each whether any month was closed: asked along, since it would be a query of its own."""
    return list(Provider.objects.annotate(has_closed=Exists(ClosedMonth.objects.all())))


def first_steps(providers: Sequence[Provider], *, unassigned: int, has_companies: bool) -> FirstSteps | None:
    """Of providers_and_closing(); ``unassigned`` are keys and agents. None once a month was closed. Up to one query."""
    if any(provider.has_closed for provider in providers):  # type: ignore[attr-defined]  # annotated
        return None
    undecided = clients_in((project, shown_name(project)) for project in _unassigned()) if unassigned else []
    return FirstSteps(
        is_synced=any(provider.last_synced_at for provider in providers),
        has_companies=has_companies,
        clients=sum(not client.is_own for client in undecided),
        unassigned=unassigned,
    )


def _unassigned() -> QuerySet[Project]:
    return Project.objects.present_keys_and_agents().filter(assignments=None).order_by("name", "pk")
