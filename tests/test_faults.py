"""Faults for real, in the production form: processes, sockets and servers that break in the middle of the work.

docs/reliability.md says which test shows which promise. Lost time is not waited for: where a lease or the sweep's
patience has to run out, the rows' times are set back.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import LiteralString

import httpx
import psycopg
import pytest

from elevenlabs_sync.simulator import SIMULATED_API_KEY
from tests.installation import USAGE, Installation, most_memory, post, sign_in
from tests.services.postgresql import PostgresServer
from tests.services.processes import wait_for
from tests.services.product import ProductionProduct
from tests.services.redis import RedisServer
from tests.services.truth import today
from tests.simulation import EditedWorkspace, FaultySimulator, faults

pytestmark = pytest.mark.services

PIECES = 13  # requests for usage of a year
MOST_MEMORY = 300
HOURLY, SWEEP = "syncing.tasks.enqueue_hourly_syncs", "syncing.tasks.sweep"


@pytest.fixture
def simulator() -> Iterator[FaultySimulator]:
    with FaultySimulator(EditedWorkspace(today())) as server:
        yield server


@pytest.fixture
def here(production: ProductionProduct, simulator: FaultySimulator) -> Installation:
    return Installation(production, simulator)


@pytest.fixture
def with_own_redis(
    migrated_url: str, own_redis: RedisServer, simulator: FaultySimulator, tmp_path: Path
) -> Iterator[Installation]:
    with ProductionProduct(database_url=migrated_url, redis_url=own_redis.url, folder=tmp_path) as product:
        yield Installation(product, simulator)


@pytest.fixture
def with_own_postgres(
    own_postgres: PostgresServer, own_redis: RedisServer, simulator: FaultySimulator, tmp_path: Path
) -> Iterator[Installation]:
    with ProductionProduct(database_url=own_postgres.url, redis_url=own_redis.url, folder=tmp_path) as product:
        product.prepare()
        yield Installation(product, simulator)


def usage_requests(simulator: FaultySimulator) -> int:
    return sum(request.path.startswith(USAGE) for request in simulator.requests)


# --- Processes and servers --------------------------------------------------------------------------------------------


def test_worker_killed_while_it_waits_for_an_answer_loses_and_doubles_nothing(here: Installation) -> None:
    """SIGKILL at the fifth request; the lease ends, another worker completes the same run, row by row the truth."""
    gate = faults.Gate()
    here.simulator.faults.add(USAGE, gate, after=5)  # one request tries the key
    worker = here.product.start_worker()
    here.connect()
    assert gate.reached.wait(60)

    worker.kill()
    gate.release()
    assert here.outcomes() == []
    here.let_time_pass()
    here.product.start_worker()
    here.product.call(SWEEP)

    here.wait_for_runs(1)
    assert here.query("SELECT outcome, attempts FROM providers_syncrun") == [("succeeded", 2)]
    here.assert_clean()


def test_redis_may_vanish_and_come_back_during_a_sync(with_own_redis: Installation, own_redis: RedisServer) -> None:
    """Pages are served, “Sync now” says what is the matter, and after its return work goes on without a restart."""
    here = with_own_redis
    here.product.start_worker()
    url = here.product.start_web()
    gate = faults.Gate()
    here.simulator.faults.add(USAGE, gate, after=3)
    here.connect()
    assert gate.reached.wait(60)

    own_redis.stop()
    with httpx.Client(base_url=url, follow_redirects=True, timeout=20) as visitor:
        assert sign_in(visitor) == 200
        [(pk,)] = here.query("SELECT id FROM providers_provider")
        gate.release()
        here.wait_for_runs(1)  # what was at work goes on
        page = post(visitor, f"/providers/{pk}/sync/", seen_at=f"/providers/{pk}/")
        assert page.status_code == 200
        assert "The queue is unreachable at the moment" in page.text
        assert visitor.get("/readyz").json().items() >= {("database", "ok"), ("broker", "unreachable"), ("workers", 1)}
        assert visitor.get("/").status_code == 200

    own_redis.start()
    wait_for(lambda: _calls(here, SWEEP), seconds=30, what="able to send a task", every=0.5)

    here.wait_for_runs(2, seconds=90)
    assert here.outcomes() == ["succeeded", "succeeded"]
    here.assert_clean()


def _calls(here: Installation, task: str) -> bool:
    try:
        here.product.call(task)
    except AssertionError:
        return False
    return True


def test_postgresql_restarted_during_a_write_leaves_no_half_written_window(
    with_own_postgres: Installation, own_postgres: PostgresServer
) -> None:
    """The open transaction is gone whole, the web answers 503 and recovers by itself, the next run completes."""
    here = with_own_postgres
    here.product.start_worker()
    url = here.product.start_web()
    gate = faults.Gate()
    here.simulator.faults.add(USAGE, gate, after=4)
    here.connect()
    assert gate.reached.wait(60)
    [(before,)] = here.query("SELECT count(*) FROM costs_readday")
    with httpx.Client(base_url=url, follow_redirects=True, timeout=20) as visitor:
        assert sign_in(visitor) == 200
        other = psycopg.connect(own_postgres.url)
        other.execute("LOCK TABLE costs_dailyusage IN EXCLUSIVE MODE")  # holds the worker in its transaction
        gate.release()
        waiting: LiteralString = "SELECT 1 FROM pg_locks WHERE NOT granted"
        wait_for(lambda: bool(here.query(waiting)), seconds=30, what="in the middle of a write")
        own_postgres.stop()
        other.close()

        down = visitor.get("/providers/")
        assert down.status_code == 503
        assert "The database does not answer" in down.text
        assert "Traceback" not in down.text
        assert down.headers["retry-after"]
        assert visitor.get("/healthz").status_code == 200  # with a session's cookie, too
        assert httpx.get(f"{url}/readyz").status_code == 503

        own_postgres.start()
        assert visitor.get("/providers/").status_code == 200

    assert here.query("SELECT count(*) FROM costs_readday") == [(before,)]
    here.let_time_pass()
    here.product.call(SWEEP)
    here.wait_for_runs(1)
    assert here.outcomes() == ["succeeded"]
    here.assert_clean()


def test_two_workers_the_web_and_a_command_are_one_sync(here: Installation) -> None:
    """Whoever comes second notices and leaves; nothing is read twice."""
    url = here.product.start_web()
    gate = faults.Gate()
    here.connect()
    here.simulator.recording.clear()
    here.simulator.faults.add(USAGE, gate)
    for _worker in range(2):
        here.product.start_worker()
    assert gate.reached.wait(60)
    [(pk, run)] = here.query("SELECT provider_id, id FROM providers_syncrun")

    for _message in range(3):
        here.product.call("syncing.tasks.sync", run)
    with httpx.Client(base_url=url, follow_redirects=True, timeout=20) as visitor:
        assert sign_in(visitor) == 200
        assert post(visitor, f"/providers/{pk}/sync/", seen_at=f"/providers/{pk}/").status_code == 200
    with ThreadPoolExecutor() as pool:
        commands = list(pool.map(lambda _number: here.product.manage("sync_provider", "Agency"), range(2)))

    assert [command.returncode for command in commands] == [1, 1]
    assert all("is being synced by another process" in command.stderr for command in commands)
    assert usage_requests(here.simulator) == 1
    gate.release()
    here.wait_for_runs(1)
    assert here.query("SELECT outcome, attempts FROM providers_syncrun") == [("succeeded", 1)]
    assert usage_requests(here.simulator) == PIECES
    here.assert_clean()


def test_clock_that_stood_for_a_day_makes_one_sync(here: Installation) -> None:
    """After a day without ticks the next ones, late, early and doubled, make one run that covers the gap."""
    here.connect()
    here.sync()
    here.query("UPDATE providers_provider SET next_due_at = now() - interval '26 hours'")
    here.query("UPDATE costs_readday SET read_at = read_at - interval '26 hours'")
    here.query("DELETE FROM costs_dailyusage WHERE day >= current_date - 1")
    here.product.start_worker()

    for tick in (HOURLY, SWEEP, HOURLY):
        here.product.call(tick)
    here.wait_for_runs(2)
    here.product.call(SWEEP)

    assert here.query("SELECT trigger, outcome FROM providers_syncrun ORDER BY id") == [
        ("connect", "succeeded"),
        ("hourly", "succeeded"),
    ]
    here.assert_clean()


# --- Answers ----------------------------------------------------------------------------------------------------------


def test_limits_are_waited_for_as_told(here: Installation) -> None:
    """429 with seconds, with a date and in milliseconds: the run waits and finishes."""
    here.connect()
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=6), usegmt=True)
    for headers in ({"Retry-After": "1"}, {"Retry-After": soon}, {"retry-after-ms": "300"}):
        here.simulator.faults.add(USAGE, faults.ErrorStatus(429, headers=headers))

    here.sync()

    here.assert_clean()


def test_storm_of_failures_ends_with_a_plain_reason_and_touches_nothing(here: Installation) -> None:
    """503, resets and broken answers again and again: bounded attempts, then exit code 1; the next sync is exact."""
    here.connect()
    here.sync()
    for fault in (faults.ErrorStatus(503), faults.ConnectionReset(), faults.Html(502), faults.CutConnection()):
        here.simulator.faults.add(USAGE, fault)
    here.simulator.faults.add(USAGE, faults.ErrorStatus(500), times=None)
    here.simulator.recording.clear()

    done = here.product.manage("sync_provider", "Agency")

    assert done.returncode == 1
    assert "ElevenLabs is temporarily unavailable" in done.stderr
    assert "Traceback" not in done.stderr
    assert usage_requests(here.simulator) == 5
    here.assert_clean()
    here.simulator.faults.clear()
    here.sync()
    here.assert_clean()


@pytest.mark.parametrize(
    "fault", [faults.Endless(500_000_000), faults.GzipBomb(500_000_000)], ids=["500 MB", "500 MB compressed"]
)
def test_huge_answers_end_at_the_cap_in_little_memory(here: Installation, fault: faults.Fault) -> None:
    """A worker that is sent half a gigabyte again and again stays under 300 MB, says why, and works on."""
    here.connect()
    here.simulator.faults.add(USAGE, fault, times=None)
    worker = here.product.start_worker()

    here.wait_for_runs(1)

    assert here.query("SELECT outcome, error_code, rows_read FROM providers_syncrun") == [
        ("failed", "answer_too_large", 0)
    ]
    here.simulator.faults.clear()
    here.query("UPDATE providers_provider SET next_due_at = now()")
    here.product.call(HOURLY)
    here.wait_for_runs(2)
    here.assert_clean()
    assert most_memory(worker.pid) < MOST_MEMORY


def test_answer_that_drips_is_ended_at_the_deadline(here: Installation) -> None:
    """A byte every half second passes every timeout for a single read, but not the one for the whole request."""
    here.simulator.faults.add(USAGE, faults.DripHeaders(0.5), times=None)

    done = here.product.manage(
        "connect_provider", "--type", "elevenlabs", "--name", "Agency", "--api-key-stdin", text=SIMULATED_API_KEY
    )

    assert done.returncode == 1
    assert "ElevenLabs did not answer, so the key was not checked" in done.stderr
    assert here.query("SELECT count(*) FROM providers_provider") == [(0,)]


def test_key_that_is_revoked_and_replaced_goes_on_without_gap_or_double(here: Installation) -> None:
    """“Sync failed” with the reason; a bad replacement is refused; with a good one the history continues."""
    replacement = "sk_" + "ab12" * 12
    url = here.product.start_web()
    here.connect()
    here.sync()
    [(pk,)] = here.query("SELECT id FROM providers_provider")
    permissions = here.simulator.keys.pop(SIMULATED_API_KEY)
    failed = here.product.manage("sync_provider", "Agency")
    assert failed.returncode == 1
    assert "wrong or was revoked" in failed.stderr

    with httpx.Client(base_url=url, follow_redirects=True, timeout=20) as visitor:
        assert sign_in(visitor) == 200
        page = visitor.get(f"/providers/{pk}/")
        assert "Sync failed" in page.text
        assert "was revoked" in page.text
        bad = post(visitor, f"/providers/{pk}/key/", seen_at=f"/providers/{pk}/key/", api_key=replacement)
        assert bad.status_code == 422
        here.simulator.keys[replacement] = permissions
        good = post(visitor, f"/providers/{pk}/key/", seen_at=f"/providers/{pk}/key/", api_key=replacement)
        assert good.status_code == 200

    here.product.start_worker()
    here.wait_for_runs(3)
    assert here.outcomes() == ["succeeded", "failed", "succeeded"]
    assert here.query("SELECT failure_code FROM providers_provider") == [("",)]
    here.assert_clean()
