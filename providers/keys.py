"""Counts of API keys and agents by company and provider: the one count that every page, file and sentence shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import F, FilteredRelation, OuterRef, Q, Subquery

from providers.models import Assignment, AssignmentShare, Company, Project, Provider


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
    """Those that there are, by the companies that pay for them in the period in force ``today``; one query.

    All of them, or those of ``provider``, or those that ``company`` pays for at any time.
    """
    found = Project.objects.present_keys_and_agents().order_by()
    if provider:
        found = found.for_provider(provider)
    if company:
        found = found.filter(pk__in=AssignmentShare.objects.filter(company=company).values("assignment__project"))
    begun = Assignment.objects.filter(project=OuterRef("pk"), starts_on__lte=today).order_by("-starts_on")
    in_force = found.alias(
        latest=Subquery(begun.values("pk")[:1]),
        period=FilteredRelation("assignments", condition=Q(assignments__starts_on__lte=today)),
    ).filter(Q(period=None) | Q(period=F("latest")))
    found_of: dict[str, dict[int, tuple[int, list[int]]]] = defaultdict(dict)
    for pk, provider_id, kind, payer in in_force.values_list("pk", "provider_id", "kind", "period__shares__company"):
        payers = found_of[kind].setdefault(pk, (provider_id, []))[1]
        if payer is not None:
            payers.append(payer)
    keys, agents = (_counted(found_of[kind].values()) for kind in (Project.Kind.KEY, Project.Kind.AGENT))
    return Counts(keys, agents)


def _counted(found: Collection[tuple[int, Sequence[int]]]) -> KeyCounts:
    """From the provider of each and the companies that pay for it."""
    by_company: dict[int | None, int] = defaultdict(int)
    unassigned: dict[int, int] = defaultdict(int)
    for provider_id, payers in found:
        for company_id in payers:
            by_company[company_id] += 1
        if not payers:
            by_company[None] += 1
            unassigned[provider_id] += 1
    return KeyCounts(dict(by_company), dict(unassigned), len(found))
