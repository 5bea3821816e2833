"""The REST API, requested within this process by whoever has a token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from typing import Any

import httpx
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from mcp.server.mcpserver.exceptions import ToolError

from api.cursors import MOST

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Rest:
    """``address`` is the peer's, and ``forwarded`` its X-Forwarded-For: throttle and audit log go by them."""

    token: str
    address: str = "127.0.0.1"
    forwarded: str = ""

    def get(self, path: str, parameters: Parameters | None = None) -> dict[str, Any]:
        """The answer of GET ``path``; None and empty lists among ``parameters`` are left out.

        Raises ToolError with the sentence of the API's problem.
        """
        asked = {name: value for name, value in (parameters or {}).items() if value is not None and value != []}
        try:
            response = self._client.get(f"/api/v1{path}", params=asked)
        except httpx.InvalidURL:
            raise ToolError("That is too much to ask at once: name fewer, or shorter, things.") from None
        answer: dict[str, Any] = response.json()
        if response.is_success:
            return answer
        raise ToolError(answer.get("detail") or answer.get("title") or "The question could not be answered.")

    def lines(self, path: str, parameters: Parameters | None = None) -> Iterator[dict[str, Any]]:
        """Every line of a list, page by page."""
        asked: dict[str, Any] = {**(parameters or {}), "limit": MOST}
        while True:
            answer = self.get(path, asked)
            yield from answer["data"]
            if answer["next"] is None:
                return
            asked["cursor"] = answer["next"]

    def listed(self, path: str, parameters: Parameters | None = None, *, most: int) -> dict[str, Any]:
        """At most so many lines of a list, and whether there are more."""
        lines = list(islice(self.lines(path, parameters), most + 1))
        return {"data": lines[:most], "truncated": len(lines) > most}

    @cached_property
    def _client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if self.forwarded:
            headers["X-Forwarded-For"] = self.forwarded
        transport = httpx.WSGITransport(app=_handler(), raise_app_exceptions=False, remote_addr=self.address)
        return httpx.Client(transport=transport, base_url=own_address(), headers=headers, trust_env=False)


@cache
def _handler() -> WSGIHandler:
    return WSGIHandler()


def own_address() -> str:
    """One that ALLOWED_HOSTS lets in, and that is not redirected to HTTPS."""
    named = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS if "*" not in host]
    scheme = "https" if settings.SECURE_SSL_REDIRECT else "http"
    return f"{scheme}://{named[0] if named else 'localhost'}"
