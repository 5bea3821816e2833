"""The HTTP server of the simulator: reading requests, and a start and stop that leave nothing behind.

What is answered comes from `routes`. Loopback only: its keys are public and it must never be mistaken for a service.
"""

import ipaddress
import json
import logging
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from elevenlabs_sync.simulator import access, routes
from elevenlabs_sync.simulator.answers import Answer, plain_error
from elevenlabs_sync.simulator.exchange import Exchange
from elevenlabs_sync.simulator.request import UNREADABLE, Request
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace

logger = logging.getLogger(__name__)

LARGEST_REQUEST = 1_000_000

WorkspaceSource = SimulatedWorkspace | Callable[[], SimulatedWorkspace]


class SimulatorServer:
    """Serves a workspace at `base_url` between `start()` and `stop()`; also a context manager.

    `workspace` may be a callable, which is then called once per request. `host` must be an IPv4 loopback address or
    "localhost" (ValueError otherwise); port 0 takes a free one. `keys` (key to permissions) and `workspace` may be
    changed while the server runs: deleting a key revokes it. A subclass may override `answer`, to say something else
    than the API would, and `respond`, to do something else with a request than answering it.
    """

    def __init__(
        self,
        workspace: WorkspaceSource,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        keys: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._address = (_loopback(host), port)
        self.workspace = workspace
        self.keys: dict[str, Collection[str]] = dict(access.DEFAULT_KEYS if keys is None else keys)
        self._http: _HTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """Address without a slash at the end, e.g. `http://127.0.0.1:9000`; RuntimeError when not running."""
        if self._http is None:
            raise RuntimeError("the simulator is not running")
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Binds the port and serves in a daemon thread; OSError when the port is taken."""
        if self._http is not None:
            raise RuntimeError("the simulator is already running")
        self._http = _HTTPServer(self._address, self)
        self._thread = threading.Thread(target=self._http.serve, name="simulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends every connection, waits for every thread and frees the port; does nothing when not running."""
        http, thread = self._http, self._thread
        if http is None or thread is None:
            return
        http.leave()
        thread.join()
        http.end_connections()
        http.server_close()
        self._http = self._thread = None

    def close_after_fork(self) -> None:
        """In a forked child: closes the inherited socket. The threads exist only in the parent and go on there."""
        if self._http is not None:
            self._http.socket.close()
            self._http = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def respond(self, request: Request, exchange: Exchange) -> None:
        """Answers a request on its connection, in that connection's thread; may raise OSError."""
        exchange.send_answer(self.answer(request))

    def answer(self, request: Request) -> Answer:
        """What the API says to a request."""
        return routes.answer(request, self.keys, self.current_workspace())

    def current_workspace(self) -> SimulatedWorkspace:
        """The workspace as it is for a request that arrives now."""
        return self.workspace() if callable(self.workspace) else self.workspace


class _HTTPServer(ThreadingHTTPServer):
    """One daemon thread per connection, all of them known, so that stopping can end and await them.

    The base class only knows threads that would keep a process from exiting.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # with the base class's 5, clients that come together wait a second for their SYN

    def __init__(self, address: tuple[str, int], simulator: SimulatorServer) -> None:
        self.simulator = simulator
        self.stopping = threading.Event()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own version asks the resolver for the host's full name, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self._address_text()

    def serve(self) -> None:
        """Serves until `leave()`. Unlike `serve_forever` this neither wakes up to look, nor needs time to end."""
        while not self.stopping.is_set():
            self.handle_request()

    def leave(self) -> None:
        """Ends `serve()`, which waits for a connection: so it gets one, which `verify_request` turns away."""
        self.stopping.set()
        with socket.create_connection(self._address_text()):
            logger.debug("stopping")

    def verify_request(self, _request: Any, _client_address: Any) -> bool:
        return not self.stopping.is_set()

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="simulator-connection",
            daemon=True,
        )
        with self._lock:
            self._connections[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)

    def end_connections(self) -> None:
        """Wakes every thread that reads from or writes to a client, and waits for it."""
        with self._lock:
            connections = dict(self._connections)
        for thread, connection in connections.items():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                logger.debug("a connection was closed already")
            thread.join()

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        logger.debug("a connection ended early: %r", sys.exc_info()[1])

    def _address_text(self) -> tuple[str, int]:
        host, port = self.server_address[:2]
        return str(host), int(port)


class _Handler(BaseHTTPRequestHandler):
    """Reads one request after the other from a connection and answers each."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HTTPServer

    def _respond(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, url.path, url.query, headers, self._read_body())
        exchange = Exchange(
            self.connection, self.rfile, self.server.stopping, keeps_connection=not self.close_connection
        )
        try:
            self.server.simulator.respond(request, exchange)
        except OSError:
            exchange.keeps_connection = False
            logger.debug("the answer to %s %s was broken off", request.method, request.path)
        except Exception:
            logger.exception("the simulator failed at %s %s", request.method, request.path)
            exchange.keeps_connection = False
            exchange.send_answer(plain_error(500, "Internal Server Error"))
        self.close_connection = not exchange.keeps_connection

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond  # noqa: N815 – the base class gives the names

    def _read_body(self) -> object:
        """The request's JSON; None without a body, `UNREADABLE` when it is no JSON or too large to be meant."""
        text = self.headers.get("content-length", "0")
        length = int(text) if text.isascii() and text.isdigit() else 0
        if length > LARGEST_REQUEST or "transfer-encoding" in self.headers:
            # What was not read would be taken for the next request.
            self.close_connection = True
            return UNREADABLE
        data = self.rfile.read(length)
        if not data:
            return None
        try:
            return json.loads(data)
        except ValueError:
            return UNREADABLE

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 – the base class gives the name
        logger.debug(format, *args)


def _loopback(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        raise ValueError("the simulator needs an IPv4 address of this machine's loopback") from None
    if not address.is_loopback:
        raise ValueError("the simulator listens on loopback addresses only")
    return str(address)
