"""The server itself: start and stop, routing, records, and what it refuses to do."""

import http.client
import logging
import socket
import threading
from collections.abc import Callable
from datetime import date, timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from elevenlabs_sync.simulator import SIMULATED_API_KEY, SimulatedWorkspace, SimulatorServer
from elevenlabs_sync.simulator.answers import Answer
from elevenlabs_sync.simulator.exchange import Exchange
from elevenlabs_sync.simulator.request import Request
from elevenlabs_sync.simulator.routes import MODELS_PATH, SERVICE_ACCOUNTS_PATH, SUBSCRIPTION_PATH, USAGE_PATH
from elevenlabs_sync.simulator.server import LARGEST_REQUEST
from tests.simulation.calls import TLS, TODAY, get, post_usage, usage_body

BODY = usage_body(date(2026, 9, 1), date(2026, 9, 8))


def simulator_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("simulator")]


def test_it_listens_on_a_free_loopback_port(server: SimulatorServer) -> None:
    """The base URL is plain HTTP on loopback with the port that was found free."""
    url = urlsplit(server.base_url)

    assert (url.scheme, url.hostname, url.path) == ("http", "127.0.0.1", "")
    assert url.port


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "::1", "example.com", "", "10.0.0.1"])
def test_other_hosts_are_refused(workspace: SimulatedWorkspace, host: str) -> None:
    """Only IPv4 loopback will do, whatever a caller asks for."""
    with pytest.raises(ValueError, match="loopback"):
        SimulatorServer(workspace, host=host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2"])
def test_loopback_hosts_are_accepted(workspace: SimulatedWorkspace, host: str) -> None:
    """Every name for IPv4 loopback serves."""
    with SimulatorServer(workspace, host=host) as server:
        response = get(server, MODELS_PATH)

    assert response.status_code == 200


def test_stopping_leaves_no_thread_and_no_socket(workspace: SimulatedWorkspace) -> None:
    """After stop nothing runs and the port is free, although a client kept its connection open."""
    server = SimulatorServer(workspace)
    server.start()
    address = urlsplit(server.base_url)
    with httpx.Client(verify=TLS) as client:
        client.get(server.base_url + MODELS_PATH)

        server.stop()

    assert simulator_threads() == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname or "", address.port or 0))


def test_a_server_can_be_stopped_twice_and_started_again(workspace: SimulatedWorkspace) -> None:
    """stop is idempotent, and a stopped server starts anew."""
    server = SimulatorServer(workspace)
    server.start()
    server.stop()
    server.stop()

    with server:
        response = get(server, MODELS_PATH)

    assert response.status_code == 200


def test_a_running_server_cannot_be_started(server: SimulatorServer) -> None:
    """Starting twice is an error of the caller."""
    with pytest.raises(RuntimeError, match="already running"):
        server.start()


def test_a_server_that_does_not_run_has_no_address(workspace: SimulatedWorkspace) -> None:
    """Before start there is no base URL."""
    server = SimulatorServer(workspace)

    with pytest.raises(RuntimeError, match="not running"):
        _ = server.base_url


def test_a_taken_port_is_an_error_without_leftovers(server: SimulatorServer, workspace: SimulatedWorkspace) -> None:
    """A second server on the same port fails to start and leaves nothing open."""
    second = SimulatorServer(workspace, port=urlsplit(server.base_url).port or 0)

    with pytest.raises(OSError, match="in use"):
        second.start()

    assert len(simulator_threads()) == 1


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/user", MODELS_PATH + "/", f"{SERVICE_ACCOUNTS_PATH}/nobody/api-keys", "/../etc/passwd"]
)
def test_an_unknown_path_is_not_found(server: SimulatorServer, path: str) -> None:
    """404 comes with the framework's plain detail."""
    response = get(server, path)

    assert response.status_code == 404
    assert response.json() == {"detail": "Not Found"}


