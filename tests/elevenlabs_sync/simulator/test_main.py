"""The command `python -m elevenlabs_sync.simulator`."""

import signal
import subprocess
import sys
from datetime import date

import httpx
import pytest

from elevenlabs_sync.simulator import (
    RESTRICTED_API_KEY,
    SIMULATED_API_KEY,
    Cost,
    Moved,
    SimulatedWorkspace,
    SimulatorServer,
    key_of,
)
from elevenlabs_sync.simulator.__main__ import main
from elevenlabs_sync.simulator.routes import MODELS_PATH, USAGE_PATH
from tests.simulation.calls import TLS, TODAY


def test_totals_are_printed_for_inclusive_days(capsys: pytest.CaptureFixture[str]) -> None:
    """The truth of both dates and all between comes as key=value lines."""
    truth = SimulatedWorkspace(date(2026, 9, 20)).totals(date(2026, 8, 1), date(2026, 9, 1))

    code = main(["--today", "2026-09-20", "--print-totals", "2026-08-01", "2026-08-31"])

    lines = dict(line.split("=") for line in capsys.readouterr().out.splitlines())
    assert code == 0
    assert lines == {
        "credits": f"{truth.credits}",
        "minutes": f"{truth.minutes}".rstrip("0"),
        "requests": f"{truth.requests}",
        "cost": f"{truth.cost}".rstrip("0"),
        "unpriced_rows": "0",
    }


@pytest.mark.parametrize(
    ("options", "workspace"),
    [
        (["--billing", "cost"], SimulatedWorkspace(TODAY, billing=Cost())),
        (["--billing", "moved:2026-08-11"], SimulatedWorkspace(TODAY, billing=Moved(date(2026, 8, 11)))),
        (["--days", "80", "--billing", "moved"], SimulatedWorkspace(TODAY, 80, billing=Moved(date(2026, 8, 11)))),
    ],
)
def test_totals_of_other_billing_tell_what_is_known(
    capsys: pytest.CaptureFixture[str], options: list[str], workspace: SimulatedWorkspace
) -> None:
    """An unknown sum has an empty value, and the rows without credits are counted."""
    truth = workspace.totals(date(2026, 8, 1), date(2026, 9, 1))

    main(["--today", "2026-09-20", *options, "--print-totals", "2026-08-01", "2026-08-31"])

    lines = dict(line.split("=") for line in capsys.readouterr().out.splitlines())
    assert lines["credits"] == ("" if truth.credits is None else f"{truth.credits}")
    assert lines["requests"] == ("" if truth.requests is None else f"{truth.requests}")
    assert lines["cost"] == f"{truth.cost}".rstrip("0")
    assert lines["unmetered_rows"] == f"{truth.unmetered_rows}" != "0"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--today", "yesterday"],
        ["--days", "-1"],
        ["--port", "70000"],
        ["--print-totals", "2026-08-01"],
        ["--print-totals", "2026-08-02", "2026-08-01"],
        ["--colour", "red"],
        ["--billing", "barter"],
        ["--billing", "moved:soon"],
        ["--region", "moon"],
        ["--control"],
        ["--edit", '{"edit": "Hide"}'],
        ["--fault", '{"fault": "EmptyBody"}'],
    ],
)
def test_bad_arguments_are_refused_with_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake on the command line is named on stderr."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_a_taken_port_is_one_line_and_code_1(server: SimulatorServer, capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use ends the command with a sentence."""
    port = server.base_url.rsplit(":", 1)[1]

    code = main(["--port", port])

    assert code == 1
    assert capsys.readouterr().err == "The simulator cannot listen: Address already in use.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_interrupted(number: signal.Signals) -> None:
    """It prints where it listens and which key to use, serves, and a signal ends it with code 0."""
    command = [sys.executable, "-m", "elevenlabs_sync.simulator", "--port", "0", "--today", "2026-09-20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            key_line = process.stdout.readline()

            response = httpx.get(url + MODELS_PATH, headers={"xi-api-key": SIMULATED_API_KEY}, verify=TLS)
            process.send_signal(number)
            _, errors = process.communicate(timeout=10)
        finally:
            process.kill()

    assert SIMULATED_API_KEY in key_line
    assert (response.status_code, process.returncode, errors) == (200, 0, "")


def test_it_serves_what_the_options_say() -> None:
    """A restricted residency host prints its one key, which may not read usage, and takes no command."""
    options = ["--port", "0", "--region", "eu", "--restricted"]
    command = [sys.executable, "-m", "elevenlabs_sync.simulator", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url, key = (process.stdout.readline().split()[-1] for _ in range(2))

            with httpx.Client(verify=TLS, base_url=url) as client:
                models = client.get(MODELS_PATH, headers={"xi-api-key": key}).status_code
                usage = client.post(USAGE_PATH, json={}, headers={"xi-api-key": key}).json()["detail"]
                other = client.get(MODELS_PATH, headers={"xi-api-key": RESTRICTED_API_KEY}).json()["detail"]
                control = client.get("/_control/requests").status_code
        finally:
            process.terminate()

    assert key == key_of("eu", RESTRICTED_API_KEY)
    assert (usage["status"], other["status"]) == ("missing_permissions", "invalid_api_key")
    assert (models, control) == (200, 404)


def test_it_can_be_interrupted_where_interrupts_are_ignored() -> None:
    """Started in a shell's background, which ignores SIGINT, it still ends when asked."""
    shell = "trap '' INT; exec \"$0\" -m elevenlabs_sync.simulator --port 0"
    with subprocess.Popen(["/bin/sh", "-c", shell, sys.executable], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for _ in range(3):
                process.stdout.readline()

            process.send_signal(signal.SIGINT)
            process.communicate(timeout=10)
        finally:
            process.kill()

    assert process.returncode == 0
