"""`python -m tests.simulation`: a simulator that misbehaves, as a process of its own.

It takes the options of `python -m elevenlabs_sync.simulator` and more: `--edit` and `--fault` (JSON, see `commands`)
change its truth and its answers from the beginning. With `--control` another process may do the same, and more, while
it runs: see `control`.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from elevenlabs_sync.simulator.__main__ import keys_for, read_options, run, workspace_parser, workspaces
from tests.simulation import control
from tests.simulation.commands import EDITS_BY_NAME, FAULTS_BY_NAME, read_edit, read_fault, signature
from tests.simulation.edits import WorkspaceEdits
from tests.simulation.server import FaultySimulator
from tests.simulation.workspace import EditedWorkspace

Read = TypeVar("Read")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = _parser()
    options = read_options(parser, arguments)
    edits = WorkspaceEdits()
    try:
        edits.add(*options.edit)
    except ValueError as error:
        parser.error(str(error))
    source = workspaces(options, partial(EditedWorkspace, edits=edits))
    server = FaultySimulator(source, port=options.port, keys=keys_for(options), control=options.control)
    for fault in options.fault:
        fault.add_to(server.faults)
    return run(options, server)


def _parser() -> argparse.ArgumentParser:
    parser = workspace_parser(
        prog="python -m tests.simulation",
        description="A simulated ElevenLabs workspace that misbehaves, served on this machine's loopback.",
        epilog=_epilog(),
    )
    parser.add_argument(
        "--edit",
        type=_json(read_edit),
        action="append",
        default=[],
        metavar="JSON",
        help='change the truth, --print-totals included: {"edit": NAME, "arguments": {…}}; may be repeated',
    )
    parser.add_argument(
        "--fault",
        type=_json(read_fault),
        action="append",
        default=[],
        metavar="JSON",
        help='misbehave: {"fault": NAME, "arguments": {…}, "path_prefix": "/v1/", "times": 1, "after": 0}; '
        "times null is always; may be repeated",
    )
    parser.add_argument(
        "--control", action="store_true", help="let other processes of this machine command it over HTTP (see below)"
    )
    return parser


def _epilog() -> str:
    edits = "\n".join(f"    {signature(make)}" for make in EDITS_BY_NAME.values())
    faults = "\n".join(f"    {signature(make)}" for make in FAULTS_BY_NAME.values())
    return f"edits:\n{edits}\n\nfaults:\n{faults}\n\n{control.__doc__}"


def _json(read: Callable[[object], Read]) -> Callable[[str], Read]:
    def from_text(text: str) -> Read:
        try:
            return read(json.loads(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return from_text


if __name__ == "__main__":
    sys.exit(main())
