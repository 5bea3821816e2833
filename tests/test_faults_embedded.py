"""Faults for real, in the embedded form: one process, SQLite, and other processes on the same database."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from elevenlabs_sync.simulator import SIMULATED_API_KEY, SimulatedWorkspace, SimulatorServer
from tests.elevenlabs_sync.modes import parsed, rows_of
from tests.installation import post, sign_in
from tests.services.processes import wait_for
from tests.services.product import EmbeddedProduct
from tests.services.truth import today

pytestmark = pytest.mark.services

PEOPLE = 4


@pytest.fixture
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatedWorkspace(today(), history_days=364)) as server:
        yield server


def test_web_writes_while_syncs_write_and_nobody_sees_a_locked_database(
    embedded: EmbeddedProduct, simulator: SimulatorServer
) -> None:
    """People sign in and add companies while a command writes a year of usage again and again: all of it is there."""
    embedded.environment["ELEVENLABS_BASE_URL"] = simulator.base_url
    done = embedded.manage(
        "connect_provider", "--type", "elevenlabs", "--name", "Agency", "--api-key-stdin", text=SIMULATED_API_KEY
    )
    assert done.returncode == 0, done.stderr
    embedded.start()
    synced = threading.Event()

    def person(number: int) -> list[int]:
        statuses = []
        with httpx.Client(base_url=embedded.url, follow_redirects=True, timeout=30) as visitor:
            assert sign_in(visitor) == 200
            added = 0
            while not synced.is_set() or added < 5:
                added += 1
                name = f"Company {number}-{added}"
                statuses.append(post(visitor, "/companies/add/", seen_at="/companies/add/", name=name).status_code)
        return statuses

    def sync(*options: str) -> subprocess.CompletedProcess[str]:
        """By a command, which leaves while the product's own worker writes."""
        ended = embedded.manage("sync_provider", "Agency", *options)
        assert "locked" not in ended.stderr
        return ended

    with ThreadPoolExecutor() as pool:
        people = [pool.submit(person, number) for number in range(PEOPLE)]
        try:
            first = today().replace(year=today().year - 1).isoformat()
            wait_for(lambda: sync("--from", first).returncode == 0, seconds=90, what="synced by a command")
        finally:
            synced.set()
        statuses = [person.result() for person in people]

    assert {status for each in statuses for status in each} == {200}
    assert "locked" not in embedded.output
    workspace = simulator.current_workspace()
    export = embedded.manage("export_usage")
    assert parsed(export.stdout) == rows_of(
        workspace.rows(workspace.first_day, workspace.today.replace(year=workspace.today.year + 1)),
        currency=workspace.currency,
    )
