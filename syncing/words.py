"""The sentences of the sync history, for a provider type that has no better ones of its own."""

from __future__ import annotations

from syncing.errors import (
    InvalidKeyError,
    MissingPermissionError,
    ProviderError,
    RateLimitedError,
    RefusedError,
    RejectedError,
    UnavailableError,
    UnexpectedResponseError,
)


def sentence(error: ProviderError, label: str) -> str:
    """What went wrong with the provider type called ``label``, and what to do, in one or two sentences."""
    match error:
        case InvalidKeyError():
            return f"{label} did not accept the API key: it is wrong or was revoked. Replace the key."
        case MissingPermissionError(permission=permission):
            return f"The API key lacks the permission {permission}. Allow it in {label}."
        case RefusedError(reason=reason):
            return f"{label} refused the API key: {reason}"
        case RateLimitedError():
            return f"{label} is limiting requests. The next sync tries again."
        case UnavailableError(what=what):
            return f"{label} is temporarily unavailable ({what}). The next sync tries again."
        case RejectedError(status=status, reason=reason):
            return f"{label} rejected the request (HTTP {status}{f': {reason}' if reason else ''})."
        case UnexpectedResponseError(reason=reason):
            return f"{possessive(label)} answer could not be understood: {reason}. Nothing of it was stored."
        case _:
            return f"Reading {label} failed ({error.code}). The next sync tries again."


def possessive(label: str) -> str:
    """ "Prisms'", "Example's"."""
    return f"{label}'" if label.endswith("s") else f"{label}'s"
