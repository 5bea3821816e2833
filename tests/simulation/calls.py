"""How the tests ask the simulator for usage, and read the answer without losing a digit."""

import json
import socket
import ssl
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from elevenlabs_sync.simulator import SIMULATED_API_KEY, SimulatorServer
from elevenlabs_sync.simulator.routes import COST_PATH, USAGE_PATH

TODAY = date(2026, 9, 20)
BY_KEY_AND_MODEL = ["hashed_xi_api_key", "model"]

Known = TypeVar("Known")

TLS = ssl.create_default_context()
"""Unused on loopback, but httpx would read the certificates again for every request."""


def milliseconds(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp()) * 1000


def usage_body(start: date, end: date, **overrides: object) -> dict[str, object]:
    body: dict[str, object] = {
        "start_time": milliseconds(start),
        "end_time": milliseconds(end),
        "interval_seconds": 86_400,
        "group_by": BY_KEY_AND_MODEL,
    }
    return {**body, **overrides}


def post_usage(
    server: SimulatorServer, body: object, *, key: str | None = SIMULATED_API_KEY, timeout: float = 5
) -> httpx.Response:
    headers = {} if key is None else {"xi-api-key": key}
    return httpx.post(server.base_url + USAGE_PATH, json=body, headers=headers, timeout=timeout, verify=TLS)


def post_cost(server: SimulatorServer, body: object, *, key: str = SIMULATED_API_KEY) -> httpx.Response:
    return httpx.post(server.base_url + COST_PATH, json=body, headers={"xi-api-key": key}, timeout=5, verify=TLS)


def get(server: SimulatorServer, path: str, *, key: str | None = SIMULATED_API_KEY) -> httpx.Response:
    headers = {} if key is None else {"xi-api-key": key}
    return httpx.get(server.base_url + path, headers=headers, timeout=5, verify=TLS)


def exact(response: httpx.Response) -> Any:
    return json.loads(response.text, parse_float=Decimal)


def records(document: Any) -> list[dict[str, Any]]:
    return [dict(zip(document["columns"], row, strict=True)) for row in document["rows"]]


def within(rows: list[dict[str, Any]], start: date, end: date) -> list[dict[str, Any]]:
    """The rows of `[start, end)`: what a client keeps of an answer."""
    return [row for row in rows if start <= date.fromisoformat(row["timestamp"][:10]) < end]


def raw_usage_request(server: SimulatorServer, body: object) -> socket.socket:
    """A connection on which the usage request was just sent; it ends with the answer."""
    url = urlsplit(server.base_url)
    data = json.dumps(body).encode()
    connection = socket.create_connection((url.hostname or "", url.port or 0), timeout=5)
    head = f"POST {USAGE_PATH} HTTP/1.1\r\nhost: simulator\r\nconnection: close\r\nxi-api-key: {SIMULATED_API_KEY}\r\n"
    connection.sendall(f"{head}content-length: {len(data)}\r\n\r\n".encode() + data)
    return connection


def read_all(connection: socket.socket) -> bytes:
    """Everything up to the connection's end."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def known(number: Known | None) -> Known:
    assert number is not None
    return number
