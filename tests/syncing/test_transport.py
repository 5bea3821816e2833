"""The deadline of a whole request, over real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from syncing.transport import DeadlineTransport
from tests.factories import TODAY
from tests.simulation import EditedWorkspace, FaultySimulator, faults

SOON = 0.4


@pytest.fixture
def server() -> Iterator[FaultySimulator]:
    with FaultySimulator(EditedWorkspace(TODAY, history_days=3)) as running:
        yield running


@contextmanager
def listening(serve: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """The address of a socket server that does ``serve`` with its first connection, or never accepts one."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, _address = listener.accept()
            with connection:
                serve(connection, done)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        done.set()
        thread.join()


def get(url: str, *, seconds: float = SOON) -> httpx.Response:
    # No timeout of httpx's own: what ends the request is the deadline.
    with httpx.Client(transport=DeadlineTransport(seconds=seconds), timeout=None, trust_env=False) as client:  # noqa: S113
        return client.get(url)


def test_answer_in_time_is_passed_on(server: FaultySimulator) -> None:
    """A quick answer is the answer."""
    assert get(f"{server.base_url}/v1/models", seconds=30).status_code == 401


@pytest.mark.parametrize("fault", [faults.Drip(0.01), faults.DripHeaders(0.01), faults.Delay(60)], ids=str)
def test_dripping_or_silent_answer_is_ended(server: FaultySimulator, fault: faults.Fault) -> None:
    """Bytes that keep coming, of headers or of the body, do not move the deadline."""
    server.faults.add("/", fault)

    with pytest.raises(httpx.ReadTimeout):
        get(f"{server.base_url}/v1/models")


def test_server_that_never_answers_is_ended() -> None:
    """A connection that was taken and forgotten ends at the deadline."""

    def forget(_connection: socket.socket, done: threading.Event) -> None:
        done.wait()

    with listening(forget) as url, pytest.raises(httpx.ReadTimeout):
        get(url)


def test_server_that_never_reads_is_ended() -> None:
    """Writing is bounded as well."""

    def forget(_connection: socket.socket, done: threading.Event) -> None:
        done.wait()

    transport = DeadlineTransport(seconds=SOON)
    with (
        listening(forget) as url,
        httpx.Client(transport=transport, timeout=None, trust_env=False) as client,  # noqa: S113
        pytest.raises(httpx.TimeoutException),
    ):
        client.post(url, content=b"x" * 50_000_000)


def test_each_request_has_its_own_deadline(server: FaultySimulator) -> None:
    """After a request that ran out of time the next one begins anew, on the same client."""
    server.faults.add("/", faults.Delay(60))

    with httpx.Client(transport=DeadlineTransport(seconds=SOON), timeout=None, trust_env=False) as client:  # noqa: S113
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"{server.base_url}/v1/models")
        assert client.get(f"{server.base_url}/v1/models").status_code == 401


def test_shorter_timeout_of_a_phase_still_holds(server: FaultySimulator) -> None:
    """The deadline only ever shortens what a phase may take."""
    server.faults.add("/", faults.Delay(60))

    with (
        httpx.Client(transport=DeadlineTransport(seconds=600), timeout=0.2, trust_env=False) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get(f"{server.base_url}/v1/models")


def test_time_that_is_over_ends_the_connecting() -> None:
    """With nothing left of the time not even a connection is made."""
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(httpx.TimeoutException):
        get(f"http://127.0.0.1:{listener.getsockname()[1]}", seconds=0)


def test_tls_handshake_is_bounded() -> None:
    """A server that accepts and then says nothing of TLS is ended too."""

    def forget(_connection: socket.socket, done: threading.Event) -> None:
        done.wait()

    with listening(forget) as url, pytest.raises(httpx.TimeoutException):
        get(url.replace("http:", "https:"))
