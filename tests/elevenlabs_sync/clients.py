"""A client whose transport is replaced, and the errors that it ends in."""

from __future__ import annotations

from typing import Any

import pytest

from elevenlabs_sync.client import ElevenLabsClient
from syncing.errors import ProviderError

HOST = "https://api.elevenlabs.io"


def refused(client: ElevenLabsClient) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        client.models()
    return caught.value


def detail(code: str, message: str = "") -> dict[str, Any]:
    return {"detail": {"status": code, "message": message}}
