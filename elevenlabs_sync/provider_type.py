"""ElevenLabs as a provider type: its regions, the trying of a key, and the way to its worker task."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from kombu.exceptions import OperationalError

from core import log_context
from core.secrets import ApiKey
from elevenlabs_sync import hosts
from elevenlabs_sync.account_totals import AccountTotalsReader
from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.payloads import UsageRow, key_hashes, read_service_accounts
from elevenlabs_sync.reading import UsageReader
from elevenlabs_sync.simulator import SIMULATED_API_KEY
from elevenlabs_sync.words import FIGURES, WORDS
from providers.models import Project, Provider, SyncRun
from providers.registry import FigureWords, KeyCheck, KeyRefusedError, Progress, QueueUnreachableError, Region
from syncing.engine import open_client, run_sync, utc_now
from syncing.errors import (
    AnswerTooLargeError,
    InvalidKeyError,
    MissingPermissionError,
    ProviderError,
    RateLimitedError,
    UnavailableError,
)
from syncing.windows import PIECE_DAYS, Window

# A person waits for this check: seconds for all of its requests.
CHECK_DEADLINE = 8


class ElevenLabs:
    """See providers.registry.ProviderType."""

    slug = "elevenlabs"
    label = "ElevenLabs"
    simulated_key: ApiKey | None = ApiKey(SIMULATED_API_KEY)
    words = WORDS
    figures: Mapping[str, FigureWords] = FIGURES
    plan_figure = "credits"

    def regions(self) -> list[Region]:
        return hosts.regions()

    def check_key(self, api_key: ApiKey, region: str, source: Provider.Source) -> KeyCheck:
        """Ask for the latest 30 days of usage: what syncing needs is what is tried."""
        trial = _Trial(api_key, region)
        try:
            rows = trial.totals() if source == Provider.Source.ACCOUNT_TOTALS else trial.usage()
        except AnswerTooLargeError:
            return KeyCheck(frozenset())  # the key reads more than enough
        except ProviderError as error:
            raise KeyRefusedError(
                f"Could not connect: {_reason(error)}",
                offers_account_totals=isinstance(error, MissingPermissionError) and trial.may_read_totals(),
            ) from None
        return KeyCheck(key_hashes(rows) - {Project.ACCOUNT_ID} | trial.listed_keys())

    def enqueue(self, run_id: int) -> None:
        from syncing.tasks import carry_out

        try:
            carry_out.delay(run_id)
        except (OperationalError, OSError) as error:
            raise QueueUnreachableError from error

    def sync(self, run_id: int, *, on_progress: Callable[[Progress], None]) -> SyncRun | None:
        with log_context.for_run(run_id):
            return run_sync(run_id, on_progress=on_progress)


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
            reader = UsageReader(client, call=lambda call: call(), clock=utc_now, cost_from=None)
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
            return UsageReader(client, call=lambda call: call(), clock=utc_now, cost_from=None).costs(self._window).rows

    def totals(self) -> list[UsageRow]:
        with self._client() as client:
            reader = AccountTotalsReader(
                client, call=lambda call: call(), clock=utc_now, currency="", key_hash=Project.ACCOUNT_ID
            )
            return [row for reading in reader.read(self._window) for row in reading.rows]

    def listed_keys(self) -> frozenset[str]:
        """The hashes of the keys that it may list, by which a workspace is recognised even without usage."""
        try:
            with self._client() as client:
                return frozenset(key.key_hash for key in read_service_accounts(client.service_accounts()))
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


def _reason(error: ProviderError) -> str:
    """What stopped the connecting and what to do, in the product's words."""
    match error:
        case InvalidKeyError():
            return (
                "ElevenLabs did not accept this key. Check that you copied all of it and that it hasn't been revoked. "
                "If the workspace has data residency, also try the workspace's data residency."
            )
        case MissingPermissionError(permission=permission):
            return (
                f"the key works but lacks the permission `{permission}`. "
                "Allow it in ElevenLabs (or use a workspace-level key) and try again."
            )
        case RateLimitedError():
            return "ElevenLabs is limiting requests. Your key was not rejected. Wait a minute and try again."
        case UnavailableError():
            return "ElevenLabs did not answer, so the key was not checked. Try again."
        case _:
            return str(error)
