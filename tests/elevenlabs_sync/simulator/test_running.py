"""The simulator that a process runs for itself."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from elevenlabs_sync.simulator import SIMULATED_API_KEY, ensure_running, running, stop_running
from elevenlabs_sync.simulator.routes import MODELS_PATH
from tests.simulation.calls import TLS

HEADERS = {"xi-api-key": SIMULATED_API_KEY}


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    stop_running()
    yield
    stop_running()


def test_it_starts_once_and_serves() -> None:
    """The first call starts the server, later calls give the same address, which answers."""
    first = ensure_running()

    second = ensure_running()

    assert first == second
    assert httpx.get(first + MODELS_PATH, headers=HEADERS, verify=TLS).status_code == 200


def test_threads_that_ask_together_get_the_same() -> None:
    """Many threads that ask at once share one server."""
    urls: list[str] = []
    threads = [threading.Thread(target=lambda: urls.append(ensure_running())) for _ in range(20)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(urls) == 20
    assert len(set(urls)) == 1
    assert [thread.name for thread in threading.enumerate()].count("simulator") == 1


def test_it_stops_without_leftovers_and_can_start_again() -> None:
    """After stopping no thread is left; asking again starts anew."""
    ensure_running()

    stop_running()

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("simulator")]
    assert ensure_running().startswith("http://127.0.0.1:")


def test_its_today_is_the_clocks() -> None:
    """The workspace's today is the current UTC date."""
    before = datetime.now(UTC).date()

    today = running.workspace_today().today

    assert before <= today <= datetime.now(UTC).date()


def test_its_incident_stays_where_it_was_when_it_was_connected() -> None:
    """Who reads for a connected workspace says since when; who merely tries its key changes nothing."""
    ensure_running(date(2026, 11, 28))

    ensure_running()

    assert running.workspace_today().incident == {date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 26)}


def test_before_it_is_connected_its_incident_is_of_these_days() -> None:
    """So that who connects it finds what was tried, and the incident."""
    workspace = running.workspace_today()

    assert workspace.today - max(workspace.incident) == timedelta(days=2)


def test_a_process_that_used_it_ends_by_itself() -> None:
    """A program that never stops its simulator exits at once, cleanly, even with a connection open."""
    program = (
        "import socket, urllib.parse\n"
        "from elevenlabs_sync.simulator import ensure_running\n"
        "url = urllib.parse.urlsplit(ensure_running())\n"
        "connection = socket.create_connection((url.hostname, url.port))\n"
        "connection.send(b'GET / HTTP/1.1\\r\\n\\r\\n')\n"
        "connection.recv(10)\n"
        "connection.detach()\n"
    )

    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, timeout=20, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_forked_child_starts_its_own() -> None:
    """A child of a process with a running simulator gets another address that works, and the parent's stays."""
    program = (
        "import os, sys, urllib.request\n"
        "from elevenlabs_sync.simulator import ensure_running, SIMULATED_API_KEY\n"
        "def works(url):\n"
        "    request = urllib.request.Request(url + '/v1/models', headers={'xi-api-key': SIMULATED_API_KEY})\n"
        "    with urllib.request.urlopen(request, timeout=5) as answer:\n"
        "        return answer.status == 200\n"
        "mine = ensure_running()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    sys.exit(0 if ensure_running() != mine and works(ensure_running()) else 3)\n"
        "_, status = os.waitpid(child, 0)\n"
        "sys.exit(os.waitstatus_to_exitcode(status) if works(mine) else 4)\n"
    )
    environment = {**os.environ, "no_proxy": "*"}

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, timeout=20, check=False, env=environment
    )

    assert (done.returncode, done.stderr) == (0, b"")
