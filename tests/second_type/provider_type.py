"""Prism as a provider type: the trying of a token, and what a sync reads with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

from core.days import utc_now
from core.secrets import ApiKey
from providers.models import Provider
from providers.registry import FigureWords, KeyCheck, KeyRefusedError, Region
from syncing.errors import MissingPermissionError, ProviderError
from syncing.reader import ListedKey, Reader, Reading, SyncSession
from syncing.windows import Window
from syncing.words import sentence
from tests.second_type.client import PrismClient
from tests.second_type.payloads import read_plan, read_tokens, read_usage
from tests.second_type.words import FIGURES, WORDS


class Prism:
    """See syncing.provider_types.ProviderType."""

    slug = "prism"
    label = "Prism"
    simulated_key: ApiKey | None = None
    words = WORDS
    figures: Mapping[str, FigureWords] = FIGURES
    plan_figure = "requests"
    address: ClassVar[str] = ""  # where its little server listens

    def regions(self) -> Sequence[Region]:
        return ()

    def check_key(self, api_key: ApiKey, region: str, source: Provider.Source) -> KeyCheck:  # noqa: ARG002 - none here
        today = utc_now().date()
        try:
            with PrismClient(self.address, api_key, deadline=8) as client:
                read_usage(client.usage(Window(today - timedelta(days=6), today)))
                return KeyCheck(frozenset(token.external_id for token in read_tokens(client.tokens())))
        except ProviderError as error:
            raise KeyRefusedError(f"Could not connect: {self.explain(error)}") from None

    @contextmanager
    def open_reader(self, provider: Provider, *, session: SyncSession) -> Iterator[Reader]:
        with PrismClient(self.address, provider.api_key) as client:
            yield PrismReader(client, session)

    def explain(self, error: ProviderError) -> str:
        if isinstance(error, MissingPermissionError):
            return f"The token lacks the scope {error.permission}. Grant it in Prism's console."
        return sentence(error, self.label)


class PrismReader:
    """See syncing.reader.Reader."""

    def __init__(self, client: PrismClient, session: SyncSession) -> None:
        self._client = client
        self._session = session

    @property
    def excerpt(self) -> str:
        return self._client.excerpt

    def plan(self) -> dict[str, Any] | None:
        return read_plan(self._client.plan())

    def listed_keys(self) -> Sequence[ListedKey] | None:
        return read_tokens(self._client.tokens())

    def listed_agents(self) -> None:
        return None

    def model_names(self) -> Mapping[str, str] | None:
        return None

    def read(self, window: Window) -> Iterator[Reading]:
        read_at = self._session.clock()
        document = self._session.call(lambda: self._client.usage(window))
        yield Reading(window, read_usage(document), read_at)
