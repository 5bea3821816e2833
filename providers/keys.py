"""Counts of API keys and agents by company and provider: the one count that every page, file and sentence shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import OuterRef, Subquery

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
    """Those that there are, by the companies that pay for them in the period in force ``today``; two queries.

    All of them, or those of ``provider``, or those that ``company`` pays for at any time.
    """
    keys = Project.objects.present_keys_and_agents().order_by()
    if provider:
        keys = keys.for_provider(provider)
    if company:
        keys = keys.filter(assignments__shares__company=company).distinct()
    begun = Assignment.objects.filter(project=OuterRef("pk"), starts_on__lte=today)
    in_force = Subquery(begun.order_by("-starts_on").values("pk")[:1])
    payers: dict[int | None, list[int]] = defaultdict(list)
    shares = AssignmentShare.objects.filter(assignment__starts_on__lte=today, assignment__project__in=keys).order_by()
    for assignment_id, company_id in shares.values_list("assignment_id", "company_id"):
        payers[assignment_id].append(company_id)
    of_kind: dict[str, list[tuple[int, Sequence[int]]]] = defaultdict(list)
    # Without the periods themselves: there may be tens of thousands.
    told = keys.annotate(in_force=in_force).values_list("pk", "provider_id", "kind", "in_force")
    for _key, provider_id, kind, assignment_id in told:
        of_kind[kind].append((provider_id, payers.get(assignment_id, ())))
    return Counts(keys=_counted(of_kind[Project.Kind.KEY]), agents=_counted(of_kind[Project.Kind.AGENT]))


def _counted(found: Sequence[tuple[int, Sequence[int]]]) -> KeyCounts:
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
