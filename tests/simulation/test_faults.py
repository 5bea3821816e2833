"""Each fault does on the socket what its name says."""

import gzip
import json
import threading
import time
from collections.abc import Callable
from datetime import date

import httpx
import pytest

from elevenlabs_sync.simulator.routes import MODELS_PATH, USAGE_PATH
from tests.simulation import FaultySimulator, faults
from tests.simulation.calls import TLS, exact, get, post_usage, raw_usage_request, read_all, usage_body

BODY = usage_body(date(2026, 9, 1), date(2026, 9, 8))


def head_of(answer: bytes) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers and body of a raw answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    return status, dict(line.split(": ", 1) for line in lines), body


def test_a_fault_is_used_up_after_its_times(server: FaultySimulator) -> None:
    """The first requests meet the fault, the next ones are ordinary."""
    server.faults.add(USAGE_PATH, faults.ErrorStatus(500), times=2)

    statuses = [post_usage(server, BODY).status_code for _ in range(3)]

    assert statuses == [500, 500, 200]
    assert len(server.faults) == 0


def test_a_fault_meets_only_its_path(server: FaultySimulator) -> None:
    """Requests for other paths pass a waiting fault by."""
    server.faults.add("/v1/workspace", faults.ErrorStatus(500))

    other, matching = get(server, MODELS_PATH), post_usage(server, BODY)

    assert (other.status_code, matching.status_code) == (200, 500)


def test_the_oldest_matching_fault_acts_first(server: FaultySimulator) -> None:
    """Faults are met in the order in which they were added."""
    for status in (429, 503, 500):
        server.faults.add("/", faults.ErrorStatus(status))

    statuses = [get(server, MODELS_PATH).status_code for _ in range(4)]

    assert statuses == [429, 503, 500, 200]


def test_a_fault_without_number_lasts_until_cleared(server: FaultySimulator) -> None:
    """times=None means every request, until the queue is cleared."""
    server.faults.add("/", faults.ErrorStatus(500), times=None)

    during = [get(server, MODELS_PATH).status_code for _ in range(3)]
    server.faults.clear()

    assert during == [500, 500, 500]
    assert get(server, MODELS_PATH).status_code == 200


def test_a_fault_for_no_request_is_refused(server: FaultySimulator) -> None:
    """Zero times is a mistake of the caller."""
    with pytest.raises(ValueError, match="times"):
        server.faults.add("/", faults.ErrorStatus(500), times=0)


def test_many_threads_share_the_queue_fairly(server: FaultySimulator) -> None:
    """Under concurrent requests a fault acts exactly as often as told."""
    server.faults.add("/", faults.ErrorStatus(500), times=10)
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(get(server, MODELS_PATH).status_code)) for _ in range(20)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] * 10 + [500] * 10


