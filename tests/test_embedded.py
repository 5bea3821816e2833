"""`manage.py run` and `make run` as a person starts them: a fresh home, real processes, Ctrl-C."""

import os
import pty
import re
import select
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import httpx
import pytest

from elevenlabs_sync.simulator import SIMULATED_API_KEY
from tests.services.processes import wait_for
from tests.services.product import ADMIN_PASSWORD, ROOT, EmbeddedProduct, is_ready
from tests.services.truth import backfilled_totals, exported_totals, today
from tests.simulation import EditedWorkspace, FaultySimulator
from tests.simulation.faults import Delay

pytestmark = pytest.mark.services


@pytest.fixture
def simulator() -> Iterator[FaultySimulator]:
    with FaultySimulator(EditedWorkspace(today())) as server:
        yield server


def may_sign_in(url: str, username: str, password: str) -> bool:
    """Whether the sign-in form lets this person in."""
    with httpx.Client(base_url=url) as visitor:
        form = visitor.get("/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        assert token
        answer = visitor.post(
            "/accounts/login/", data={"csrfmiddlewaretoken": token[1], "login": username, "password": password}
        )
        return answer.status_code == 302 and visitor.get("/").status_code == 200


def connect(product: EmbeddedProduct) -> None:
    done = product.manage(
        "connect_provider", "--type", "elevenlabs", "--name", "Agency", "--api-key-stdin", text=SIMULATED_API_KEY
    )
    assert done.returncode == 0, done.stderr


def exported(product: EmbeddedProduct) -> str:
    done = product.manage("export_usage")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_start_makes_an_admin_whose_password_is_printed_once(unprepared: EmbeddedProduct) -> None:
    """The printed name and password let a person in, after the second start too, which prints none.

    What is secret is only the owner's to read.
    """
    unprepared.environment["ADMIN_PASSWORD"] = ""
    unprepared.start()
    assert stat.S_IMODE(unprepared.data_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((unprepared.data_dir / "secrets.env").stat().st_mode) == 0o600
    printed = re.search(r"Username: (\S+)\s+Password: (\S+)", unprepared.output)
    assert printed
    assert printed[1] == "admin"
    assert may_sign_in(unprepared.url, printed[1], printed[2])
    assert unprepared.stop() == 0

    unprepared.start()

    assert "Password" not in unprepared.output
    assert may_sign_in(unprepared.url, printed[1], printed[2])


def test_a_given_admin_password_is_taken_and_not_printed(home_of_tables: Path, tmp_path: Path) -> None:
    """ADMIN_USERNAME and ADMIN_PASSWORD make the first admin."""
    with EmbeddedProduct(shutil.copytree(home_of_tables, tmp_path / "home")) as product:
        product.environment["ADMIN_USERNAME"] = "dana"

        product.start()

        assert may_sign_in(product.url, "dana", ADMIN_PASSWORD)
        assert ADMIN_PASSWORD not in product.output


@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
def test_a_signal_stops_everything_cleanly(embedded: EmbeddedProduct, number: Signals) -> None:
    """Ctrl-C and SIGTERM end it within seconds, with exit status 0, no traceback, and all data in one file."""
    embedded.start()

    status = embedded.stop(number)

    assert status == 0
    assert "Traceback" not in embedded.output
    assert not is_ready(embedded.url)
    assert not (embedded.data_dir / "administrate.sqlite3-wal").exists()


def test_a_port_in_use_stops_the_start_with_one_sentence(embedded: EmbeddedProduct) -> None:
    """The sentence names the port and a way out; the exit status is 2."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(embedded.environment["PORT"])))
        taken.listen()

        status = embedded.launch().wait(seconds=30)

    assert status == 2
    assert embedded.output.count("\n") == 1
    assert f"Port {embedded.environment['PORT']} is in use" in embedded.output


def test_a_second_process_on_the_same_home_is_refused_with_one_sentence(
    embedded: EmbeddedProduct, tmp_path: Path
) -> None:
    """Two processes would each have a queue of their own; the first goes on."""
    embedded.start()

    with EmbeddedProduct(embedded.data_dir) as second:
        status = second.launch().wait(seconds=30)
        lines = second.output.splitlines()

    assert status == 2
    assert "already running" in lines[-1]
    assert is_ready(embedded.url)


def test_a_warm_start_makes_nothing_anew(embedded: EmbeddedProduct) -> None:
    """On a home that exists it prepares no table, which is what takes most of a first start."""
    [before] = embedded.query("PRAGMA schema_version")

    embedded.start()

    assert embedded.query("PRAGMA schema_version") == [before]


def test_a_provider_connected_by_a_command_is_synced_by_the_running_product(
    embedded: EmbeddedProduct, simulator: FaultySimulator
) -> None:
    """The sweep finds the run within a minute, and what is stored adds up to the simulator's totals."""
    embedded.environment["ELEVENLABS_BASE_URL"] = simulator.base_url
    embedded.start()

    connect(embedded)

    embedded.wait_for_runs(1)
    assert exported_totals(exported(embedded)) == backfilled_totals(simulator.current_workspace())


def test_a_sync_cut_off_by_a_kill_is_finished_after_the_next_start(
    embedded: EmbeddedProduct, simulator: FaultySimulator
) -> None:
    """SIGKILL in the middle of the initial sync; the next start takes it up at once and the totals are exact."""
    embedded.environment["ELEVENLABS_BASE_URL"] = simulator.base_url
    connect(embedded)
    simulator.faults.add("/v1/workspace/analytics", Delay(0), times=3)
    simulator.faults.add("/v1/workspace/analytics", Delay(120))
    embedded.start()
    stored = "SELECT count(*) FROM costs_dailyusage"
    wait_for(lambda: embedded.query(stored) > [(100,)], seconds=60, what="in the middle of the sync")

    embedded.process.kill()
    simulator.faults.clear()
    embedded.start()

    embedded.wait_for_runs(1)
    assert exported_totals(exported(embedded)) == backfilled_totals(simulator.current_workspace())


def test_ctrl_c_in_a_terminal_ends_make_run_without_an_error(embedded: EmbeddedProduct) -> None:
    """`make run` in a terminal: Ctrl-C, exit status 0, and no complaint of make's."""
    control, terminal = pty.openpty()
    make = subprocess.Popen(
        ["setsid", "--ctty", "--wait", "make", "--old-file", ".venv/.installed", "run"],
        cwd=ROOT,
        env=embedded.environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    try:
        wait_for(lambda: is_ready(embedded.url), seconds=60, what="ready")
        os.write(control, b"\x03")
        status = make.wait(30)
        printed = _read_all(control)
    finally:
        make.kill()
        make.wait()
        os.close(control)

    assert status == 0, printed
    assert "Error" not in printed
    assert "Interrupt" not in printed


def _read_all(descriptor: int) -> str:
    """What a terminal has to say, until its end."""
    parts = []
    while select.select([descriptor], [], [], 1)[0]:
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # how Linux says that nobody is at the other end any more
            break
        parts.append(part)
    return b"".join(parts).decode(errors="replace")
