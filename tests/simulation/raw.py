"""What faults do to a connection besides sending whole answers: raw bytes, waiting, breaking it off."""

import socket
import struct
import threading
from collections.abc import Mapping

from elevenlabs_sync.simulator.answers import Answer
from elevenlabs_sync.simulator.exchange import Exchange

LOOK_EVERY = 0.01
"""Seconds between looks at an event while waiting for either it or the server's end."""


class StoppingError(ConnectionError):
    """The server stops, so nobody waits for the rest of this answer."""


class RawExchange:
    """An exchange on which anything may be sent.

    Every method may raise OSError when the client has gone.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Sends one whole answer with its length; it is JSON unless `headers` say something else."""
        self._exchange.send(status, body, headers)

    def send_answer(self, answer: Answer) -> None:
        """Sends one whole JSON answer."""
        self._exchange.send_answer(answer)

    def head(self, status: int, headers: Mapping[str, str]) -> bytes:
        """Status line and header lines for a body that the caller sends by `write`; the connection ends after it."""
        self._exchange.keeps_connection = False
        return self._exchange.head(status, headers)

    def write(self, data: bytes) -> None:
        """Sends bytes as they are; the connection ends after them."""
        self._exchange.keeps_connection = False
        self._exchange.connection.sendall(data)

    def wait(self, seconds: float) -> None:
        """Sleeps, but not longer than the server lives: raises StoppingError as soon as it is stopped."""
        if self._exchange.stopping.wait(seconds):
            raise StoppingError

    def wait_for(self, event: threading.Event) -> None:
        """Waits until `event` is set, but not longer than the server lives: raises StoppingError then."""
        while not event.is_set():
            self.wait(LOOK_EVERY)

    def reset(self) -> None:
        """Ends the connection with RST instead of FIN, so that the client sees "connection reset by peer"."""
        self._exchange.keeps_connection = False
        # Lingering for zero seconds is what makes the kernel send RST. The reader holds the socket open until closed.
        self._exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._exchange.reader.close()
        self._exchange.connection.close()
