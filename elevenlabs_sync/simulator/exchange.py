"""One request's connection, as seen by whoever answers it: whole answers, raw bytes, waiting, breaking it off.

It knows sockets and the form of HTTP; what is answered is decided in `server` and `faults`.
"""

import socket
import struct
import threading
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from io import BufferedIOBase

from elevenlabs_sync.simulator.answers import Answer

JSON = "application/json"
LOOK_EVERY = 0.01
"""Seconds between looks at an event while waiting for either it or the server's end."""


class StoppingError(Exception):
    """The server stops, so nobody waits for the rest of this answer."""


class Exchange:
    """Answers one request on `connection`.

    `keeps_connection` says whether another request may follow; it becomes False as soon as something other than a
    whole, well-formed answer was sent. Every method may raise OSError when the client has gone.
    """

    def __init__(
        self, connection: socket.socket, reader: BufferedIOBase, stopping: threading.Event, *, keeps_connection: bool
    ) -> None:
        self.keeps_connection = keeps_connection
        self._connection = connection
        self._reader = reader
        self._stopping = stopping

    def send(
        self, status: int, body: bytes, *, content_type: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        """Sends one whole answer with its length."""
        given = {name.lower(): value for name, value in (headers or {}).items()}
        lines = {"content-type": content_type, "content-length": str(len(body)), **given}
        self._connection.sendall(self._head(status, lines) + body)

    def send_answer(self, answer: Answer) -> None:
        """Sends one whole JSON answer."""
        self.send(answer.status, answer.body, headers=answer.headers)

    def raw_head(self, status: int, headers: Mapping[str, str]) -> bytes:
        """Status line and header lines for a body that the caller sends by `write`; the connection ends after it."""
        self.keeps_connection = False
        return self._head(status, {"content-type": JSON, **headers})

    def write(self, data: bytes) -> None:
        """Sends bytes as they are; the connection ends after them."""
        self.keeps_connection = False
        self._connection.sendall(data)

    def wait(self, seconds: float) -> None:
        """Sleeps, but not longer than the server lives: raises StoppingError as soon as it is stopped."""
        if self._stopping.wait(seconds):
            self.keeps_connection = False
            raise StoppingError

    def wait_for(self, event: threading.Event) -> None:
        """Waits until `event` is set, but not longer than the server lives: raises StoppingError then."""
        while not event.is_set():
            self.wait(LOOK_EVERY)

    def reset(self) -> None:
        """Ends the connection with RST instead of FIN, so that the client sees "connection reset by peer"."""
        self.keeps_connection = False
        # Lingering for zero seconds is what makes the kernel send RST. The reader holds the socket open until closed.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._reader.close()
        self._connection.close()

    def _head(self, status: int, headers: Mapping[str, str]) -> bytes:
        lines = [f"HTTP/1.1 {status} {_phrase(status)}", f"date: {formatdate(usegmt=True)}"]
        lines.extend(f"{name}: {value}" for name, value in headers.items())
        if not self.keeps_connection:
            lines.append("connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
