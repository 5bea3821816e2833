"""What reached the server, for tests to look at: the last requests, without the secrets in their headers."""

from collections import deque
from dataclasses import replace

from elevenlabs_sync.simulator.request import UNREADABLE, Request

REMEMBERED_REQUESTS = 10_000
SECRET_HEADERS = frozenset({"xi-api-key", "authorization"})


class Recording:
    """The last requests in the order of their arrival; may be used from any thread."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque(maxlen=REMEMBERED_REQUESTS)

    def add(self, request: Request) -> None:
        """Remembers a request with "***" for its secrets, and None for a body that is no JSON."""
        headers = {name: "***" if name in SECRET_HEADERS else value for name, value in request.headers.items()}
        body = None if request.body is UNREADABLE else request.body
        self._requests.append(replace(request, headers=headers, body=body))

    def requests(self) -> list[Request]:
        """The requests, oldest first (a copy, at most `REMEMBERED_REQUESTS`)."""
        return list(self._requests)

    def clear(self) -> None:
        """Forgets them."""
        self._requests.clear()
