"""One worker at a time: taking, renewing, losing and releasing the claim on a provider."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection

from providers.models import Provider
from providers.models.provider import LEASE
from syncing.claims import (
    ClaimLostError,
    hold_claim,
    new_owner,
    release_claim,
    release_claims_of_dead_processes,
    renew_claim,
    take_claim_of_run,
)
from tests.claims import take_claim
from tests.factories import NOW, make_provider, make_run

pytestmark = pytest.mark.django_db


def holder(provider: Provider) -> str:
    provider.refresh_from_db()
    return provider.claimed_by


def test_free_provider_is_claimed() -> None:
    """The claim names its owner and its end."""
    provider = make_provider()

    assert take_claim(provider=provider, owner="a", now=NOW)

    assert holder(provider) == "a"
    assert provider.claimed_until == NOW + LEASE


@pytest.mark.parametrize("owner", ["b", "a"])
def test_claimed_provider_is_not_claimed_again(owner: str) -> None:
    """Not even by its own owner: that would be two runs."""
    provider = make_provider()
    take_claim(provider=provider, owner="a", now=NOW)

    assert not take_claim(provider=provider, owner=owner, now=NOW + LEASE - timedelta(microseconds=1))
    assert holder(provider) == "a"


def test_claim_ends_by_itself() -> None:
    """At its very end somebody else may take it."""
    provider = make_provider()
    take_claim(provider=provider, owner="a", now=NOW)

    assert take_claim(provider=provider, owner="b", now=NOW + LEASE)
    assert holder(provider) == "b"


def test_claims_of_providers_are_independent() -> None:
    """Another provider is another claim."""
    take_claim(provider=make_provider(), owner="a", now=NOW)

    assert take_claim(provider=make_provider(), owner="b", now=NOW)


def test_renewed_claim_lasts_from_then_on() -> None:
    """A sign of life extends the lease."""
    provider = make_provider()
    take_claim(provider=provider, owner="a", now=NOW)

    renew_claim(provider=provider, owner="a", now=NOW + timedelta(minutes=2))

    assert not take_claim(provider=provider, owner="b", now=NOW + LEASE)


def test_claim_that_was_taken_over_can_not_be_renewed() -> None:
    """Who lost it learns so."""
    provider = make_provider()
    take_claim(provider=provider, owner="a", now=NOW)
    take_claim(provider=provider, owner="b", now=NOW + LEASE)

    with pytest.raises(ClaimLostError):
        renew_claim(provider=provider, owner="a", now=NOW + LEASE)


def test_release_frees_only_the_own_claim() -> None:
    """A late release does not take the claim away from who has it now."""
    provider = make_provider()
    take_claim(provider=provider, owner="a", now=NOW)

    release_claim(provider=provider, owner="b")
    assert holder(provider) == "a"
    release_claim(provider=provider, owner="a")

    assert holder(provider) == ""
    assert take_claim(provider=provider, owner="c", now=NOW)


def test_owners_are_unique_and_fit() -> None:
    """Each attempt has a name of its own, which its column holds."""
    names = {new_owner() for _ in range(100)}

    assert len(names) == 100
    assert max(map(len, names)) <= 120


def test_claims_of_dead_processes_are_freed_and_others_stay() -> None:
    """At the start of the only process, what was left behind is free at once."""
    host = socket.gethostname()[:60]
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as living:
        owners = {
            f"{host}:{dead.pid}:x": True,
            f"{host}:{os.getpid()}:x": True,
            f"{host}:{living.pid}:x": False,
            "another-host:1:x": False,
        }
        providers = {owner: make_provider() for owner in owners}
        for owner, provider in providers.items():
            take_claim(provider=provider, owner=owner, now=NOW)

        release_claims_of_dead_processes()
        living.communicate(b"\n")

    assert {owner: holder(provider) == "" for owner, provider in providers.items()} == owners


@pytest.mark.django_db(transaction=True)
def test_of_many_takers_at_once_one_succeeds() -> None:
    """Threads with connections of their own, one provider, one claim."""
    run = make_run()
    barrier = threading.Barrier(6)
    taken: list[bool] = []

    def take(owner: str) -> None:
        try:
            barrier.wait()
            taken.append(take_claim_of_run(run_id=run.pk, owner=owner, now=NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(f"t{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == [False] * 5 + [True]


def test_held_claim_tells_the_settings_of_now() -> None:
    """Not those that were read before the request: a person may have changed them since."""
    provider = make_provider()
    take_claim(provider=provider, owner="a", now=NOW)
    Provider.objects.update(keyless_sharing=Provider.KeylessSharing.EVENLY)

    held = hold_claim(provider=provider, owner="a")

    assert (held.pk, held.keyless_sharing) == (provider.pk, Provider.KeylessSharing.EVENLY)


@pytest.mark.parametrize("is_deleted", [True, False])
def test_claim_that_is_lost_is_not_held(*, is_deleted: bool) -> None:
    """Somebody else has it, or there is nothing left to claim."""
    provider = make_provider()
    take_claim(provider=provider, owner="b", now=NOW)
    if is_deleted:
        Provider.objects.all().delete()

    with pytest.raises(ClaimLostError):
        hold_claim(provider=provider, owner="a")
