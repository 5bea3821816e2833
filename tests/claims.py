"""Claims on providers, for tests of what happens while somebody holds one."""

from __future__ import annotations

from datetime import datetime

from providers.models import Provider
from syncing.claims import take_claim_of_run
from tests.factories import make_run


def take_claim(*, provider: Provider, owner: str, now: datetime) -> bool:
    """As a worker that takes up the provider's unfinished run, or one that is made."""
    run = provider.runs.unfinished().first() or make_run(provider=provider)
    return take_claim_of_run(run_id=run.pk, owner=owner, now=now)
