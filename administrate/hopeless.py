"""What is no secret although it stands where one belongs: too short to withstand guessing, or known to everybody.

Nothing here repeats a value. Settings and the first admin ask, both outside of DEBUG only.
"""

from __future__ import annotations

import base64
import binascii

SHORTEST_SECRET_KEY = 32
SHORTEST_PASSWORD = 8
FEWEST_CHARACTERS = 8  # that differ; a random text of 32 has more
FEWEST_BYTES = 16  # that differ, of the 32 of an encryption key

PRODUCT_NAME = "administrate"


def flaw_of_secret_key(key: str) -> str:
    """Why sessions signed with it could be forged; empty where nothing speaks against it."""
    if len(key) < SHORTEST_SECRET_KEY:
        return f"SECRET_KEY is too short: it needs at least {SHORTEST_SECRET_KEY} characters made at random."
    if len(set(key)) < FEWEST_CHARACTERS:
        return "SECRET_KEY repeats itself: it needs characters made at random."
    return ""


def flaw_of_encryption_keys(keys: list[str]) -> str:
    """Why what is encrypted with them would lie open, or could not be encrypted at all."""
    if len(set(keys)) < len(keys):
        return "ENCRYPTION_KEYS holds the same key twice."
    for number, key in enumerate(keys, start=1):
        try:
            decoded = base64.b64decode(key.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            decoded = b""
        if len(decoded) != 32:
            return f"Key {number} of ENCRYPTION_KEYS is not a Fernet key (32 url-safe base64-encoded bytes)."
        if len(set(decoded)) < FEWEST_BYTES:
            return f"Key {number} of ENCRYPTION_KEYS repeats itself: it needs to be made at random (see .env.example)."
    return ""


def flaw_of_first_password(password: str, *, username: str) -> str:
    """Why ADMIN_PASSWORD would be guessed at once. People's own passwords are held to more (AUTH_PASSWORD_VALIDATORS):
    this one may come from a script and be changed after the first sign-in.
    """
    # Both can be reached only once the settings are known.
    from django.contrib.auth.password_validation import CommonPasswordValidator

    from providers import registry

    if len(password) < SHORTEST_PASSWORD:
        return f"ADMIN_PASSWORD is too short: it needs at least {SHORTEST_PASSWORD} characters."
    providers = {provider_type.label.casefold() for provider_type in registry.all_types()}
    if password.casefold() in {PRODUCT_NAME, username.casefold(), *providers}:
        return "ADMIN_PASSWORD is the name of the product or of the account."
    if password.lower().strip() in CommonPasswordValidator().passwords:
        return "ADMIN_PASSWORD is one of the passwords that everybody tries first."
    return ""
