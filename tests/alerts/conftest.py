"""What the tests of alerts share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.alerts.worlds import Receiver, Spender, make_spender


@pytest.fixture
def acme(db: None) -> Spender:
    return make_spender()


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """A receiver of webhooks on this machine, which the environment allows."""
    settings.ALLOW_PRIVATE_WEBHOOKS = True
    with Receiver() as receiver:
        yield receiver
