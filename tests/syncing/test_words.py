"""The sentences of the sync history: what went wrong, and what to do, by what a provider type is called."""

from __future__ import annotations

import pytest

from syncing import words
from syncing.errors import (
    AnswerTooLargeError,
    InvalidKeyError,
    MissingPermissionError,
    ProviderError,
    RateLimitedError,
    RefusedError,
    RejectedError,
    UnavailableError,
    UnexpectedResponseError,
)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InvalidKeyError(), "ElevenLabs did not accept the API key: it is wrong or was revoked. Replace the key."),
        (
            MissingPermissionError("models_read"),
            "The API key lacks the permission models_read. Allow it in ElevenLabs.",
        ),
        (RefusedError("Pay first."), "ElevenLabs refused the API key: Pay first."),
        (RateLimitedError(30), "ElevenLabs is limiting requests. The next sync tries again."),
        (
            UnavailableError("no connection"),
            "ElevenLabs is temporarily unavailable (no connection). The next sync tries again.",
        ),
        (RejectedError(400, "Bad window."), "ElevenLabs rejected the request (HTTP 400: Bad window.)."),
        (RejectedError(418, ""), "ElevenLabs rejected the request (HTTP 418)."),
        (
            UnexpectedResponseError("it is not JSON"),
            "ElevenLabs' answer could not be understood: it is not JSON. Nothing of it was stored.",
        ),
        (
            AnswerTooLargeError(10_000_000),
            "ElevenLabs' answer could not be understood: it is larger than 10 MB. Nothing of it was stored.",
        ),
        (ProviderError(), "Reading ElevenLabs failed (error). The next sync tries again."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ProviderError) else None,
)
def test_each_error_has_its_sentence(error: ProviderError, sentence: str) -> None:
    """Word for word: people search for them, and the history holds them."""
    assert words.sentence(error, "ElevenLabs") == sentence


def test_sentence_names_the_provider_type_that_is_meant() -> None:
    """In the form that its name asks for."""
    sentence = words.sentence(UnexpectedResponseError("it is not JSON"), "Example")

    assert sentence == "Example's answer could not be understood: it is not JSON. Nothing of it was stored."
