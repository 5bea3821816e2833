"""Which API keys the simulator accepts and what each may do.

The keys are made up, opening nothing but the simulator. Whether a permission suffices is decided here; which path
needs which permission is decided in `server`.
"""

import hashlib
from collections.abc import Collection, Mapping

from elevenlabs_sync.simulator.answers import Answer, refusal, typed_refusal

ANALYTICS = "workspace_analytics_full_read"
USER = "user_read"
MODELS = "models_read"
WORKSPACE = "workspace_read"
AGENTS = "convai_read"
ALL_PERMISSIONS = frozenset({ANALYTICS, USER, MODELS, WORKSPACE, AGENTS})

SIMULATED_API_KEY = "sk_" + "5eed" * 12
"""May do everything."""

RESTRICTED_API_KEY = "sk_" + "0dd5" * 12
"""May do everything except what this project needs: reading the workspace's usage."""

USAGE_ONLY_API_KEY = "sk_" + "c057" * 12
"""May read usage and models, but neither the subscription nor the service accounts nor the agents."""

DEFAULT_KEYS: Mapping[str, frozenset[str]] = {
    SIMULATED_API_KEY: ALL_PERMISSIONS,
    RESTRICTED_API_KEY: ALL_PERMISSIONS - {ANALYTICS},
    USAGE_ONLY_API_KEY: frozenset({ANALYTICS, MODELS}),
}


REGIONS = ("global", "us", "eu", "in", "sg")
RESIDENCIES = ("eu", "in", "sg")
"""Regions whose workspaces have keys of their own, good nowhere else."""


def key_of(region: str, key: str = SIMULATED_API_KEY) -> str:
    """The key that is in `region` what `key`, one of the default keys, is elsewhere; ValueError for other regions."""
    if region not in REGIONS:
        raise ValueError(f"no such region: {region}")
    if region not in RESIDENCIES:
        return key
    return "sk_" + hashlib.sha256(f"{region}|{key}".encode()).hexdigest()[:48]


def keys_of(region: str) -> dict[str, Collection[str]]:
    """The default keys as they are in `region`, for a server that stands for that region's host."""
    return {key_of(region, key): permissions for key, permissions in DEFAULT_KEYS.items()}


def refusal_for(key: str | None, permission: str | None, keys: Mapping[str, Collection[str]]) -> Answer | None:
    """The error that `key` gets where `permission` is needed, or None when it may pass; None lets any good key pass."""
    granted = None if key is None else keys.get(key)
    if granted is None:
        return refusal(401, "invalid_api_key", "Invalid API key")
    if permission is None or permission in granted:
        return None
    message = f"The API key you used is missing the permission {permission} to execute this operation."
    if permission == WORKSPACE:
        # Both shapes and both codes are met in the wild; answering with each makes clients prove that they read both.
        return typed_refusal(403, "authorization_error", "insufficient_permissions", message)
    return refusal(401, "missing_permissions", message)
