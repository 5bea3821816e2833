"""Provider types and the sync engine: their protocols, and the registry of those that are installed.

A provider type is a top-level app of its own that registers an instance in its AppConfig.ready(), by
syncing.provider_types, which declares what the engine needs besides; nothing else here changes when one is added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from core.secrets import ApiKey, register_key_pattern
from providers.models import Provider, SyncRun
from providers.type_words import NEUTRAL, NEUTRAL_FIGURES, FigureWords, Region, TypeWords

__all__ = ["FigureWords", "Region", "TypeWords"]  # what a type is made of, besides what is declared below


class KeyRefusedError(Exception):
    """A key could not be used to connect; the text is for the person and never holds the key.

    ``offers_account_totals``: it may at least read the totals of its account (Provider.Source.ACCOUNT_TOTALS).
    """

    def __init__(self, text: str, *, offers_account_totals: bool = False) -> None:
        self.offers_account_totals = offers_account_totals
        super().__init__(text)


class QueueUnreachableError(Exception):
    """The broker did not take the message; the run stays queued and the sweep hands it over later."""


@dataclass(frozen=True)
class KeyCheck:
    """What trying a key has shown."""

    project_ids: frozenset[str]  # the workspace's API keys that were seen in use, by external id


@dataclass(frozen=True)
class Progress:
    """How far a run has come; days are UTC days of usage."""

    days_done: int
    days_total: int


class ProviderType(Protocol):
    slug: str
    label: str
    simulated_key: ApiKey | None  # opens the simulated workspace of the embedded default, where the type has one
    words: TypeWords
    figures: Mapping[str, FigureWords]  # of "cost", "credits", "minutes" and "requests" those that it ever reports
    plan_figure: str  # the figure of which its plans include so much

    def regions(self) -> Sequence[Region]:
        """Where a workspace of this type can live, the default first; none where there is nothing to choose."""

    def check_key(self, api_key: ApiKey, region: str, source: Provider.Source) -> KeyCheck:
        """Request usage from the provider with this key, within ten seconds; raises KeyRefusedError."""


class SyncEngine(Protocol):
    """What carries out sync runs; it is a room above this one and registers itself."""

    def enqueue(self, run_id: int) -> None:
        """Hand the run to a worker; raises QueueUnreachableError."""

    def requests_for(self, first: date, last: date, *, agents: int) -> int:
        """How many requests reading these days' usage takes, divided between so many agents."""

    def sync(self, run_id: int, *, on_progress: Callable[[Progress], None]) -> SyncRun | None:
        """Carry the run out in this process and return it ended; None when another worker syncs the provider."""


_types: dict[str, ProviderType] = {}
_engines: list[SyncEngine] = []


def register_engine(engine: SyncEngine) -> None:
    _engines[:] = [engine]


def engine() -> SyncEngine:
    """The one that registered itself."""
    return _engines[0]


def register(provider_type: ProviderType) -> None:
    if provider_type.words.key_pattern:
        register_key_pattern(provider_type.words.key_pattern)
    _types[provider_type.slug] = provider_type


def get(slug: str) -> ProviderType:
    """The registered type; raises KeyError."""
    return _types[slug]


def all_types() -> list[ProviderType]:
    return sorted(_types.values(), key=lambda provider_type: provider_type.label)


def default_region(provider_type: ProviderType) -> str:
    """The slug of the region that is preselected; empty for a type without regions."""
    regions = provider_type.regions()
    return regions[0].slug if regions else ""


def plan_figure(slug: str) -> str:
    """The figure that the plans of a type count."""
    return _types[slug].plan_figure if slug in _types else "credits"


def words_of(slug: str) -> TypeWords:
    """The words of a type; neutral ones when it is not installed any more."""
    return _types[slug].words if slug in _types else NEUTRAL


def words_for(slugs: Iterable[str] | None = None) -> TypeWords:
    """The words for providers of these types – of one its own, of several neutral ones; without any, of all types."""
    wanted = set(_types if slugs is None else slugs) or set(_types)
    return words_of(wanted.pop()) if len(wanted) == 1 else NEUTRAL


def figures_for(slugs: Iterable[str] | None = None) -> dict[str, FigureWords]:
    """The figures that at least one of these types reports, in their order; all of a type that is not installed."""
    wanted = set(_types if slugs is None else slugs) or set(_types)
    known = [_types[slug].figures if slug in _types else NEUTRAL_FIGURES for slug in wanted]
    words = known[0] if len(known) == 1 else NEUTRAL_FIGURES
    return {name: words[name] for name in NEUTRAL_FIGURES if any(name in figures for figures in known)}
