"""Prism's API over HTTP: one method per endpoint, its error words as the common tree of errors."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx

from core.secrets import ApiKey
from syncing.errors import (
    InvalidKeyError,
    MissingPermissionError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    UnavailableError,
    UnexpectedResponseError,
    quotable,
)
from syncing.transport import DeadlineTransport
from syncing.windows import Window


class PrismClient:
    def __init__(self, base_url: str, api_key: ApiKey, *, deadline: float = 30) -> None:
        self.excerpt = ""
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key.reveal()}"},
            transport=DeadlineTransport(seconds=deadline),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def usage(self, window: Window) -> Any:
        return self._get("/v2/lines", {"since": window.first.isoformat(), "until": window.last.isoformat()})

    def plan(self) -> Any:
        return self._get("/v2/tariff")

    def tokens(self) -> Any:
        return self._get("/v2/tokens")

    def _get(self, path: str, query: dict[str, str] | None = None) -> Any:
        try:
            response = self._http.get(path, params=query or {})
        except httpx.TransportError:
            raise UnavailableError("no connection") from None
        self.excerpt = quotable(response.text[:400])
        try:
            document = response.json()
        except ValueError:
            raise UnexpectedResponseError("it is not JSON") from None
        if response.is_success:
            return document
        raise _error_for(response.status_code, document)


def _error_for(status: int, document: Any) -> ProviderError:
    match document:
        case {"problem": "bad_token"}:
            return InvalidKeyError()
        case {"problem": "scope_missing", "scope": str(scope)}:
            return MissingPermissionError(quotable(scope))
        case {"problem": "slow_down", "seconds": str(seconds)}:
            return RateLimitedError(float(seconds))
        case {"problem": problem} if status < 500:
            return RejectedError(status, quotable(problem))
        case _:
            return UnavailableError(f"HTTP {status}")
