"""Leases by name: who evaluates, and who works through the deliveries of one receiver, at this moment."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import Q

from alerts.models import Lane


@contextmanager
def lane_of_ones_own(name: str, *, now: datetime, lasts: timedelta) -> Iterator[bool]:
    """Whether nobody else holds it; it is given back at the end, and by itself after ``lasts`` where this one dies."""
    owner = secrets.token_hex(16)
    Lane.objects.get_or_create(name=name)
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    taken = Lane.objects.filter(free, name=name).update(claimed_until=now + lasts, claimed_by=owner) == 1
    try:
        yield taken
    finally:
        if taken:
            Lane.objects.filter(name=name, claimed_by=owner).update(claimed_until=None)
