"""Who a series of spend is of, as people call it, and their page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from costs.reports.spenders import Spender
from costs.reports.spending import Subject
from providers.models import Company, Project, Provider


@dataclass(frozen=True)
class SpendingSubject:
    name: str
    url: str
    company: Company | None = None
    provider: Provider | None = None


def subjects_of(spenders: Iterable[Spender]) -> Mapping[tuple[Subject, int], SpendingSubject]:
    """At most three queries; none of none."""
    ids: dict[Subject, set[int]] = {}
    for spender in spenders:
        ids.setdefault(spender.subject, set()).add(spender.pk)
    found: dict[tuple[Subject, int], SpendingSubject] = {}
    for company in Company.objects.filter(pk__in=ids.get(Subject.COMPANY, ())):
        found[Subject.COMPANY, company.pk] = SpendingSubject(company.name, company.get_absolute_url(), company=company)
    for provider in Provider.objects.filter(pk__in=ids.get(Subject.PROVIDER, ())):
        found[Subject.PROVIDER, provider.pk] = SpendingSubject(
            provider.name, provider.get_absolute_url(), provider=provider
        )
    for project in Project.objects.filter(pk__in=ids.get(Subject.PROJECT, ())).select_related("provider"):
        found[Subject.PROJECT, project.pk] = SpendingSubject(
            project.display_name, project.get_absolute_url(), provider=project.provider
        )
    return found
