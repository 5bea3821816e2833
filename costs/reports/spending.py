"""What companies, providers and API keys spend day by day: many subjects in few queries, for who watches them all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cached_property
from typing import Any

from core.days import DateRange
from costs.reports.comparison import unpriced_days
from costs.reports.selection import Usage
from costs.reports.totals import Totals, all_usage, totals_by
from costs.usage.coverage import Coverage, coverage_by_provider, joint_coverage
from providers.models import Provider


class Subject(Enum):
    """By what spend is watched, and the field of usage that holds it; EVERYTHING has one subject, None."""

    EVERYTHING = ""
    COMPANY = "company_id"
    PROVIDER = "provider_id"
    PROJECT = "project_id"


def spend_by_day(subject: Subject, ids: Collection[int | None], days: DateRange) -> dict[Any, dict[date, Totals]]:
    """The sums of each day of ``days`` on which each of ``ids`` used something; one query.

    The id None is what is assigned to no company.
    """
    found: dict[Any, dict[date, Totals]] = defaultdict(dict)
    usage = _of(subject, ids).between(days.first, days.last)
    if subject is Subject.EVERYTHING:
        return {None: {day: sums for (day,), sums in totals_by(usage, "day").items()}}
    for (pk, day), sums in totals_by(usage, subject.value, "day").items():
        found[pk][day] = sums
    return found


def unassigned(days: DateRange) -> Totals:
    """What of ``days`` is assigned to no company; one query."""
    return spend_total(all_usage().between(days.first, days.last).filter(company=None))


def spend_total(usage: Usage) -> Totals:
    return totals_by(usage).get((), Totals())


def _of(subject: Subject, ids: Collection[int | None]) -> Usage:
    if subject is Subject.EVERYTHING:
        return all_usage()
    return all_usage().filter(**{f"{subject.value.removesuffix('_id')}__in": ids})


@dataclass(frozen=True)
class KnownDays:
    """What is known of some days: for all providers together, and for each by itself."""

    days: DateRange
    by_provider: Mapping[int, Coverage]
    unpriced: frozenset[date]  # days that wait for prices

    @cached_property
    def of_all(self) -> Coverage:
        return joint_coverage(self.by_provider.values())

    def of(self, provider_id: int | None) -> Coverage:
        """One provider's days, or – None – those of all."""
        return self.of_all if provider_id is None else self.by_provider.get(provider_id, Coverage())

    def complete(self, coverage: Coverage) -> frozenset[date]:
        return coverage.finished - self.unpriced


def known_days(providers: Iterable[Provider], days: DateRange, *, today: date) -> KnownDays:
    """What is known of ``days``; two to four queries."""
    return KnownDays(
        days=days,
        by_provider=coverage_by_provider(providers, days, today=today),
        unpriced=unpriced_days(all_usage(), [days], today=today),
    )
