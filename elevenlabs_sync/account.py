"""The part of a sync's reader that both ways of reading usage share: the plan, the listed API keys, the models."""

from __future__ import annotations

from typing import Any

from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.payloads import read_models, read_service_accounts, read_subscription
from syncing.reader import ListedKey


class AccountReader:
    """See syncing.reader.Reader; what it lacks, ``read``, is a subclass's."""

    def __init__(self, client: ElevenLabsClient) -> None:
        self._client = client

    @property
    def excerpt(self) -> str:
        return self._client.excerpt

    def plan(self) -> dict[str, Any] | None:
        return read_subscription(self._client.subscription())

    def listed_keys(self) -> list[ListedKey]:
        return read_service_accounts(self._client.service_accounts())

    def model_names(self) -> dict[str, str]:
        return read_models(self._client.models())
