"""Sums of failed sign-ins: counted as they happen, recorded once an hour as one entry per kind.

Each failure is a line of the log; the audit log records the first of an hour one by one (accounts.audit.recording), and
of the others how many there were and from how many addresses.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from allauth.core.internal.ratelimit import cache_lock
from django.core.cache import cache
from django.utils import timezone

from core.audit import audit_event

SUMMED = "session.failures_summed"
HOUR = timedelta(hours=1)

# An hour's sums are kept for so long, in case the clock's process does not run meanwhile.
KEPT_FOR = timedelta(days=7)

# Distinct addresses that are counted in one hour; beyond them the entry says "more than".
MOST_ADDRESSES = 1000

STEPS = ("password", "second factor", "single sign-on")


def count_unrecorded(*, step: str, address: str) -> None:
    """One failure more that gets no entry of its own."""
    key = _key(step, _hour(timezone.now()))
    with cache_lock(key):  # a guess more or less is no matter
        number, addresses = cache.get(key) or (0, frozenset())
        if len(addresses) <= MOST_ADDRESSES:
            addresses |= {address}
        cache.set(key, (number + 1, addresses), KEPT_FOR.total_seconds())


def record_sums(*, now: datetime) -> int:
    """Write an entry for each hour that is over and has none yet; returns how many."""
    hours = [_hour(now) - number * HOUR for number in range(KEPT_FOR // HOUR, 0, -1)]
    keys = {_key(step, hour): (step, hour) for hour in hours for step in STEPS}
    sums: dict[str, tuple[int, frozenset[str]]] = cache.get_many(keys)
    told = 0
    for key, (step, hour) in keys.items():
        # The first to set this mark writes the entry: two processes may run the clock.
        if key in sums and cache.add(f"{key}:told", 1, KEPT_FOR.total_seconds()):
            number, addresses = sums[key]
            audit_event(
                SUMMED,
                "",
                new={
                    "step": step,
                    "further_failures": number,
                    "addresses": len(addresses) if len(addresses) <= MOST_ADDRESSES else f"more than {MOST_ADDRESSES}",
                    "from": f"{hour:%Y-%m-%d %H:%M} UTC",
                    "to": f"{hour + HOUR:%Y-%m-%d %H:%M} UTC",
                },
            )
            cache.delete(key)
            told += 1
    return told


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _key(step: str, hour: datetime) -> str:
    return f"failures:{step.replace(' ', '-')}:{hour:%Y%m%d%H}"
