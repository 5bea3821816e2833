"""The client with its transport replaced."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import respx

from elevenlabs_sync.client import ElevenLabsClient
from tests.elevenlabs_sync.clients import HOST
from tests.factories import API_KEY


@pytest.fixture
def api() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=HOST) as router:
        yield router


@pytest.fixture
def api_client() -> Iterator[ElevenLabsClient]:
    """A client whose transport respx replaces."""
    with ElevenLabsClient(
        base_url=HOST, api_key=API_KEY, user_agent="Administrate/1", transport=httpx.HTTPTransport()
    ) as made:
        yield made
