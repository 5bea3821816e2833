"""Encryption at rest of API keys and whatever else is a secret, the wrapper that keeps a key in memory out of logs,
reprs and tracebacks, and the mask over what looks like a secret in a text.
"""

import re
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils.crypto import salted_hmac

MASK: Final = "••••"
LOOKS_LIKE_KEY: Final = "This looks like an API key. Choose another name: names are shown to everybody."

_LOOKS_SECRET: Final = re.compile(
    r"""
    (?P<keep>
        \b(?:[\w-]{0,40}api-key|authorization)["']?\s*[:=,]\s*(?:b?["'])?(?:(?:bearer|basic|digest)\s+)?  # a header
      | \b(?:api_key|password|token)["']?\s*[:=]\s*["']?                              # a field
      | ://[^\s:/@"']*:(?=[^\s/@"']+@)                                                # the password in a URL
      | /invitations/(?=[\w-]{43})                                                   # the token of an invitation
    )[^\s"',;})\]\\@]+
    | \bsk_\w+                          # an API key, as several providers write it
    | \badm_[a-z0-9]{8}_[\w-]{20,}      # an API token of ours
    | \bwhsec_[\w+/]{20,}=*            # the secret of a webhook
  | (?<![\w-])[\w-]{43}=(?![\w=])     # a Fernet key
    | \bgAAAA[\w-]{40,}=*               # what was encrypted with one
    | \b[0-9a-fA-F]{32,}\b              # keys of another kind, digests of keys
    """,
    re.VERBOSE | re.IGNORECASE,
)

# What no name looks like: an API key, a Fernet key, what was encrypted with one, a digest.
_API_KEY: Final = re.compile(r"\bsk_\w{8,}|\badm_[a-zA-Z0-9]{8}_[\w-]{20,}")
_IS_KEY: Final = re.compile(_API_KEY.pattern + r"|(?<![\w-])[\w-]{43}=(?![\w=])|\bgAAAA[\w-]{40,}|\b[0-9a-fA-F]{32,}\b")


# What else keys look like, as provider types have said.
_KEYS_OF_TYPES: Final[list[re.Pattern[str]]] = []


def register_key_pattern(pattern: str) -> None:
    """From now on what ``pattern`` finds is an API key: masked wherever text is shown or logged, refused as a name."""
    if (compiled := re.compile(pattern)) not in _KEYS_OF_TYPES:
        _KEYS_OF_TYPES.append(compiled)


class KeyUnreadableError(Exception):
    """The stored key can't be decrypted with any of ENCRYPTION_KEYS: the provider needs its key again."""


class ApiKey:
    """An API key in clear. Only ``reveal()`` gives it away; every other rendering is masked."""

    __slots__ = ("_clear",)

    def __init__(self, clear: str) -> None:
        self._clear: Final = clear

    def reveal(self) -> str:
        return self._clear

    @property
    def last_four(self) -> str:
        """The last four characters – of a key so short that four would be much of it, none."""
        return self._clear[-4:] if len(self._clear) >= 12 else ""

    @property
    def fingerprint(self) -> str:
        """A keyed digest (hex) by which two equal keys are recognised without being readable."""
        return salted_hmac("providers.api_key", self._clear, algorithm="sha256").hexdigest()

    def __repr__(self) -> str:
        return "ApiKey(••••)"

    __str__ = __repr__

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("An API key is never serialised.")


def read_api_key(text: str) -> ApiKey:
    """The key that a person typed or pasted; raises ValueError with a sentence that does not hold it."""
    key = text.strip()
    if not key:
        raise ValueError("Enter an API key.")
    if len(key) > 200 or not all("!" <= character <= "~" for character in key):
        raise ValueError("This is not an API key: it has spaces, line breaks or other characters that no key has.")
    return ApiKey(key)


def looks_like_key(text: str) -> bool:
    """Whether ``text``, meant as a name, holds something that looks like an API key."""
    return any(pattern.search(text) for pattern in (_IS_KEY, *_KEYS_OF_TYPES))


def refuse_keys(name: str) -> None:
    """Raises ValidationError, which does not hold ``name``: names are shown to everybody, logged and exported."""
    if looks_like_key(name):
        raise ValidationError(LOOKS_LIKE_KEY)


def mask_api_keys(text: str) -> str:
    """``text`` without what looks like an API key: digests, by which people name keys, stay readable."""
    for pattern in (_API_KEY, *_KEYS_OF_TYPES):
        text = pattern.sub(MASK, text)
    return text


def mask_secrets(text: str) -> str:
    """``text`` without what looks like a key, a password or a token, whoever's it is."""
    return mask_api_keys(_LOOKS_SECRET.sub(lambda found: f"{found['keep'] or ''}{MASK}", text))


def encrypt(key: ApiKey) -> str:
    """Return the Fernet token (ASCII) of ``key`` under the first of ENCRYPTION_KEYS."""
    return _fernet().encrypt(key.reveal().encode()).decode()


def decrypt(token: str) -> ApiKey:
    """Return the key behind ``token``; raises KeyUnreadableError when no encryption key fits."""
    try:
        return ApiKey(_fernet().decrypt(token.encode()).decode())
    except InvalidToken:
        raise KeyUnreadableError from None


def reencrypt(token: str) -> str | None:
    """What ``token`` holds, under the first of ENCRYPTION_KEYS; None when it is already.

    Raises KeyUnreadableError when no encryption key fits.
    """
    clear = decrypt(token)
    try:
        Fernet(settings.ENCRYPTION_KEYS[0]).decrypt(token.encode())
    except InvalidToken:
        return encrypt(clear)
    return None


def _fernet() -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])
    except ValueError:
        raise ImproperlyConfigured(
            "ENCRYPTION_KEYS holds something that is not a Fernet key (32 url-safe base64-encoded bytes)."
        ) from None
