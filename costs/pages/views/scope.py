"""The range and the filter of a page with amounts, read from its URL, and the context that all such pages share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from core.days import DateRange
from costs.pages.notices import simulated_notice, stale_notices, unread_notice
from costs.pages.provider_filter import ProviderFilter, read_provider_filter
from costs.pages.ranges import RangeChoice, read_range
from costs.pages.words import PageWords, words_for
from costs.reports.days import Step
from costs.reports.scope import Scope
from costs.usage.coverage import Reading
from providers.models import Provider


@dataclass(frozen=True)
class Asked:
    """The range and the filter of a URL, with the links that keep them."""

    chosen: RangeChoice
    now: datetime
    providers: tuple[Provider, ...]  # that the page counts, after its filter
    filter: ProviderFilter

    @property
    def provider(self) -> Provider | None:
        """The one that the filter names."""
        return self.filter.provider

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def range(self) -> DateRange:
        return self.chosen.range

    @cached_property
    def words(self) -> PageWords:
        return words_for(self.providers)

    @property
    def query(self) -> str:
        """What a link to another page adds to keep the range and the filter."""
        return self.query_with()

    def query_with(self, **more: str) -> str:
        """``query`` with more parameters."""
        return self.chosen.with_query(provider=str(self.provider.pk) if self.provider else None, **more)


def read_asked(request: HttpRequest, *, providers: Sequence[Provider], now: datetime, may_filter: bool = True) -> Asked:
    """The days of the URL and the one of ``providers`` that it names; no query.

    Who may not see providers may not filter by them either (``may_filter``): the filter would name them.
    """
    chosen = read_provider_filter(request, providers if may_filter else ())
    return Asked(
        chosen=read_range(request, today=now.date()),
        now=now,
        providers=(chosen.provider,) if chosen.provider else tuple(providers),
        filter=chosen,
    )


def read_step(request: HttpRequest) -> Step | None:
    """By what the URL wants the days of a chart taken together; None: by what the length of the range suggests."""
    return next((step for step in Step if step.value == request.GET.get("step")), None)


def page_context(request: HttpRequest, asked: Asked, scope: Scope, *, providers: Iterable[Provider]) -> dict[str, Any]:
    """What every page with money has: its range and filter, and notices; ``providers`` may be late or failing."""
    return {
        "scope": asked,
        "chosen": asked.chosen,
        "words": asked.words,
        "compared_days": scope.comparison.days,
        "nothing_read": scope.coverage.reading is Reading.NONE,
        "unread": unread_notice(scope.providers, scope.coverages, user=request.user, today=scope.today),
        "stale": stale_notices(providers, asked.now, request.user),
        "simulated": simulated_notice(scope.providers),
    }
