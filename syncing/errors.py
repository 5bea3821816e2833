"""What can go wrong between us and a provider.

    ProviderError
    ├── InvalidKeyError          the key is wrong or revoked                            (401)
    ├── MissingPermissionError   the key works but may not read this                    (401, 403)
    ├── RefusedError             the key works but the provider refuses it here         (401, 402, 403)
    ├── RateLimitedError         too many requests; says how long to wait where it can  (429)
    ├── UnavailableError         no answer, or none in time                             (network, 408, 409, 5xx)
    ├── RejectedError            the request itself was refused                         (any other 4xx)
    └── UnexpectedResponseError  an answer that can't be understood
        └── AnswerTooLargeError  … because it passes the size cap: ask for less

They hold facts. The sentence for the person who reads the sync history is the provider type's (``explain``; the default
is syncing.words). No error ever holds the key or a body, and what it quotes of an answer has passed ``quotable``.
"""

from __future__ import annotations

import re
from typing import Any

_MAX_QUOTE = 200
_LOOKS_LIKE_A_KEY = re.compile(r"sk_\w+|[0-9a-fA-F]{24,}")


def quotable(value: Any) -> str:
    """Text from an answer as a sentence may quote it: short, one printable line in which nothing looks like a key.

    Empty for anything but text.
    """
    if not isinstance(value, str):
        return ""
    beginning = value[: _MAX_QUOTE * 10]  # a name may be megabytes long
    printable = "".join(character if character.isprintable() else " " for character in beginning)
    return _LOOKS_LIKE_A_KEY.sub("••••", " ".join(printable.split()))[:_MAX_QUOTE]


class ProviderError(Exception):
    """Base of all.

    ``code`` is what sync runs store; ``retryable`` whether waiting may help, and ``retry_after`` for how many seconds
    where that was said; ``may_concern_billing`` whether the endpoint may have refused because the days are billed in
    another way (how a provider says that may be undocumented); ``refuses_key`` whether it will be the same until a
    person does something about the key.
    """

    code = "error"
    retryable = False
    retry_after: float | None = None
    may_concern_billing = False
    refuses_key = False


class InvalidKeyError(ProviderError):
    code = "invalid_key"
    refuses_key = True


class MissingPermissionError(ProviderError):
    code = "missing_permission"
    refuses_key = True

    def __init__(self, permission: str) -> None:
        self.permission = permission
        super().__init__(permission)


class RefusedError(ProviderError):
    code = "refused"
    refuses_key = True
    may_concern_billing = True

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class RateLimitedError(ProviderError):
    code = "rate_limited"
    retryable = True

    def __init__(self, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(retry_after)


class UnavailableError(ProviderError):
    code = "unavailable"
    retryable = True

    def __init__(self, what: str, *, retry_after: float | None = None, may_concern_billing: bool = False) -> None:
        self.what = what
        self.retry_after = retry_after
        self.may_concern_billing = may_concern_billing
        super().__init__(what)


class RejectedError(ProviderError):
    code = "rejected"
    may_concern_billing = True

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"HTTP {status}{f': {reason}' if reason else ''}")


class UnexpectedResponseError(ProviderError):
    code = "unexpected_response"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class AnswerTooLargeError(UnexpectedResponseError):
    code = "answer_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"it is larger than {limit // 1_000_000} MB")