@pytest.mark.parametrize("retry_after", ["3", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999", "soon"])
def test_an_error_carries_code_message_and_headers(server: FaultySimulator, retry_after: str) -> None:
    """A status fault has the API's error shape and any Retry-After."""
    fault = faults.ErrorStatus(429, "rate_limit_exceeded", "Slow down.", headers={"Retry-After": retry_after})
    server.faults.add(USAGE_PATH, fault)

    response = post_usage(server, BODY)

    assert response.status_code == 429
    assert response.headers["retry-after"] == retry_after
    assert response.json() == {"detail": {"status": "rate_limit_exceeded", "message": "Slow down."}}


def test_an_error_can_have_any_detail(server: FaultySimulator) -> None:
    """The detail may be replaced, and the status may be one that no registry knows."""
    server.faults.add(USAGE_PATH, faults.ErrorStatus(599, detail="Not Found"))

    response = post_usage(server, BODY)

    assert (response.status_code, response.json()) == (599, {"detail": "Not Found"})


@pytest.mark.parametrize("status", [200, 502])
def test_html_is_a_page(server: FaultySimulator, status: int) -> None:
    """A gateway's page comes as HTML with the given status."""
    server.faults.add(USAGE_PATH, faults.Html(status))

    response = post_usage(server, BODY)

    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    assert response.text.startswith("<!DOCTYPE html>")


def test_a_cut_connection_promises_more_than_it_sends(server: FaultySimulator) -> None:
    """The announced length is that of the whole answer, half of which arrives before the connection ends."""
    whole = post_usage(server, BODY).content
    server.faults.add(USAGE_PATH, faults.CutConnection())

    with raw_usage_request(server, BODY) as connection:
        status, headers, body = head_of(read_all(connection))

    assert status == "HTTP/1.1 200 OK"
    assert headers["content-length"] == str(len(whole))
    assert body == whole[: len(whole) // 2]


def test_a_client_notices_a_cut_connection(server: FaultySimulator) -> None:
    """httpx reports the missing bytes as a protocol error."""
    server.faults.add(USAGE_PATH, faults.CutConnection())

    with pytest.raises(httpx.RemoteProtocolError):
        post_usage(server, BODY)


def test_cut_json_is_only_noticed_by_a_json_reader(server: FaultySimulator) -> None:
    """The length fits the half that is sent, which is no JSON."""
    server.faults.add(USAGE_PATH, faults.CutJson())

    response = post_usage(server, BODY)

    assert response.status_code == 200
    assert response.headers["content-length"] == str(len(response.content))
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_an_empty_body_is_empty(server: FaultySimulator) -> None:
    """200 and JSON by its headers, without a byte."""
    server.faults.add(USAGE_PATH, faults.EmptyBody())

    response = post_usage(server, BODY)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/json"


def test_a_wrong_content_type_has_the_right_body(server: FaultySimulator) -> None:
    """Only the header is wrong."""
    ordinary = post_usage(server, BODY).content
    server.faults.add(USAGE_PATH, faults.ContentType("text/plain"))

    response = post_usage(server, BODY)

    assert response.headers.get_list("content-type") == ["text/plain"]
    assert response.content == ordinary


def test_a_reset_connection_is_reset(server: FaultySimulator) -> None:
    """The client's kernel sees RST, not an orderly end."""
    server.faults.add(USAGE_PATH, faults.ConnectionReset())

    with raw_usage_request(server, BODY) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_a_delayed_answer_comes_late_and_whole(server: FaultySimulator) -> None:
    """Nothing comes before the delay is over, then the ordinary answer."""
    server.faults.add(USAGE_PATH, faults.Delay(0.15))
    began = time.monotonic()

    response = post_usage(server, BODY)

    assert time.monotonic() - began >= 0.15
    assert response.json()["rows"]


def test_a_delay_outlasts_a_clients_patience(server: FaultySimulator) -> None:
    """A client with a shorter timeout gives up."""
    server.faults.add(USAGE_PATH, faults.Delay(600))

    with pytest.raises(httpx.ReadTimeout):
        post_usage(server, BODY, timeout=0.1)


def test_a_dripping_body_passes_a_timeout_per_read(server: FaultySimulator) -> None:
    """Headers come at once, then bytes one by one, each within a read timeout that the whole would exceed."""
    server.faults.add(USAGE_PATH, faults.Drip(0.05))
    timeout = 0.4
    parts = []
    began = time.monotonic()

    with httpx.stream("POST", server.base_url + USAGE_PATH, json=BODY, timeout=timeout, verify=TLS) as response:
        for part in response.iter_raw():
            parts.append(part)
            if time.monotonic() - began > timeout:
                break

    assert response.headers["content-length"].isdigit()
    assert {len(part) for part in parts} == {1}
    assert len(parts) > 2


def test_dripping_headers_never_show_a_status_soon(server: FaultySimulator) -> None:
    """The status line itself comes byte by byte."""
    server.faults.add(USAGE_PATH, faults.DripHeaders(0.02))

    with raw_usage_request(server, BODY) as connection:
        received = b"".join(connection.recv(65_536) for _ in range(4))

    assert received in [b"HTTP/1.1 200"[:length] for length in range(4, 12)]


def test_an_endless_body_goes_on_as_long_as_the_client_reads(server: FaultySimulator) -> None:
    """The client gets far more than any answer would hold, and the server's thread ends when it goes."""
    server.faults.add(USAGE_PATH, faults.Endless())
    received = 0

    with raw_usage_request(server, BODY) as connection:
        while received < 5_000_000:
            received += len(connection.recv(1_000_000))

    assert wait_until(lambda: not any(thread.name == "simulator-connection" for thread in threading.enumerate()))


def test_an_endless_body_has_an_end_for_the_machines_sake(server: FaultySimulator) -> None:
    """At its limit the body is broken off without the mark that ends a chunked answer."""
    server.faults.add(USAGE_PATH, faults.Endless(limit=300_000))

    with raw_usage_request(server, BODY) as connection:
        _, headers, body = head_of(read_all(connection))

    assert headers["transfer-encoding"] == "chunked"
    assert 200_000 < len(body) <= 300_500
    assert not body.endswith(b"0\r\n\r\n")


def test_a_gzip_bomb_is_small_and_unpacks_to_a_valid_answer(server: FaultySimulator) -> None:
    """A thousandth of the size travels; unpacked it is white space and the ordinary answer."""
    ordinary = post_usage(server, BODY).content
    server.faults.add(USAGE_PATH, faults.GzipBomb(5_500_000))

    with raw_usage_request(server, BODY) as connection:
        _, headers, body = head_of(read_all(connection))

    unpacked = gzip.decompress(body)
    assert headers["content-encoding"] == "gzip"
    assert len(body) < 30_000
    assert len(unpacked) == 5_500_000 + len(ordinary)
    assert unpacked.lstrip() == ordinary


def test_a_large_gzip_bomb_is_small_on_the_wire() -> None:
    """400 MB take less than a megabyte."""
    assert len(faults._gzip_behind_spaces(b"{}", 400_000_000)) < 1_000_000


def test_a_redirect_names_another_place(server: FaultySimulator) -> None:
    """The answer sends the client to the given address and has no body."""
    server.faults.add(USAGE_PATH, faults.Redirect("http://127.0.0.1:9/elsewhere", 302))

    response = post_usage(server, BODY)

    assert response.status_code == 302
    assert response.headers["location"] == "http://127.0.0.1:9/elsewhere"
    assert response.content == b""


def test_the_connection_goes_on_after_a_whole_answer(server: FaultySimulator) -> None:
    """Faults that are well-formed HTTP keep the connection; the answer after them is right."""
    server.faults.add(USAGE_PATH, faults.ErrorStatus(503))

    with httpx.Client(verify=TLS, headers={"xi-api-key": "sk_"}) as client:
        refused = client.post(server.base_url + USAGE_PATH, json=BODY)
        after = client.post(server.base_url + USAGE_PATH, json=BODY)

    assert (refused.status_code, after.status_code) == (503, 401)
    assert "connection" not in refused.headers


def test_faults_are_recorded_like_any_request(server: FaultySimulator) -> None:
    """A request that met a fault is among the recorded ones."""
    server.faults.add(USAGE_PATH, faults.ConnectionReset())

    with pytest.raises(httpx.ReadError):
        post_usage(server, BODY)

    assert [request.path for request in server.requests] == [USAGE_PATH]
    assert exact(post_usage(server, BODY))["rows"]


def wait_until(condition: Callable[[], bool], seconds: float = 2) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()
