"""ElevenLabs as a provider type: its regions, the trying of a key, and the way to its worker task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from kombu.exceptions import OperationalError

from elevenlabs_sync import hosts
from elevenlabs_sync.errors import (
    AnswerTooLargeError,
    ElevenLabsError,
    InvalidKeyError,
    MissingPermissionError,
    RateLimitedError,
    UnavailableError,
)
from elevenlabs_sync.payloads import key_hashes, read_usage
from elevenlabs_sync.simulator import SIMULATED_API_KEY
from elevenlabs_sync.sync import open_client, run_sync, utc_now
from elevenlabs_sync.windows import PIECE_DAYS, Window
from providers.models import SyncRun
from providers.registry import KeyCheck, KeyRefusedError, Progress, QueueUnreachableError, Region
from providers.secrets import ApiKey

# A person waits for this check: seconds for the whole request.
CHECK_DEADLINE = 8


class ElevenLabs:
    """See providers.registry.ProviderType."""

    slug = "elevenlabs"
    label = "ElevenLabs"
    simulated_key: ApiKey | None = ApiKey(SIMULATED_API_KEY)

    def regions(self) -> list[Region]:
        return hosts.regions()

    def check_key(self, api_key: ApiKey, region: str) -> KeyCheck:
        """Ask for the latest 30 days of usage: what syncing needs is what is tried."""
        now = utc_now()
        window = Window(now.date() - timedelta(days=PIECE_DAYS - 1), now.date())
        start, end = window.bounds(now=now)
        try:
            with open_client(region=region, api_key=api_key, deadline=CHECK_DEADLINE) as client:
                document = client.usage_by_product(start=start, end=end)
            rows = read_usage(document, first=window.first, last=window.last)
        except AnswerTooLargeError:
            return KeyCheck(frozenset())  # the key reads more than enough
        except ElevenLabsError as error:
            raise KeyRefusedError(f"Could not connect: {_reason(error)}") from None
        return KeyCheck(key_hashes(rows))

    def enqueue(self, run_id: int) -> None:
        from elevenlabs_sync.tasks import sync_elevenlabs

        try:
            sync_elevenlabs.delay(run_id)
        except (OperationalError, OSError) as error:
            raise QueueUnreachableError from error

    def sync(self, run_id: int, *, on_progress: Callable[[Progress], None]) -> SyncRun | None:
        return run_sync(run_id, on_progress=on_progress)


def _reason(error: ElevenLabsError) -> str:
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
