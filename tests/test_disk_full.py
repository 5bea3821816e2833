"""A disk that gets full in the middle of a sync."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from elevenlabs_sync.simulator import SIMULATED_API_KEY, SimulatedWorkspace, SimulatorServer
from tests.elevenlabs_sync.modes import parsed, rows_of
from tests.services.product import ROOT, EmbeddedProduct
from tests.services.truth import BACKFILL_DAYS, today

pytestmark = pytest.mark.services

# The empty database is smaller, a year of usage larger.
DISK_KB = 4_800
FILE_KB = 900


@pytest.fixture
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatedWorkspace(today())) as server:
        yield server


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of its own that is soon full; None where none can be made (only root may)."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_KB}k", "tmpfs", str(folder)]
    try:
        made = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        made = False
    yield folder if made else None
    if made:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def sync_within(product: EmbeddedProduct, *, disk: Path | None) -> subprocess.CompletedProcess[str]:
    """Sync on the small disk, or – without one – where no file may grow as large as the database has to."""
    if disk is not None:
        return product.manage("sync_provider", "Agency")
    command = shlex.join([sys.executable, "manage.py", "sync_provider", "Agency"])
    return subprocess.run(
        ["bash", "-c", f"ulimit -f {FILE_KB}; exec {command}"],
        cwd=ROOT,
        env=product.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_full_disk_ends_the_sync_with_a_plain_reason_and_no_half_window(
    simulator: SimulatorServer, small_disk: Path | None, tmp_path: Path
) -> None:
    """The windows before it stay whole, the run says why it failed, and with room again the next one completes."""
    with EmbeddedProduct((small_disk or tmp_path) / "home") as product:
        product.environment["ELEVENLABS_BASE_URL"] = simulator.base_url
        connected = product.manage(
            "connect_provider", "--type", "elevenlabs", "--name", "Agency", "--api-key-stdin", text=SIMULATED_API_KEY
        )
        assert connected.returncode == 0, connected.stderr

        failed = sync_within(product, disk=small_disk)

        assert failed.returncode == 1
        assert failed.stderr.splitlines()[-1].startswith("Error: Agency: The database could not be written")
        [(outcome, code, days, rows)] = product.query(
            "SELECT outcome, error_code, days_done, rows_read FROM providers_syncrun"
        )
        assert (outcome, code) == ("failed", "database")
        assert 0 < days < 365
        assert product.query("SELECT count(*) FROM costs_readday") == [(days,)]
        assert product.query("SELECT count(*) FROM costs_dailyusage") == [(rows,)]

        if small_disk is not None:
            subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        done = product.manage("sync_provider", "Agency")
        assert done.returncode == 0, done.stderr
        exported = product.manage("export_usage")
        workspace = simulator.current_workspace()
        end = workspace.today + timedelta(days=1)
        truth = workspace.rows(end - timedelta(days=BACKFILL_DAYS), end)
        assert parsed(exported.stdout) == rows_of(truth, currency=workspace.currency)
