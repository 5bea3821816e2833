"""Workspaces that the tests of syncs read: the simulated one behind a real socket, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from syncing import engine
from tests.elevenlabs_sync.worlds import NOW, World, world


@pytest.fixture(autouse=True)
def _going_on() -> Iterator[None]:
    """A test that asks syncs to stop asks its own alone."""
    yield
    engine.stopping.clear()


@pytest.fixture
def here() -> Iterator[World]:
    """A workspace with eleven days of usage."""
    with world() as made:
        yield made


@pytest.fixture
def long() -> Iterator[World]:
    """A workspace whose history takes two requests: a window of 30 days and one of 4."""
    with world(first_day=NOW.date() - timedelta(days=33)) as made:
        yield made
