"""The claim that lets one worker at a time sync a provider.

A lease in the provider's row, taken, renewed and released by conditional updates: no lock is held, two takers can't
both succeed, and the claim of a dead worker ends by itself.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import BigIntegerField, CharField, DateTimeField, QuerySet

from core.prepared import Given, PreparedQuery, PreparedUpdate, given
from costs.usage.writing import SETTINGS_OF_WRITING
from providers.models import Provider, SyncRun
from providers.models.provider import LEASE, LONGEST_CLAIM, unclaimed


class ClaimLostError(Exception):
    """Another worker holds the provider now: this one must not write anything more."""


def new_owner() -> str:
    """A name for one attempt at a sync: the host, the process, and something unique."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex}"


def _taking() -> tuple[QuerySet[Provider], Mapping[str, Any]]:
    of_run = SyncRun.objects.unfinished().filter(pk=Given("run", BigIntegerField())).order_by().values("provider")
    free = unclaimed(Given("now", _UNTIL), longest=Given("longest", _UNTIL))
    taken = {"claimed_by": Given("owner", CharField()), "claimed_until": Given("until", _UNTIL)}
    return Provider.objects.filter(free, pk__in=of_run), taken


_UNTIL = DateTimeField()
_TAKE = PreparedUpdate(_taking)


def take_claim_of_run(*, run_id: int, owner: str, now: datetime) -> bool:
    """Take the claim on the provider of a run that has not ended, if it is free or has expired.

    False when another owner holds it, and where there is no such run.
    """
    return _TAKE.carry_out(run=run_id, owner=owner, now=now, until=now + LEASE, longest=now + LONGEST_CLAIM) == 1


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


@cache
def _releasing(learned: tuple[str, ...]) -> PreparedUpdate:
    def make() -> tuple[QuerySet[Provider], Mapping[str, Any]]:
        held = Provider.objects.filter(pk=Given("provider", BigIntegerField()), claimed_by=Given("owner", CharField()))
        return held, {"claimed_by": "", "claimed_until": None, **given(Provider, learned)}

    return PreparedUpdate(make)


def release_claim(*, provider: Provider, owner: str, **learned: Any) -> bool:
    """End the claim, and store what the work has ``learned`` of the provider; False when ``owner`` does not hold it."""
    return _releasing(tuple(learned)).carry_out(provider=provider.pk, owner=owner, **learned) == 1


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
