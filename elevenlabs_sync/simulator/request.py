"""A request as it was read from the connection, before anybody decided what to answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNREADABLE = object()
"""Stands for a request's body that is no JSON."""


@dataclass(frozen=True, slots=True)
class Request:
    """`path` and `query` are those of its URL, header names are lower case.

    `body` is the parsed JSON, None without one, `UNREADABLE` if it is none.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any

    @property
    def key(self) -> str | None:
        """The API key it came with, if any."""
        return self.headers.get("xi-api-key")
