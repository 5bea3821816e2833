"""What a page with money is about – which days, which providers – and what is known of it, read from the URL once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from django.db.models import Q
from django.http import HttpRequest

from core.days import DateRange
from core.querystate import Choice, choices
from costs.models import AttributedUsageQuerySet, DailyTotalQuerySet
from costs.pages.ranges import RangeChoice, read_range
from costs.pages.words import PageWords, words_for
from costs.reports import forecast
from costs.reports.comparison import Comparison, compare, previous_range, unpriced_days
from costs.reports.totals import all_usage, usage_by_key
from costs.usage.coverage import Coverage, coverage_of_ranges, joint_coverage
from providers.models import Provider

ALL_PROVIDERS = "All providers"


@dataclass(frozen=True)
class Scope:
    chosen: RangeChoice
    now: datetime
    providers: Sequence[Provider]  # that the page counts, after its filter
    provider: Provider | None  # the one that the filter names
    provider_choices: tuple[Choice, ...]  # of a filter; empty where there is nothing to choose
    every_day: DailyTotalQuerySet  # the page's usage of these providers, not narrowed to the range
    coverages: Mapping[int, Coverage]  # of the range, by provider id
    comparison: Comparison
    complete_recently: frozenset[date]  # of forecast.window()
    waits_for_prices: bool  # some of its days would be complete if everything were priced

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def range(self) -> DateRange:
        return self.chosen.range

    @property
    def usage(self) -> DailyTotalQuerySet:
        """Of the range."""
        return self.every_day.between(self.range.first, self.range.last)

    @property
    def usage_by_key(self) -> AttributedUsageQuerySet:
        """Of the range and these providers, by API key – of every company and model, whatever the page is about."""
        usage = usage_by_key().between(self.range.first, self.range.last)
        return usage.for_provider(self.provider) if self.provider else usage

    @property
    def recent_usage(self) -> DailyTotalQuerySet:
        """Of the days that a forecast needs."""
        days = forecast.window(self.today)
        return self.every_day.between(days.first, days.last)

    @cached_property
    def words(self) -> PageWords:
        return words_for(self.providers)

    @cached_property
    def coverage(self) -> Coverage:
        return joint_coverage(self.coverages.values())

    @property
    def query(self) -> str:
        """What a link to another page adds to keep the range and the filter."""
        return self.query_with()

    def query_with(self, **more: str) -> str:
        """``query`` with more parameters."""
        return self.chosen.with_query(provider=str(self.provider.pk) if self.provider else None, **more)


def read_scope(
    request: HttpRequest,
    *,
    providers: Sequence[Provider],
    usage: DailyTotalQuerySet,
    now: datetime,
    everybody: Sequence[Provider] | None = None,
    may_filter: bool = True,
) -> Scope:
    """The scope that the URL asks for, of ``providers`` and ``usage``; two queries.

    ``everybody`` are all providers, where ``providers`` are not: a page of one company compares the same days as the
    pages of all, or the same company would have two changes.

    Who may not see providers may not filter by them either (``may_filter``): the filter would name them.
    """
    today = now.date()
    chosen = read_range(request, today=today)
    options = {"": ALL_PROVIDERS} | {str(provider.pk): provider.name for provider in providers if may_filter}
    slug, provider_choices = choices(request, "provider", options, page=None)
    provider = next((provider for provider in providers if str(provider.pk) == slug), None)
    counted = [provider] if provider else list(providers)
    if provider:
        usage = usage.for_provider(provider)
    judged = [provider] if provider else list(everybody or providers)
    ranges = [chosen.range, previous_range(chosen.range), forecast.window(today)]
    of_ranges = coverage_of_ranges(judged, ranges, today=today)
    known = [joint_coverage(of_range.values()) for of_range in of_ranges]
    within = Q()
    for days in ranges:
        within |= Q(day__range=(days.first, days.last))
    judged_usage = all_usage().for_provider(provider) if provider else all_usage()
    unpriced = unpriced_days(judged_usage.filter(within), today=today)
    complete = [of_range.finished - unpriced for of_range in known]
    return Scope(
        chosen=chosen,
        now=now,
        providers=counted,
        provider=provider,
        provider_choices=provider_choices if len(provider_choices) > 2 or provider else (),
        every_day=usage,
        coverages={one.pk: of_ranges[0][one.pk] for one in counted},
        comparison=compare(chosen.range, complete[0] | complete[1]),
        complete_recently=complete[2],
        waits_for_prices=bool(known[2].finished & unpriced),
    )
