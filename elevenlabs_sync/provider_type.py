"""ElevenLabs as a provider type: its regions, the trying of a key, and what a sync reads with."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta

from django.conf import settings

from core.days import utc_now
from core.secrets import ApiKey
from elevenlabs_sync import hosts
from elevenlabs_sync.account_totals import AccountTotalsReader
from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.payloads import key_hashes, read_service_accounts
from elevenlabs_sync.reading import UsageReader
from elevenlabs_sync.simulator import SIMULATED_API_KEY
from elevenlabs_sync.words import FIGURES, WORDS, why_not_connected
from providers.models import Project, Provider
from providers.registry import FigureWords, KeyCheck, KeyRefusedError, Region
from syncing.errors import (
    AnswerTooLargeError,
    MissingPermissionError,
    ProviderError,
)
from syncing.reader import Reader, SyncSession, UsageRow
from syncing.windows import PIECE_DAYS, Window
from syncing.words import sentence

_TELLS_AGENTS = {Provider.AgentUsage.TOLD.value: True, Provider.AgentUsage.NOT_TOLD.value: False}

# A person waits for this check: seconds for all of its requests.
CHECK_DEADLINE = 8


class ElevenLabs:
    """See syncing.provider_types.ProviderType."""

    slug = "elevenlabs"
    label = "ElevenLabs"
    simulated_key: ApiKey | None = ApiKey(SIMULATED_API_KEY)
    words = WORDS
    figures: Mapping[str, FigureWords] = FIGURES
    plan_figure = "credits"

    def regions(self) -> list[Region]:
        return hosts.regions()

    def check_key(self, api_key: ApiKey, region: str, source: Provider.Source) -> KeyCheck:
        """Request the latest 30 days of usage: the key is tried with what syncing needs."""
        trial = _Trial(api_key, region)
        try:
            rows = trial.totals() if source == Provider.Source.ACCOUNT_TOTALS else trial.usage()
        except AnswerTooLargeError:
            return KeyCheck(frozenset())  # the key reads more than enough
        except ProviderError as error:
            raise KeyRefusedError(
                f"Could not connect: {why_not_connected(error)}",
                offers_account_totals=isinstance(error, MissingPermissionError) and trial.may_read_totals(),
            ) from None
        return KeyCheck(key_hashes(rows) - {Project.ACCOUNT_ID} | trial.listed_keys())

    @contextmanager
    def open_reader(self, provider: Provider, *, session: SyncSession) -> Iterator[Reader]:
        connected_on = provider.created_at.date()
        with open_client(region=provider.region, api_key=provider.api_key, connected_on=connected_on) as client:
            if provider.source == Provider.Source.ACCOUNT_TOTALS:
                yield AccountTotalsReader(
                    client, session=session, currency=provider.currency, external_id=Project.ACCOUNT_ID
                )
            else:
                yield UsageReader(
                    client,
                    session=session,
                    cost_from=provider.cost_from,
                    tells_agents=_TELLS_AGENTS.get(provider.agent_usage),
                    by_person=provider.divides_by_person,
                    by_conversations=provider.allocates_by_conversations,
                    agents_first=provider.attributes_by == Provider.AttributesBy.AGENT,
                )

    def explain(self, error: ProviderError) -> str:
        return sentence(error, self.label)


def open_client(
    *, region: str, api_key: ApiKey, deadline: float = 60, connected_on: date | None = None
) -> ElevenLabsClient:
    """A client for the workspace; ``deadline`` bounds each request as a whole, in seconds."""
    return ElevenLabsClient(
        base_url=hosts.base_url(region, connected_on=connected_on),
        api_key=api_key.reveal(),
        user_agent=f"Administrate/{settings.VERSION}",
        deadline=deadline,
    )


# Who connects waits for one answer: nothing is repeated.
_ONCE = SyncSession(call=lambda request: request(), clock=utc_now)


class _Trial:
    """The requests that try a key, which together end within CHECK_DEADLINE."""

    def __init__(self, api_key: ApiKey, region: str) -> None:
        self._api_key = api_key
        self._region = region
        self._ends_at = time.monotonic() + CHECK_DEADLINE
        today = utc_now().date()
        self._window = Window(today - timedelta(days=PIECE_DAYS - 1), today)

    def usage(self) -> list[UsageRow]:
        """The usage of a workspace, whichever way it is billed today."""
        with self._client() as client:
            reader = UsageReader(client, session=_ONCE, cost_from=None)
            try:
                return reader.usage(self._window).rows
            except ProviderError as refusal:
                if not refusal.may_concern_billing:
                    raise
                try:
                    return self._costs()
                except ProviderError:
                    raise refusal from None

    def _costs(self) -> list[UsageRow]:
        with self._client() as client:
            return UsageReader(client, session=_ONCE, cost_from=None).costs(self._window).rows

    def totals(self) -> list[UsageRow]:
        with self._client() as client:
            reader = AccountTotalsReader(client, session=_ONCE, currency="", external_id=Project.ACCOUNT_ID)
            return [row for reading in reader.read(self._window) for row in reading.rows]

    def listed_keys(self) -> frozenset[str]:
        """The hashes of the keys that it may list, by which a workspace is recognised even without usage."""
        try:
            with self._client() as client:
                return frozenset(key.external_id for key in read_service_accounts(client.service_accounts()))
        except ProviderError:
            return frozenset()

    def may_read_totals(self) -> bool:
        try:
            self.totals()
        except ProviderError:
            return False
        return True

    def _client(self) -> ElevenLabsClient:
        left = max(0.1, self._ends_at - time.monotonic())
        return open_client(region=self._region, api_key=self._api_key, deadline=left)
