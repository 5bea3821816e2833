"""Prism's own little HTTP server, on a port of this machine alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "prism-5f0c77d1-reads-billing"
TOKENS = (("tok-support", "Support bot"), ("tok-reader", "Book reader"), ("tok-old", "Old experiment"))
ENGINES = ("prism-large", "prism-swift")


@dataclass
class Account:
    """What the server tells; ``refusal`` is answered to everything instead, as status and document."""

    first: date
    last: date
    refusal: tuple[int, dict[str, Any]] | None = None
    asked: list[str] = field(default_factory=list)

    def lines(self, first: date, last: date) -> list[dict[str, Any]]:
        """Every day: the first two tokens use one engine each for 250 cents, the playground the second for 50.5."""
        used: tuple[tuple[tuple[str, str] | None, str, int, str], ...] = (
            (TOKENS[0], ENGINES[0], 20, "250"),
            (TOKENS[1], ENGINES[1], 10, "250.00"),
            (None, ENGINES[1], 5, "50.5"),
        )
        first, last = max(first, self.first), min(last, self.last)
        return [
            {
                "on": (first + timedelta(days=offset)).isoformat(),
                "token": {"id": token[0], "label": token[1]} if token else None,
                "engine": engine,
                "calls": calls,
                "cents": cents,
                "currency": "EUR",
            }
            for offset in range((last - first).days + 1)
            for token, engine, calls, cents in used
        ]

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        address = urlsplit(path)
        self.asked.append(address.path)
        if authorization != f"Bearer {TOKEN}":
            return 401, {"problem": "bad_token"}
        if self.refusal:
            return self.refusal
        if address.path == "/v2/tokens":
            return 200, {"tokens": [self._token(*token) for token in TOKENS]}
        if address.path == "/v2/tariff":
            return 200, self._tariff()
        if address.path == "/v2/lines":
            asked = {name: date.fromisoformat(values[0]) for name, values in parse_qs(address.query).items()}
            return 200, {"lines": self.lines(asked["since"], asked["until"])}
        return 404, {"problem": "no_such_page"}

    def _token(self, token: str, label: str) -> dict[str, Any]:
        return {
            "id": token,
            "label": label,
            "tail": token[-4:],
            "off_because": "budget_reached" if token == "tok-old" else None,
        }

    def _tariff(self) -> dict[str, Any]:
        """Renewed each month; of the running one 35 calls a day were made."""
        begins = self.last.replace(day=1)
        renews = (begins + timedelta(days=32)).replace(day=1)
        made = 35 * ((self.last - max(begins, self.first)).days + 1)
        calls = {"made": made, "included": 2_000}
        return {"tariff": "team", "calls": calls, "renews": f"{renews}T00:00:00+00:00", "due_cents": "9900"}


@contextmanager
def serving(account: Account) -> Iterator[str]:
    """The address of a server that answers for ``account``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, document = account.answer(self.path, self.headers.get("Authorization", ""))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_line: object) -> None:
            """Nothing: pytest's output is for results."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
