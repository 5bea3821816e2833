"""An httpx transport that ends a whole request at a deadline.

httpx's timeouts are per read: an answer that drips a byte a second passes them for ever, headers included. This one
bounds every connect, TLS handshake, write and read by what is left of the request's time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cache
from ssl import SSLContext
from typing import Any

import httpcore
import httpx


@cache
def _ssl_context() -> SSLContext:
    """Reading the certificates takes longer than many a request: once a process."""
    return httpx.create_ssl_context()


class _Deadline:
    """The moment (monotonic seconds) by which the running request must be over."""

    def __init__(self) -> None:
        self.at = float("inf")

    def left(self, timeout: float | None) -> float:
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("The request took too long as a whole.")
        return left if timeout is None else min(timeout, left)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _DeadlineStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _DeadlineBackend(httpcore.SyncBackend):
    def __init__(self, deadline: _Deadline, address: str | None) -> None:
        super().__init__()
        self._deadline = deadline
        self._address = address

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = super().connect_tcp(
            self._address or host, port, self._deadline.left(timeout), local_address, socket_options
        )
        return _DeadlineStream(stream, self._deadline)


class DeadlineTransport(httpx.HTTPTransport):
    """For one request at a time: each one, its answer's body included, ends after ``seconds``.

    Past them every operation raises httpx.ReadTimeout. With ``address`` it connects there, whatever the host's name
    resolves to; certificates are still those of the name.
    """

    def __init__(self, *, seconds: float, address: str | None = None) -> None:
        super().__init__(verify=_ssl_context(), retries=0)
        self._seconds = seconds
        self._deadline = _Deadline()
        # httpx has no public way to give its transport a network backend (httpx 0.28); a test holds this in place.
        self._pool = httpcore.ConnectionPool(
            ssl_context=_ssl_context(),
            max_connections=1,
            network_backend=_DeadlineBackend(self._deadline, address),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._deadline.at = time.monotonic() + self._seconds
        return super().handle_request(request)
