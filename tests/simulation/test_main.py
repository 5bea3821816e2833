"""The command `python -m tests.simulation`: what it has that `python -m elevenlabs_sync.simulator` has not."""

import subprocess
import sys

import httpx
import pytest

from elevenlabs_sync.simulator import SIMULATED_API_KEY, key_of
from elevenlabs_sync.simulator.routes import MODELS_PATH
from tests.simulation.__main__ import main
from tests.simulation.calls import TLS
from tests.simulation.commands import EDITS_BY_NAME, FAULTS_BY_NAME


def test_totals_follow_edits(capsys: pytest.CaptureFixture[str]) -> None:
    """What --edit changes is in the printed truth."""
    empty = ["--edit", '{"edit": "Hide"}']

    main(["--today", "2026-09-20", *empty, "--print-totals", "2026-08-01", "2026-08-31"])

    assert capsys.readouterr().out == "credits=0\nminutes=0\nrequests=0\ncost=0\nunpriced_rows=0\n"


def test_help_names_every_edit_and_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """The help lists what --edit, --fault and --control understand."""
    with pytest.raises(SystemExit):
        main(["--help"])

    text = capsys.readouterr().out
    assert all(f"{name}(" in text for name in (*EDITS_BY_NAME, *FAULTS_BY_NAME))
    assert "GET  totals" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["--billing", "barter"],
        ["--edit", "not JSON"],
        ["--edit", '{"edit": "Nothing"}'],
        ["--edit", '{"edit": "Hide", "arguments": {"key": "nobody"}}'],
        ["--fault", '{"fault": "Delay"}'],
    ],
)
def test_bad_arguments_are_refused_with_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake on the command line is named on stderr."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_it_misbehaves_as_the_options_say_and_takes_no_command() -> None:
    """A residency host meets its first request with the fault, the next are ordinary, and there is no control."""
    fault = '{"fault": "ErrorStatus", "arguments": {"status": 503}, "path_prefix": "/v1/models"}'
    program = [sys.executable, "-m", "tests.simulation", "--port", "0", "--region", "eu", "--fault", fault]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url, key = (process.stdout.readline().split()[-1] for _ in range(2))

            headers = {"xi-api-key": key}
            models = [httpx.get(url + MODELS_PATH, headers=headers, verify=TLS).status_code for _ in range(2)]
            control = httpx.get(f"{url}/_control/requests", verify=TLS).status_code
        finally:
            process.terminate()

    assert key == key_of("eu", SIMULATED_API_KEY)
    assert (models, control) == ([503, 200], 404)
