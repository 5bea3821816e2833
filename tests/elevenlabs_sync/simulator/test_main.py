"""The command `python -m elevenlabs_sync.simulator`."""

import re
import signal
import subprocess
import sys
from datetime import date

import httpx
import pytest

from elevenlabs_sync.simulator import SIMULATED_API_KEY, SimulatedWorkspace, SimulatorServer
from elevenlabs_sync.simulator.__main__ import main
from elevenlabs_sync.simulator.server import MODELS_PATH
from tests.elevenlabs_sync.simulator.asking import TLS


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
    "arguments",
    [
        ["--today", "yesterday"],
        ["--days", "-1"],
        ["--port", "70000"],
        ["--print-totals", "2026-08-01"],
        ["--print-totals", "2026-08-02", "2026-08-01"],
        ["--colour", "red"],
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


def test_it_serves_until_interrupted() -> None:
    """It prints where it listens and which key to use, serves, and Ctrl-C ends it with code 0."""
    command = [sys.executable, "-m", "elevenlabs_sync.simulator", "--port", "0", "--today", "2026-09-20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = re.sub(r".*(http://\S+)\n", r"\1", process.stdout.readline())
        key = process.stdout.readline()

        status = httpx.get(url + MODELS_PATH, headers={"xi-api-key": SIMULATED_API_KEY}, verify=TLS).status_code
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=10)

        assert SIMULATED_API_KEY in key
        assert (status, code, process.stderr.read()) == (200, 0, "")
