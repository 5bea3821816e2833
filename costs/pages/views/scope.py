"""The range and the filter of a page with amounts, read from its URL, and the context that all such pages share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from core.days import DateRange
from core.querystate import Choice, choices
from costs.pages.notices import simulated_only, stale_notices, unread_notice
from costs.pages.ranges import RangeChoice, read_range
from costs.pages.words import PageWords, words_for
from costs.reports.days import Step
from costs.reports.scope import Scope
from costs.usage.coverage import Reading
from providers.models import Provider

ALL_PROVIDERS = "All providers"


@dataclass(frozen=True)
class Asked:
    """The range and the filter of a URL, with the links that keep them."""

    chosen: RangeChoice
    now: datetime
    providers: tuple[Provider, ...]  # that the page counts, after its filter
    provider: Provider | None  # the one that the filter names
    provider_choices: tuple[Choice, ...]  # of a filter; empty where there is nothing to choose

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
    options = {"": ALL_PROVIDERS} | {str(provider.pk): provider.name for provider in providers if may_filter}
    slug, provider_choices = choices(request, "provider", options, page=None)
    provider = next((provider for provider in providers if str(provider.pk) == slug), None)
    return Asked(
        chosen=read_range(request, today=now.date()),
        now=now,
        providers=(provider,) if provider else tuple(providers),
        provider=provider,
        provider_choices=provider_choices if len(provider_choices) > 2 or provider else (),
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
        "simulated": simulated_only(scope.providers),
    }
