"""What pages warn about: providers that are late or failing, and data that is only simulated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from costs.cells import SIMULATED_REGION
from costs.coverage import Coverage
from costs.wording import ago
from providers.models import Provider
from providers.wording import count


@dataclass(frozen=True)
class StaleNotice:
    text: str
    url: str


def stale_notices(providers: Iterable[Provider], now: datetime) -> list[StaleNotice]:
    """One sentence for each provider whose figures may lack the latest usage without anybody having wanted that."""
    stale = {Provider.Status.LATE, Provider.Status.FAILED}
    return [
        StaleNotice(_sentence(provider, now), provider.get_absolute_url())
        for provider in providers
        if provider.status(now) in stale or (provider.status(now) == Provider.Status.PAUSED and provider.pause_reason)
    ]


def _sentence(provider: Provider, now: datetime) -> str:
    if provider.last_synced_at is None:
        return f"{provider.name} has not been synced yet. Figures may be incomplete."
    return f"{provider.name} last synced {ago(provider.last_synced_at, now)}. Figures may be incomplete."


def simulated_only(providers: Iterable[Provider]) -> list[Provider]:
    """Those whose usage is invented, so that a page with their money can say it."""
    return [provider for provider in providers if provider.region == SIMULATED_REGION]


def unread_notice(providers: Iterable[Provider], coverages: Mapping[int, Coverage]) -> str:
    """What the figures of a range lack, in a sentence; empty where every day that has begun was read."""
    lacking = [provider for provider in providers if coverages[provider.pk].unread]
    if not lacking:
        return ""
    if len(lacking) > 1:
        return f"Days of this range have not been read yet from {_listed(lacking)}. Figures may be incomplete."
    known = coverages[lacking[0].pk]
    days = len(known.unread) + len(known.read)
    return (
        f"{lacking[0].name}: {len(known.unread):,} of {count(days, 'day')} of this range "
        f"{'has' if len(known.unread) == 1 else 'have'} not been read yet. Figures may be incomplete."
    )


def _listed(providers: list[Provider]) -> str:
    """ "A, B and C"."""
    *first, last = (provider.name for provider in providers)
    return f"{', '.join(first)} and {last}"
