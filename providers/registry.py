"""Provider types: what this app asks of one, and the list of those that registered themselves.

A provider type is a top-level app of its own that registers an instance in its AppConfig.ready(); nothing else here
changes when one is added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.secrets import ApiKey
from providers.models import Provider, SyncRun


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
class Region:
    slug: str
    label: str


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

    def regions(self) -> list[Region]:
        """Where a workspace of this type can live; the default first."""

    def check_key(self, api_key: ApiKey, region: str, source: Provider.Source) -> KeyCheck:
        """Ask the provider for usage with this key, within ten seconds; raises KeyRefusedError."""

    def enqueue(self, run_id: int) -> None:
        """Hand the run to a worker; raises QueueUnreachableError."""

    def sync(self, run_id: int, *, on_progress: Callable[[Progress], None]) -> SyncRun | None:
        """Carry the run out in this process and return it ended; None when somebody else syncs the provider."""


_types: dict[str, ProviderType] = {}


def register(provider_type: ProviderType) -> None:
    _types[provider_type.slug] = provider_type


def get(slug: str) -> ProviderType:
    """The registered type; raises KeyError."""
    return _types[slug]


def all_types() -> list[ProviderType]:
    return sorted(_types.values(), key=lambda provider_type: provider_type.label)