def test_a_wrong_method_is_refused(server: SimulatorServer) -> None:
    """A known path asked with another method is 405."""
    responses = [get(server, USAGE_PATH), httpx.delete(server.base_url + SUBSCRIPTION_PATH, verify=TLS)]

    assert [response.status_code for response in responses] == [405, 405]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"{" * 10])
def test_a_body_that_is_no_json_is_refused(server: SimulatorServer, content: bytes) -> None:
    """Broken JSON gets the validation shape."""
    headers = {"xi-api-key": SIMULATED_API_KEY}

    response = httpx.post(server.base_url + USAGE_PATH, content=content, headers=headers, verify=TLS)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][0] == "body"


def test_a_huge_body_is_not_read(server: SimulatorServer) -> None:
    """A body larger than any query is refused unread, and the connection ends."""
    url = urlsplit(server.base_url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=5)
    connection.putrequest("POST", USAGE_PATH)
    connection.putheader("xi-api-key", SIMULATED_API_KEY)
    connection.putheader("content-length", str(LARGEST_REQUEST + 1))
    connection.endheaders()

    response = connection.getresponse()

    assert response.status == 422
    assert response.getheader("connection") == "close"
    response.close()
    connection.close()


def test_a_connection_serves_many_requests(server: SimulatorServer) -> None:
    """HTTP/1.1 keeps the connection, errors included, so a client's pool is exercised."""
    with httpx.Client(verify=TLS, headers={"xi-api-key": SIMULATED_API_KEY}) as client:
        statuses = [client.get(server.base_url + path).status_code for path in (MODELS_PATH, "/nothing", MODELS_PATH)]

        assert len([thread for thread in simulator_threads() if thread.name == "simulator-connection"]) == 1

    assert statuses == [200, 404, 200]


def test_a_callable_workspace_is_asked_for_every_request() -> None:
    """A server whose day rolls over answers for the new day without a restart."""
    days = iter([TODAY, TODAY + timedelta(days=1)])
    make: Callable[[], SimulatedWorkspace] = lambda: SimulatedWorkspace(next(days))  # noqa: E731
    body = usage_body(TODAY, TODAY + timedelta(days=1), group_by=[])

    with SimulatorServer(make) as server:
        today, tomorrow = (post_usage(server, body).json()["rows"][0] for _ in range(2))

    assert today[1] < tomorrow[1]


def test_a_subclass_may_say_something_else(workspace: SimulatedWorkspace) -> None:
    """What `answer` gives for a request is what is sent, with its status and headers."""

    class Closed(SimulatorServer):
        def answer(self, request: Request) -> Answer:
            return Answer(503, {"asked": request.path}, {"Retry-After": "7"})

    with Closed(workspace) as server:
        response = get(server, "/v1/anything")

    assert (response.status_code, response.json()) == (503, {"asked": "/v1/anything"})
    assert response.headers["retry-after"] == "7"


def test_a_subclass_may_leave_a_request_unanswered(workspace: SimulatedWorkspace) -> None:
    """`respond` has the connection to itself: where nothing is sent and it is not kept, the client sees its end."""

    class Silent(SimulatorServer):
        def respond(self, request: Request, exchange: Exchange) -> None:
            exchange.keeps_connection = request.path != MODELS_PATH

    with Silent(workspace) as server:
        for _ in range(2):
            with pytest.raises(httpx.RemoteProtocolError):
                get(server, MODELS_PATH)


def test_nothing_is_logged_above_debug_and_never_the_key(
    server: SimulatorServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Requests leave no trace on stderr; at DEBUG there are lines without the key."""
    caplog.set_level(logging.DEBUG, logger="elevenlabs_sync.simulator")

    post_usage(server, BODY)

    records = [record for record in caplog.records if record.name.startswith("elevenlabs_sync.simulator")]
    assert {record.levelno for record in records} <= {logging.DEBUG}
    assert SIMULATED_API_KEY not in caplog.text
    assert capfd.readouterr().err == ""
