"""The part of a provider type that the engine needs, besides what pages and commands need (providers.registry)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, cast

from providers import registry
from providers.models import Provider
from syncing.errors import ProviderError
from syncing.reader import Reader, SyncSession


class ProviderType(registry.ProviderType, Protocol):
    """A type as a provider app fulfils and registers it, in its AppConfig.ready()."""

    def open_reader(self, provider: Provider, *, session: SyncSession) -> AbstractContextManager[Reader]:
        """A reader of the provider's workspace, closed at the end; raises core.secrets.KeyUnreadableError."""

    def explain(self, error: ProviderError) -> str:
        """The sentence for the sync history: what went wrong and what to do. Never holds the key."""


def register(provider_type: ProviderType) -> None:
    registry.register(provider_type)


def get(slug: str) -> ProviderType:
    """The registered type; raises KeyError."""
    return cast("ProviderType", registry.get(slug))
