"""One request's connection, as seen by whoever answers it.

It knows sockets and the form of HTTP; what is answered is decided in `server`.
"""

import http.client
import socket
import threading
from collections.abc import Mapping
from email.utils import formatdate
from io import BufferedIOBase

from elevenlabs_sync.simulator.answers import Answer


class Exchange:
    """Answers one request on `connection`, whose other half, `reader`, holds the socket open until it is closed too.

    `keeps_connection` says whether another request may follow; whoever sends anything but whole, well-formed answers
    makes it False first. `stopping` is set when the server ends, after which the rest of an answer is not awaited.
    Every method may raise OSError when the client has gone.
    """

    def __init__(
        self, connection: socket.socket, reader: BufferedIOBase, stopping: threading.Event, *, keeps_connection: bool
    ) -> None:
        self.connection = connection
        self.reader = reader
        self.stopping = stopping
        self.keeps_connection = keeps_connection

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Sends one whole answer with its length; it is JSON unless `headers` say something else."""
        self.connection.sendall(self.head(status, {"content-length": str(len(body)), **(headers or {})}) + body)

    def send_answer(self, answer: Answer) -> None:
        """Sends one whole JSON answer."""
        self.send(answer.status, answer.body, answer.headers)

    def head(self, status: int, headers: Mapping[str, str]) -> bytes:
        """The status line and the header lines, up to where the body begins."""
        named = {"content-type": "application/json", **{name.lower(): value for name, value in headers.items()}}
        lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, '')}", f"date: {formatdate(usegmt=True)}"]
        lines.extend(f"{name}: {value}" for name, value in named.items())
        if not self.keeps_connection:
            lines.append("connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
