"""People who read slowly, and a queue that hangs, hold nobody else: real web processes."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import LiteralString
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests.installation import sign_in
from tests.services.product import ROOT, EmbeddedProduct, ProductionProduct

pytestmark = pytest.mark.services

# More than two processes have threads.
READERS = 40
DOWNLOAD = "/settings/audit/?csv=audit"
BIG_FILE = "only-for-tests.bin"
# What makes the download some two megabytes: more than the kernel keeps of an answer.
LONG_LOG: LiteralString = """
INSERT INTO accounts_auditentry
    (at, actor_name, address, request_id, action, target_type, target_name, old, new)
SELECT '2026-01-01', 'somebody', '', '', 'company.created', '', repeat('x', 200), '{}', '{}'
FROM generate_series(1, 8000)
"""


@pytest.fixture
def url(production: ProductionProduct) -> Iterator[str]:
    """The address of two web processes with a large audit log, and a large file beside those that they serve."""
    with psycopg.connect(production.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(LONG_LOG)
    collected = ROOT / "staticfiles"
    collected.mkdir(exist_ok=True)
    big_file = collected / BIG_FILE
    big_file.write_bytes(bytes(4_000_000))
    yield production.start_web()
    big_file.unlink()


@pytest.fixture
def visitor(url: str) -> Iterator[httpx.Client]:
    """Somebody who is signed in, on a new connection for each request: the server ends an idle one at any moment."""
    headers = {"Connection": "close"}
    with httpx.Client(base_url=url, headers=headers, timeout=10, follow_redirects=True) as client:
        assert sign_in(client) == 200
        yield client


@contextmanager
def slow_readers(visitor: httpx.Client, path: str) -> Iterator[list[socket.socket]]:
    """Browsers of the visitor that ask for ``path`` and then read nothing of the answer."""
    address = urlsplit(str(visitor.base_url))
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    request = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookies}\r\n\r\n".encode()
    with ExitStack() as stack:
        readers = [stack.enter_context(socket.socket()) for _reader in range(READERS)]
        for reader in readers:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(30)
            reader.connect((address.hostname, address.port))
            reader.sendall(request)
        yield readers


def once_there_is_a_place(visitor: httpx.Client, path: str) -> httpx.Response:
    """The answer as soon as the server has seen that readers are gone, which it sees when it next writes to them."""
    for _attempt in range(150):
        answer = visitor.get(path)
        if answer.status_code != 503:
            return answer
        time.sleep(0.2)
    raise AssertionError("no place became free")


def statuses(readers: list[socket.socket]) -> set[int]:
    """Of their answers, once all have one."""
    lines = [reader.recv(len("HTTP/1.1 200"), socket.MSG_PEEK | socket.MSG_WAITALL) for reader in readers]
    return {int(line.split()[1]) for line in lines}


@pytest.mark.parametrize(
    ("path", "expected"), [(DOWNLOAD, {200, 503}), (f"/static/{BIG_FILE}", {200, 503}), ("/settings/audit/", {200})]
)
def test_slow_readers_stop_no_page(visitor: httpx.Client, path: str, expected: set[int]) -> None:
    """Large downloads and files have few places, so that some are asked to come again; small answers need none."""
    with slow_readers(visitor, path) as readers:
        assert statuses(readers) == expected

        assert [visitor.get(other).status_code for other in ("/healthz", "/readyz", "/") * 5] == [200] * 15


def test_places_are_free_again_when_slow_readers_have_gone(visitor: httpx.Client) -> None:
    """What a reader held is given back, and the next one gets all of it."""
    with slow_readers(visitor, DOWNLOAD) as readers:
        statuses(readers)

    answers = [once_there_is_a_place(visitor, DOWNLOAD) for _reader in range(4)]

    assert [answer.text.count("somebody") for answer in answers] == [8000] * 4


def test_queue_that_hangs_is_told_within_a_second(production: ProductionProduct) -> None:
    """It takes connections and never answers."""
    with socket.socket() as hanging:
        hanging.bind(("127.0.0.1", 0))
        hanging.listen(50)
        production.environment["REDIS_URL"] = f"redis://127.0.0.1:{hanging.getsockname()[1]}/0"
        url = production.start_web()

        said = httpx.get(f"{url}/readyz", timeout=5).json()  # without a bound of its own it takes over ten

    assert said["broker"] == "unreachable"


def test_what_a_visitor_says_about_the_path_is_not_believed(production: ProductionProduct) -> None:
    """By SCRIPT_NAME a path that a proxy lets through would become one that it keeps closed."""
    production.environment["METRICS_TOKEN"] = "x" * 40
    url = production.start_web()

    for header in ("SCRIPT_NAME", "SCRIPT-NAME", "X-Forwarded-Prefix", "X-Script-Name"):
        answer = httpx.get(f"{url}/harmless/metrics", headers={header: "/harmless"}, follow_redirects=False)

        assert answer.status_code in {302, 404}, header


def test_the_answer_to_head_has_no_body(embedded: EmbeddedProduct) -> None:
    """The connection's next answer begins where this one's headers end; waitress sends whatever it is given."""
    embedded.start()
    address = urlsplit(embedded.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(b"HEAD /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.partition(b"\r\n\r\n")[2] == b""
