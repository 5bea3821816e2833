"""What reached the server, for tests to look at: the last requests, without the secrets in their headers."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

REMEMBERED_REQUESTS = 10_000
SECRET_HEADERS = frozenset({"xi-api-key", "authorization"})


@dataclass(frozen=True)
class RecordedRequest:
    """A request that reached the server. Header names are lower case; a key's value is replaced by "***"."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any


class Recording:
    """The last requests in the order of their arrival; may be used from any thread."""

    def __init__(self) -> None:
        self._requests: deque[RecordedRequest] = deque(maxlen=REMEMBERED_REQUESTS)

    def add(self, *, method: str, path: str, query: str, headers: Mapping[str, str], body: object) -> None:
        """Remembers a request, without its secrets."""
        told = {name: "***" if name in SECRET_HEADERS else value for name, value in headers.items()}
        self._requests.append(RecordedRequest(method, path, query, told, body))

    def requests(self) -> list[RecordedRequest]:
        """The requests, oldest first (a copy, at most `REMEMBERED_REQUESTS`)."""
        return list(self._requests)

    def clear(self) -> None:
        """Forgets them."""
        self._requests.clear()
