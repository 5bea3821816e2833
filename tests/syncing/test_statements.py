"""What a sync asks of the database: a number of statements that depends neither on its rows nor on its history."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.models import Provider, SyncRun
from providers.services.queueing import request_sync
from syncing.engine import run_sync
from tests.conftest import FakeType
from tests.factories import NOW, TODAY, make_provider
from tests.fake_reader import FakeReader, usage_row

# In a test's own transaction savepoints stand for transactions: of an hourly sync that finds nothing new, and of one
# that finds other figures for today, all that it asks.
OF_AN_HOUR = 21
OF_NEW_FIGURES = 39

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    """One whose account was read this day."""
    return make_provider(history_from=TODAY - timedelta(days=6), account_read_at=NOW)


def statements_of(provider: Provider, fake: FakeType, *, keys: int, used_today: int = 10) -> list[str]:
    """Those of an hourly sync that finds three rows of each key on each of seven days."""
    fake.reader = FakeReader(
        rows=[
            usage_row(
                TODAY - timedelta(days=day),
                external_id=f"key-{key}",
                model=model,
                credits=Decimal(10 if day else used_today),
            )
            for key in range(keys)
            for day in range(7)
            for model in ("small", "large", "other")
        ]
    )
    run = request_sync(provider=provider, trigger=SyncRun.Trigger.HOURLY, now=NOW)
    with CaptureQueriesContext(connection) as captured:
        ended = run_sync(run.pk, clock=lambda: NOW)
    assert ended is not None
    assert ended.outcome == SyncRun.Outcome.SUCCEEDED
    # A connection plans a statement when it carries it out for the second time, whichever test that is in.
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith("PREPARE")]


def test_unchanged_hour_asks_little(provider: Provider, elevenlabs: FakeType) -> None:
    """Claim, plan, answer and end: each is asked for and written once."""
    statements_of(provider, elevenlabs, keys=3)

    statements = statements_of(provider, elevenlabs, keys=3)

    assert len(statements) <= OF_AN_HOUR, "\n".join(statements)


def test_hour_with_new_figures_asks_no_more_than_what_they_change(provider: Provider, elevenlabs: FakeType) -> None:
    """Of figures of today nothing can be implausible, nor restated."""
    statements_of(provider, elevenlabs, keys=3)

    statements = statements_of(provider, elevenlabs, keys=3, used_today=11)

    assert len(statements) <= OF_NEW_FIGURES, "\n".join(statements)


def test_no_statement_is_made_per_row(provider: Provider, elevenlabs: FakeType) -> None:
    """Two keys or thirty, unchanged or new."""
    few = len(statements_of(provider, elevenlabs, keys=2)), len(statements_of(provider, elevenlabs, keys=2))
    other = make_provider(history_from=provider.history_from, account_read_at=NOW)

    many = len(statements_of(other, elevenlabs, keys=30)), len(statements_of(other, elevenlabs, keys=30))

    assert many == few
