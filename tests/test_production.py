"""The production form for real: web, prefork worker and beat as processes on PostgreSQL and Redis.

Lost time is not waited for: where a lease or the sweep's patience has to run out, the rows' times are set back.
"""

from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM
from typing import Any, LiteralString

import httpx
import psycopg
import pytest
import redis

from elevenlabs_sync.simulator import SIMULATED_API_KEY
from tests.services.processes import wait_for
from tests.services.product import ProductionProduct
from tests.services.truth import backfilled_totals, exported_totals, today
from tests.simulation import EditedWorkspace, FaultySimulator
from tests.simulation.faults import Delay

pytestmark = pytest.mark.services

USAGE = "/v1/workspace/analytics"
SYNC_SECONDS = 60


@pytest.fixture
def simulator() -> Iterator[FaultySimulator]:
    with FaultySimulator(EditedWorkspace(today())) as server:
        yield server


@pytest.fixture
def product(production: ProductionProduct, simulator: FaultySimulator) -> ProductionProduct:
    """The migrated product, calling the simulator where it would call ElevenLabs."""
    production.environment["ELEVENLABS_BASE_URL"] = simulator.base_url
    return production


def query(product: ProductionProduct, statement: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(product.environment["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def connect(product: ProductionProduct) -> None:
    done = product.manage(
        "connect_provider", "--type", "elevenlabs", "--name", "Agency", "--api-key-stdin", text=SIMULATED_API_KEY
    )
    assert done.returncode == 0, done.stderr


def wait_for_runs(product: ProductionProduct, count: int, *, seconds: float = SYNC_SECONDS) -> None:
    """Wait until `count` runs have ended, and see that all succeeded."""
    finished: LiteralString = "SELECT outcome FROM providers_syncrun WHERE finished_at IS NOT NULL"
    wait_for(lambda: len(query(product, finished)) >= count, seconds=seconds, what=f"{count} runs finished", every=0.2)
    assert query(product, finished) == [("succeeded",)] * count


def assert_equal_to_the_simulator(product: ProductionProduct, simulator: FaultySimulator) -> None:
    export = product.manage("export_usage")
    assert export.returncode == 0, export.stderr
    assert exported_totals(export.stdout) == backfilled_totals(simulator.current_workspace())


def let_time_pass(product: ProductionProduct) -> None:
    """As if nobody had done anything for a quarter of an hour: leases have ended, the sweep's patience as well."""
    query(product, "UPDATE providers_provider SET claimed_until = claimed_until - interval '15 minutes'")
    query(product, "UPDATE providers_syncrun SET enqueued_at = enqueued_at - interval '15 minutes'")


def test_a_worker_takes_up_a_connected_provider_and_stores_what_the_provider_reports(
    product: ProductionProduct, simulator: FaultySimulator
) -> None:
    """The rows add up to the simulator's own totals, exactly; once they are committed, budgets are looked at."""
    worker = product.start_worker()

    connect(product)

    wait_for_runs(product, 1)
    assert_equal_to_the_simulator(product, simulator)
    evaluated: LiteralString = "SELECT 1 FROM alerts_lane WHERE name = 'evaluation' AND done_at IS NOT NULL"
    wait_for(lambda: bool(query(product, evaluated)), seconds=60, what="evaluated")
    assert worker.stop(SIGTERM) == 0


def test_the_hours_sync_of_unchanged_data_writes_no_row(product: ProductionProduct) -> None:
    """A second sync of the same data leaves every usage row's version as it was."""
    product.start_worker()
    connect(product)
    wait_for_runs(product, 1)
    rows = "SELECT project_id, day, model, xmin::text, updated_at FROM costs_dailyusage ORDER BY project_id, day, model"
    before = query(product, rows)

    query(product, "UPDATE providers_provider SET next_due_at = now() - interval '1 minute'")
    product.call("syncing.tasks.enqueue_hourly_syncs")

    wait_for_runs(product, 2)
    assert len(before) > 1000
    assert query(product, rows) == before


def test_a_worker_killed_in_the_middle_of_a_sync_loses_and_doubles_nothing(
    product: ProductionProduct, simulator: FaultySimulator
) -> None:
    """After a SIGKILL between two pieces, the next worker completes the same run and the totals are exact."""
    connect(product)
    simulator.faults.add(USAGE, Delay(0), times=3)
    simulator.faults.add(USAGE, Delay(120))
    worker = product.start_worker()
    half_done: LiteralString = "SELECT 1 FROM providers_syncrun WHERE days_done >= 80 AND finished_at IS NULL"
    wait_for(lambda: bool(query(product, half_done)), seconds=SYNC_SECONDS, what="in the middle of the sync")

    worker.kill()
    simulator.faults.clear()
    let_time_pass(product)
    product.start_worker()
    product.call("syncing.tasks.sweep")

    wait_for_runs(product, 1)
    assert_equal_to_the_simulator(product, simulator)


def test_a_run_whose_message_was_lost_with_the_queue_is_found_by_the_clock(
    product: ProductionProduct, simulator: FaultySimulator
) -> None:
    """Redis forgets everything; beat's next tick hands the run over again and it is carried out."""
    connect(product)
    queue = redis.Redis.from_url(product.redis_url)
    queue.flushdb()
    queue.close()
    let_time_pass(product)

    product.start_worker()
    beat = product.start_beat()

    wait_for_runs(product, 1, seconds=120)
    assert_equal_to_the_simulator(product, simulator)
    assert beat.stop(SIGTERM) == 0


def test_gunicorn_serves_the_sign_in_page_and_its_files(product: ProductionProduct, tmp_path: Path) -> None:
    """The web process serves the page and its style sheet, the latter under a name that may be cached for ever."""
    url = product.start_web()

    with httpx.Client(base_url=url) as visitor:
        page = visitor.get("/", follow_redirects=True)
        assert page.status_code == 200
        assert page.url.path == "/accounts/login/"
        sheet = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
        answer = visitor.get(sheet)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
