"""Faults on command: what a network, a gateway or the API itself may do to a client.

A test adds faults to a running server's queue and each is used up by the next requests whose path matches:

    server.faults.add("/v1/workspace", faults.ErrorStatus(429, headers={"Retry-After": "1"}), times=2)

A fault gets the request's `RawExchange` and `ordinary`, which computes what would have been answered without it. Every
fault ends when the client goes or the server stops; none sleeps on its own clock. Ready-made changes of a table are in
`drift`.
"""

import threading
import zlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol

from elevenlabs_sync.simulator import jsontext
from elevenlabs_sync.simulator.answers import Answer
from tests.simulation.raw import RawExchange

Ordinary = Callable[[], Answer]
CHUNK = 64 * 1024


class Fault(Protocol):
    """One way to answer badly."""

    def respond(self, exchange: RawExchange, ordinary: Ordinary) -> None:
        """Answers the request, or breaks it off."""


@dataclass
class _Entry:
    path_prefix: str
    fault: Fault
    times: int | None
    after: int


class FaultQueue:
    """The faults that wait for matching requests; may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []

    def add(self, path_prefix: str, fault: Fault, times: int | None = 1, *, after: int = 0) -> None:
        """Lets the next `times` requests whose path starts with `path_prefix` meet `fault`; None = until `clear()`.

        The first `after` matching requests pass, counted from now on and whatever other fault they meet. Of several
        entries that match, the oldest acts first.
        """
        if times is not None and times < 1:
            raise ValueError("times must be at least 1")
        if after < 0:
            raise ValueError("after must not be negative")
        with self._lock:
            self._entries.append(_Entry(path_prefix, fault, times, after))

    def take(self, path: str) -> Fault | None:
        """The fault that a request for `path` meets, counted as used."""
        with self._lock:
            matching = [entry for entry in self._entries if path.startswith(entry.path_prefix)]
            taken = next((entry for entry in matching if entry.after == 0), None)
            for entry in matching:
                entry.after = max(0, entry.after - 1)
            if taken is None:
                return None
            if taken.times is not None:
                taken.times -= 1
                if taken.times == 0:
                    self._entries.remove(taken)
            return taken.fault

    def clear(self) -> None:
        """Forgets every fault that was not used yet."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        """How many entries are not used up."""
        with self._lock:
            return len(self._entries)


@dataclass(frozen=True)
class ErrorStatus:
    """An error of the API: `{"detail": {"status": code, "message": message}}`, or `detail` as given."""

    status: int
    code: str = "simulated_error"
    message: str = "A simulated error."
    headers: Mapping[str, str] = field(default_factory=dict)
    detail: object = None

    def respond(self, exchange: RawExchange, _ordinary: Ordinary) -> None:
        detail = {"status": self.code, "message": self.message} if self.detail is None else self.detail
        exchange.send_answer(Answer(self.status, {"detail": detail}, self.headers))


@dataclass(frozen=True)
class Html:
    """A page as gateways send it, with any status, 200 included."""

    status: int = 502

    def respond(self, exchange: RawExchange, _ordinary: Ordinary) -> None:
        page = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
        exchange.send(self.status, page, {"content-type": "text/html; charset=utf-8"})


@dataclass(frozen=True)
class CutConnection:
    """The ordinary answer with its right length announced, but the connection ends in the middle of the body."""

    def respond(self, exchange: RawExchange, ordinary: Ordinary) -> None:
        answer = ordinary()
        head = exchange.head(answer.status, {**answer.headers, "content-length": str(len(answer.body))})
        exchange.write(head + answer.body[: len(answer.body) // 2])


@dataclass(frozen=True)
class CutJson:
    """The first half of the ordinary answer, announced as if it were the whole."""

    def respond(self, exchange: RawExchange, ordinary: Ordinary) -> None:
        answer = ordinary()
        exchange.send(answer.status, answer.body[: len(answer.body) // 2], answer.headers)


@dataclass(frozen=True)
class EmptyBody:
    """A status, JSON by its headers, and nothing."""

    status: int = 200

    def respond(self, exchange: RawExchange, _ordinary: Ordinary) -> None:
        exchange.send(self.status, b"")


@dataclass(frozen=True)
class ContentType:
    """The ordinary answer under another content type."""

    content_type: str = "text/plain; charset=utf-8"

    def respond(self, exchange: RawExchange, ordinary: Ordinary) -> None:
        answer = ordinary()
        exchange.send(answer.status, answer.body, {**answer.headers, "content-type": self.content_type})


@dataclass(frozen=True)
class ConnectionReset:
    """No answer: the connection is reset (RST)."""

    def respond(self, exchange: RawExchange, _ordinary: Ordinary) -> None:
        exchange.reset()


@dataclass(frozen=True)
class Delay:
    """The ordinary answer, `seconds` late."""

    seconds: float

    def respond(self, exchange: RawExchange, ordinary: Ordinary) -> None:
        exchange.wait(self.seconds)
        exchange.send_answer(ordinary())


@dataclass(eq=False)
class Gate:
    """Nothing, until the test lets it pass: holds a request at a certain point, so that the test can act meanwhile.

    `reached` is set as soon as a request waits. After `release()` every request that meets the gate passes it and gets
    the ordinary answer as it is then, or with `stale` as it was when the request came; or it meets the fault `then`.
    """

    name: str = ""
    then: Fault | None = None
    stale: bool = False
    reached: threading.Event = field(default_factory=threading.Event, init=False)
    _released: threading.Event = field(default_factory=threading.Event, init=False)

    def release(self) -> None:
        """Opens the gate for good."""
        self._released.set()

    def respond(self, exchange: RawExchange, ordinary: Ordinary) -> None:
        answer = ordinary() if self.stale else None
        self.reached.set()
        exchange.wait_for(self._released)
        if self.then is not None:
            self.then.respond(exchange, ordinary if answer is None else lambda: answer)
        else:
            exchange.send_answer(answer or ordinary())


@dataclass(frozen=True)
class Drip:
    """The ordinary answer, headers at once and then one byte of the body every `interval` seconds."""

    interval: float = 1.0

    def respond(self, exchange: RawExchange, ordinary: Ordinary) -> None:
        answer = ordinary()
        exchange.write(exchange.head(answer.status, {**answer.headers, "content-length": str(len(answer.body))}))
        _drip(exchange, answer.body, self.interval)


@dataclass(frozen=True)
class DripHeaders:
    """The ordinary answer, one byte every `interval` seconds from the status line on."""

    interval: float = 1.0

    def respond(self, exchange: RawExchange, ordinary: Ordinary) -> None:
        answer = ordinary()
        head = exchange.head(answer.status, {**answer.headers, "content-length": str(len(answer.body))})
        _drip(exchange, head + answer.body, self.interval)


@dataclass(frozen=True)
class Endless:
    """A table whose rows never end: chunks until the client goes, or until `limit` bytes, where it is broken off."""

    limit: int = 600_000_000

    def respond(self, exchange: RawExchange, _ordinary: Ordinary) -> None:
        exchange.write(exchange.head(200, {"transfer-encoding": "chunked"}))
        opening = b'{"columns":["timestamp"],"column_types":["DateTime"],"column_units":[null],"rows":['
        exchange.write(_chunk(opening))
        row = b'["2026-01-01T00:00:00Z"],'
        rows = row * (CHUNK // len(row))
        sent = len(opening)
        while sent + len(rows) <= self.limit:
            exchange.write(_chunk(rows))
            sent += len(rows)


@dataclass(frozen=True)
class GzipBomb:
    """The ordinary answer behind `size` bytes of white space, compressed to about a thousandth of that.

    It is a correct gzip stream of correct JSON: only a client that counts what it unpacks notices.
    """

    size: int = 400_000_000

    def respond(self, exchange: RawExchange, ordinary: Ordinary) -> None:
        answer = ordinary()
        body = _gzip_behind_spaces(answer.body, self.size)
        exchange.send(answer.status, body, {**answer.headers, "content-encoding": "gzip"})


@dataclass(frozen=True)
class Redirect:
    """Sends the client elsewhere."""

    location: str
    status: int = 307

    def respond(self, exchange: RawExchange, _ordinary: Ordinary) -> None:
        exchange.send(self.status, b"", {"location": self.location})


@dataclass(frozen=True)
class Verbatim:
    """Text that goes into the JSON as it stands, for what no Python value can express (`1e400000`, `-0.0e5`)."""

    text: str


@dataclass(frozen=True)
class Transform:
    """The ordinary answer after `change`, which gets a copy of the document and returns the one to send.

    Numbers in it are Decimals (exact on the wire) or ints; `Verbatim("1e400")` puts any text in place of a value, and
    float("nan") becomes NaN. Errors are answered unchanged.
    """

    change: Callable[[Any], object]

    def respond(self, exchange: RawExchange, ordinary: Ordinary) -> None:
        answer = ordinary()
        if answer.status == 200:
            text = jsontext.encode(self.change(deepcopy(answer.document)), default=_verbatim)
            exchange.send(answer.status, text.encode(), answer.headers)
        else:
            exchange.send_answer(answer)


FAULTS: tuple[Callable[..., Fault], ...] = (
    ErrorStatus,
    Html,
    CutConnection,
    CutJson,
    EmptyBody,
    ContentType,
    ConnectionReset,
    Delay,
    Gate,
    Drip,
    DripHeaders,
    Endless,
    GzipBomb,
    Redirect,
)
"""Those that can be made of plain values; `Transform` needs a function."""


def _verbatim(value: object) -> str:
    return value.text if isinstance(value, Verbatim) else jsontext.no_json(value)


def _drip(exchange: RawExchange, data: bytes, interval: float) -> None:
    for offset in range(len(data)):
        exchange.write(data[offset : offset + 1])
        exchange.wait(interval)


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _gzip_behind_spaces(body: bytes, size: int) -> bytes:
    """One gzip member that unpacks to `size` spaces and `body`.

    A fully flushed piece of a deflate stream may be repeated, so a megabyte is compressed once for all its copies.
    """
    million = b" " * 1_000_000
    copies, rest = divmod(size, len(million))
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = packer.compress(million) + packer.flush(zlib.Z_FULL_FLUSH)
    ending = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    last = ending.compress(b" " * rest + body) + ending.flush()
    checksum = 0
    for _ in range(copies):
        checksum = zlib.crc32(million, checksum)
    checksum = zlib.crc32(b" " * rest + body, checksum)
    length = (size + len(body)) % 2**32
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return header + piece * copies + last + checksum.to_bytes(4, "little") + length.to_bytes(4, "little")
