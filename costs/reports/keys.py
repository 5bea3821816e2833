"""API keys, agents and what else usage belongs to, of every workspace: what each used, and who pays for it when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from core.days import DateRange
from costs.reports import breakdowns
from costs.reports.selection import Usage
from costs.reports.totals import Totals, all_usage, main_currency, sums_by, total_of
from costs.usage.coverage import Coverage, coverage_by_provider
from providers.finding import KeyFilter, KnownKey, known_keys
from providers.models import Company, Periods, Project, Provider


@dataclass(frozen=True)
class KeyUsage:
    """What a key used, and who pays for it when."""

    project: Project
    totals: Totals
    periods: Periods
    is_present: bool  # whether it counts as an API key or an agent that there is

    def is_assigned(self, day: date) -> bool:
        return bool(self.periods.payers_on(day))


@dataclass(frozen=True)
class KeysReport:
    """The keys of all workspaces that fit a filter."""

    today: date
    days: DateRange
    providers: tuple[Provider, ...]  # all that are connected
    coverages: Mapping[int, Coverage]  # of ``days``, by provider id
    companies: Mapping[int, Company]  # every company by id, archived ones too
    currency: str
    keys: tuple[KeyUsage, ...]  # those that fit, largest first
    kinds: frozenset[str]  # of all that are known
    number: int  # of all that are known
    everything: Totals  # that all of them used

    @property
    def current_companies(self) -> list[Company]:
        return [company for company in self.companies.values() if company.archived_at is None]

    @cached_property
    def total(self) -> Totals:
        return total_of(key.totals for key in self.keys)


def keys_report(wanted: KeyFilter, *, days: DateRange, now: datetime) -> KeysReport:
    """Usage is that of ``days``; six queries, however many keys there are."""
    today = now.date()
    providers = tuple(Provider.objects.all())
    companies = {company.pk: company for company in Company.objects.all()}
    known = used_keys(known_keys(), all_usage().between(days.first, days.last))
    everything = total_of(key.totals for key in known)
    return KeysReport(
        today=today,
        days=days,
        providers=providers,
        coverages=coverage_by_provider(providers, days, today=today),
        companies=companies,
        currency=main_currency(everything, providers),
        keys=tuple(key for key in known if wanted.fits(KnownKey(key.project, key.periods), companies, today)),
        kinds=frozenset(key.project.kind for key in known),
        number=len(known),
        everything=everything,
    )


def used_keys(known: Sequence[KnownKey], usage: Usage) -> tuple[KeyUsage, ...]:
    """What each of the ``known`` keys, which must be all of ``usage``, used of it; largest first. One query."""
    periods = {key.project.pk: key.periods for key in known}
    lines = breakdowns.breakdown_of_projects(sums_by(usage, "project_id"), _projects(known)).lines
    return tuple(
        KeyUsage(
            line.subject,
            line.totals,
            periods[line.subject.pk],
            is_present=line.subject.is_present_key or line.subject.is_present_agent,
        )
        for line in lines
    )


def _projects(known: Iterable[KnownKey]) -> list[Project]:
    return [key.project for key in known]
