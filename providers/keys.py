"""Counts of API keys and agents by company and provider: the one count that every page, file and sentence shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from providers.models import NO_PERIODS, Assignment, Company, Payers, Project, Provider


@dataclass(frozen=True)
class KeyCounts:
    """How many there are of one kind; what is split between companies counts for each of them, and once in all."""

    by_company: Mapping[int | None, int]  # None: unassigned
    unassigned_by_provider: Mapping[int, int]
    total: int

    @property
    def unassigned(self) -> int:
        return self.by_company.get(None, 0)


@dataclass(frozen=True)
class Counts:
    keys: KeyCounts
    agents: KeyCounts


def count_keys_and_agents(today: date, *, provider: Provider | None = None, company: Company | None = None) -> Counts:
    """Those that there are, by the companies that pay for them in the period in force ``today``; two queries.

    All of them, or those of ``provider``, or those that ``company`` pays for at any time.
    """
    keys = Project.objects.present_keys_and_agents().order_by()
    if provider:
        keys = keys.for_provider(provider)
    if company:
        keys = keys.filter(assignments__shares__company=company).distinct()
    periods = Assignment.objects.filter(project__in=keys).by_project()
    of_kind: dict[str, list[tuple[int, Payers]]] = defaultdict(list)
    for pk, provider_id, kind in keys.values_list("pk", "provider_id", "kind"):
        of_kind[kind].append((provider_id, periods.get(pk, NO_PERIODS).payers_on(today)))
    return Counts(keys=_counted(of_kind[Project.Kind.KEY]), agents=_counted(of_kind[Project.Kind.AGENT]))


def _counted(found: Sequence[tuple[int, Payers]]) -> KeyCounts:
    """From the provider and the payers of each."""
    by_company: dict[int | None, int] = defaultdict(int)
    unassigned: dict[int, int] = defaultdict(int)
    for provider_id, payers in found:
        for company_id, _percent in payers:
            by_company[company_id] += 1
        if not payers:
            by_company[None] += 1
            unassigned[provider_id] += 1
    return KeyCounts(dict(by_company), dict(unassigned), len(found))
