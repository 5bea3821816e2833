"""The claim that lets one worker at a time sync a provider.

A lease in the provider's row, taken, renewed and released by conditional updates: no lock is held, two takers can't
both succeed, and the claim of a dead worker ends by itself.
"""

from __future__ import annotations

import os
import socket
import uuid
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField

from core.prepared import Given, PreparedQuery
from costs.usage.writing import SETTINGS_OF_WRITING
from providers.models import Provider, SyncRun
from providers.models.provider import LEASE, unclaimed


class ClaimLostError(Exception):
    """Another worker holds the provider now: this one must not write anything more."""


def new_owner() -> str:
    """A name for one attempt at a sync: the host, the process, and something unique."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex}"


def take_claim(*, provider: Provider, owner: str, now: datetime) -> bool:
    """Take the claim if it is free or has expired; False when another owner holds it."""
    taken = Provider.objects.filter(unclaimed(now), pk=provider.pk).update(claimed_by=owner, claimed_until=now + LEASE)
    return taken == 1


def take_claim_of_run(*, run_id: int, owner: str, now: datetime) -> bool:
    """As take_claim, of the provider of a run that has not ended; False also where there is no such run."""
    of_run = SyncRun.objects.unfinished().filter(pk=run_id).order_by().values("provider")
    taken = Provider.objects.filter(unclaimed(now), pk__in=of_run).update(claimed_by=owner, claimed_until=now + LEASE)
    return taken == 1


_HELD: PreparedQuery[Provider] = PreparedQuery(
    lambda: (
        Provider.objects.select_for_update(no_key=True)
        .filter(pk=Given("provider", BigIntegerField()))
        .order_by()
        .only("claimed_by", *SETTINGS_OF_WRITING)
    )
)


def hold_claim(*, provider: Provider, owner: str) -> Provider:
    """Lock the provider's row, so that nobody takes the claim before the commit, and return it as it is now.

    Every writer of usage or attribution needs that lock first. Raises ClaimLostError when ``owner`` no longer holds
    the claim.
    """
    held = next(iter(_HELD.ask(provider=provider.pk)), None)
    if held is None or held.claimed_by != owner:  # the provider is gone, or somebody else's
        raise ClaimLostError
    return held


def renew_claim(*, provider: Provider, owner: str, now: datetime) -> None:
    """Extend the claim; raises ClaimLostError when ``owner`` no longer holds it."""
    renewed = Provider.objects.filter(pk=provider.pk, claimed_by=owner).update(claimed_until=now + LEASE)
    if renewed != 1:
        raise ClaimLostError


def release_claim(*, provider: Provider, owner: str, **learned: Any) -> bool:
    """End the claim, and store what the work has ``learned`` of the provider; False when ``owner`` does not hold it."""
    released = Provider.objects.filter(pk=provider.pk, claimed_by=owner).update(
        claimed_by="", claimed_until=None, **learned
    )
    return released == 1


def release_claims_of(owner: str) -> None:
    """End whatever claim ``owner`` still holds."""
    Provider.objects.filter(claimed_by=owner).update(claimed_by="", claimed_until=None)


def release_claims_of_dead_processes() -> None:
    """Free what a process of this host left behind when it was killed, instead of waiting for the lease to end.

    For the embedded default's start, where every process that can hold a claim is on this host.
    """
    prefix = f"{socket.gethostname()[:60]}:"
    for provider in Provider.objects.filter(claimed_by__startswith=prefix):
        pid = int(provider.claimed_by.removeprefix(prefix).split(":")[0])
        if pid == os.getpid() or not _is_alive(pid):
            release_claim(provider=provider, owner=provider.claimed_by)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
