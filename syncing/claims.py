"""The claim that lets one worker at a time sync a provider.

A lease in the provider's row, taken, renewed and released by conditional updates: no lock is held, two takers can't
both succeed, and the claim of a dead worker ends by itself.
"""

from __future__ import annotations

import os
import socket
import uuid
from datetime import datetime

from providers.models import Provider
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


def renew_claim(*, provider: Provider, owner: str, now: datetime) -> None:
    """Extend the claim. In a writing transaction this also keeps every other worker from taking it before the commit.

    Raises ClaimLostError when ``owner`` no longer holds it.
    """
    renewed = Provider.objects.filter(pk=provider.pk, claimed_by=owner).update(claimed_until=now + LEASE)
    if renewed != 1:
        raise ClaimLostError


def release_claim(*, provider: Provider, owner: str) -> bool:
    """End the claim; False when ``owner`` no longer holds it."""
    released = Provider.objects.filter(pk=provider.pk, claimed_by=owner).update(claimed_by="", claimed_until=None)
    return released == 1


def release_own_claim(*, provider: Provider, owner: str) -> None:
    """End the claim in the transaction that ends the work; raises ClaimLostError when ``owner`` no longer holds it."""
    if not release_claim(provider=provider, owner=owner):
        raise ClaimLostError


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
