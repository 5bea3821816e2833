"""The product in its production form beside a simulated ElevenLabs, and what tests of faults do with the two."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg

from elevenlabs_sync.simulator import SIMULATED_API_KEY
from tests.elevenlabs_sync.modes import parsed, rows_of
from tests.services.processes import wait_for
from tests.services.product import ADMIN_PASSWORD, ProductionProduct
from tests.services.truth import BACKFILL_DAYS
from tests.simulation import FaultySimulator

USAGE = "/v1/workspace/analytics"
SECONDS = 60


class Installation:
    """``product``, whose database is prepared, calls ``simulator`` where it would call ElevenLabs."""

    def __init__(self, product: ProductionProduct, simulator: FaultySimulator) -> None:
        self.product = product
        self.simulator = simulator
        product.environment["ELEVENLABS_BASE_URL"] = simulator.base_url

    def query(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.product.environment["DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def connect(self) -> None:
        done = self.product.manage(
            "connect_provider", "--type", "elevenlabs", "--name", "Agency", "--api-key-stdin", text=SIMULATED_API_KEY
        )
        assert done.returncode == 0, done.stderr

    def sync(self, *options: str) -> None:
        """Carry the backfill, or whatever is due, out in a process of its own."""
        done = self.product.manage("sync_provider", "Agency", *options)
        assert done.returncode == 0, done.stderr

    def outcomes(self) -> list[str]:
        return [
            outcome
            for (outcome,) in self.query(
                "SELECT outcome FROM providers_syncrun WHERE finished_at IS NOT NULL ORDER BY finished_at"
            )
        ]

    def wait_for_runs(self, count: int, *, seconds: float = SECONDS) -> None:
        """Wait until `count` runs have ended."""
        wait_for(lambda: len(self.outcomes()) >= count, seconds=seconds, what=f"{count} runs ended", every=0.2)

    def let_time_pass(self) -> None:
        """As if nobody had done anything for a quarter of an hour: leases and the sweep's patience have ended."""
        self.query("UPDATE providers_provider SET claimed_until = claimed_until - interval '15 minutes'")
        self.query("UPDATE providers_syncrun SET enqueued_at = enqueued_at - interval '15 minutes'")

    def assert_clean(self) -> None:
        """What is stored equals, row by row, what an empty database gets from a backfill."""
        export = self.product.manage("export_usage")
        assert export.returncode == 0, export.stderr
        workspace = self.simulator.current_workspace()
        end = workspace.today + timedelta(days=1)
        truth = workspace.rows(end - timedelta(days=BACKFILL_DAYS), end)
        assert parsed(export.stdout) == rows_of(truth, currency=workspace.currency)


def sign_in(visitor: httpx.Client, *, username: str = "admin", password: str = ADMIN_PASSWORD) -> int:
    """The status of the sign-in form's answer; 302 is in."""
    form = visitor.get("/accounts/login/")
    return visitor.post(
        "/accounts/login/", data={"csrfmiddlewaretoken": token_in(form), "login": username, "password": password}
    ).status_code


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found, page.text[:2000]
    return found[1]


def post(visitor: httpx.Client, path: str, *, seen_at: str, **fields: str) -> httpx.Response:
    """Send a form of the page at ``seen_at`` to ``path``."""
    return visitor.post(path, data={"csrfmiddlewaretoken": token_in(visitor.get(seen_at)), **fields})


def most_memory(pid: int) -> int:
    """The largest resident size in MB that the process or one of its living children has had."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max(_high_water(int(each)) for each in (str(pid), *children))


def _high_water(pid: int) -> int:
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024
