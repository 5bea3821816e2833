"""Which days and providers a report is about, and what is known of those days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from core.days import DateRange
from costs.reports import forecast
from costs.reports.comparison import Comparison, compare, previous_range
from costs.reports.selection import Usage
from costs.reports.totals import all_usage
from costs.usage.coverage import Coverage, coverage_of_ranges, joint_coverage
from providers.models import Provider


@dataclass(frozen=True)
class Scope:
    """What every figure of a report is of."""

    days: DateRange
    today: date  # UTC
    providers: tuple[Provider, ...]  # that are counted
    provider: Provider | None  # the only one that is counted, where the page is filtered by one
    coverages: Mapping[int, Coverage]  # of ``days``, by provider id
    comparison: Comparison
    complete_recently: frozenset[date]  # of forecast.window(today)
    waits_for_prices: bool  # some days of that window would be complete if everything were priced

    @cached_property
    def coverage(self) -> Coverage:
        return joint_coverage(self.coverages.values())

    @property
    def window(self) -> DateRange:
        """The days that a forecast needs."""
        return forecast.window(self.today)

    @property
    def every_day(self) -> Usage:
        """All usage of the providers, not narrowed to ``days``."""
        return all_usage().for_provider(self.provider) if self.provider else all_usage()

    @property
    def usage(self) -> Usage:
        """The usage of ``days``."""
        return self.every_day.between(self.days.first, self.days.last)


def scope_of(
    providers: Sequence[Provider],
    *,
    days: DateRange,
    today: date,
    provider: Provider | None = None,
    everybody: Sequence[Provider] | None = None,
) -> Scope:
    """The scope of a report on ``days``, of ``provider`` alone or of all ``providers``; one query.

    ``everybody`` are all providers, where ``providers`` are not: a report on one company compares the same days as the
    reports on all, or the same company would have two changes.
    """
    counted = [provider] if provider else list(providers)
    judged = [provider] if provider else list(everybody or providers)
    ranges = [days, previous_range(days), forecast.window(today)]
    of_ranges = coverage_of_ranges(judged, ranges, today=today, with_prices=True)
    joint = [joint_coverage(of_range.values()) for of_range in of_ranges]
    of_days, of_previous, of_window = (each.complete for each in joint)
    return Scope(
        days=days,
        today=today,
        providers=tuple(counted),
        provider=provider,
        coverages={one.pk: of_ranges[0][one.pk] for one in counted},
        comparison=compare(days, of_days | of_previous),
        complete_recently=of_window,
        waits_for_prices=bool(joint[2].finished & joint[2].unpriced),
    )
