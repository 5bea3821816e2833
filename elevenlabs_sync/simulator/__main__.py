"""`python -m elevenlabs_sync.simulator`: runs the simulator in the foreground, or prints the truth it would tell.

The options choose what workspace it is; `--edit` and `--fault` (JSON, see `commands`) change its truth and its answers
from the beginning. With `--control` another process may do the same, and more, while it runs: see `control`.
"""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from elevenlabs_sync.simulator import billing, jsontext
from elevenlabs_sync.simulator.access import REGIONS, RESTRICTED_API_KEY, SIMULATED_API_KEY, key_of, keys_of
from elevenlabs_sync.simulator.server import SimulatorServer
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace
from tests.simulation import control
from tests.simulation.commands import EDITS_BY_NAME, FAULTS_BY_NAME, read_edit, read_fault, signature
from tests.simulation.edits import WorkspaceEdits

DEFAULT_PORT = 9000
LONGEST_HISTORY_DAYS = 10_000

Read = TypeVar("Read")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not 0 <= options.days <= LONGEST_HISTORY_DAYS:
        parser.error(f"--days must be from 0 to {LONGEST_HISTORY_DAYS}")
    if not 0 <= options.port <= 65_535:
        parser.error("--port must be from 0 to 65535")
    edits = WorkspaceEdits()
    started = options.today or datetime.now(UTC).date()
    try:
        billed = billing.by_name(options.billing, moved_on=started - timedelta(days=options.days // 2))
        edits.add(*options.edit)
    except ValueError as error:
        parser.error(str(error))

    def workspace() -> SimulatedWorkspace:
        today = options.today or datetime.now(UTC).date()
        return SimulatedWorkspace(today, options.days, billing=billed, edits=edits)

    if options.print_totals:
        first, last = options.print_totals
        if first > last:
            parser.error("--print-totals: FROM must not be after TO")
        print_totals(workspace(), first, last)
        return 0
    api_key = key_of(options.region, RESTRICTED_API_KEY if options.restricted else SIMULATED_API_KEY)
    keys = keys_of(options.region)
    if options.restricted:
        keys = {api_key: keys[api_key]}
    server = SimulatorServer(workspace, port=options.port, keys=keys, control=options.control)
    for fault in options.fault:
        fault.add_to(server.faults)
    return serve(server, api_key=api_key)


def print_totals(workspace: SimulatedWorkspace, first: date, last: date) -> None:
    """Prints the exact sums of the inclusive UTC days, one `key=value` a line; an unknown sum has an empty value.

    Unpriced rows have no part in `cost`. Where days are billed by cost, `unmetered_rows` counts the rows that have no
    part in credits, minutes and requests.
    """
    totals = workspace.totals(first, last + timedelta(days=1))
    lines = {
        "credits": _plain(totals.credits),
        "minutes": _plain(totals.minutes),
        "requests": "" if totals.requests is None else str(totals.requests),
        "cost": _plain(totals.cost),
        "unpriced_rows": str(totals.unpriced_rows),
    }
    if workspace.billing != billing.Credits():
        lines["unmetered_rows"] = str(totals.unmetered_rows)
    sys.stdout.write("".join(f"{name}={value}\n" for name, value in lines.items()))


def serve(server: SimulatorServer, *, api_key: str = SIMULATED_API_KEY) -> int:
    """Serves until Ctrl-C or SIGTERM; must be called in the main thread."""
    try:
        server.start()
    except OSError as error:
        sys.stderr.write(f"The simulator cannot listen: {error.strerror}.\n")
        return 1
    asked_to_stop = threading.Event()
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            # Set explicitly: a shell's background job inherits an ignored SIGINT, with which Python has no Ctrl-C.
            signal.signal(number, lambda _number, _frame: asked_to_stop.set())
        sys.stdout.write(
            f"Simulated ElevenLabs workspace: {server.base_url}\n"
            f"API key (made up, opens nothing else): {api_key}\n"
            "Press Ctrl-C to stop.\n"
        )
        sys.stdout.flush()
        asked_to_stop.wait()
    finally:
        server.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m elevenlabs_sync.simulator",
        description="A simulated ElevenLabs workspace with deterministic usage, served on this machine's loopback.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port to listen on; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--today",
        type=_day,
        metavar="DATE",
        help="the workspace's today as YYYY-MM-DD (default: the current UTC date, rolling over at midnight)",
    )
    parser.add_argument(
        "--days", type=int, default=365, help="days of history before today (default: %(default)s)", metavar="N"
    )
    parser.add_argument(
        "--billing",
        default="credits",
        metavar="credits|cost|moved[:DATE]",
        help="how the workspace is billed; moved = in credits before the UTC date and by cost from it on "
        "(default: %(default)s; the date: the middle of the history)",
    )
    parser.add_argument(
        "--restricted", action="store_true", help="accept only an API key that may not read the workspace's usage"
    )
    parser.add_argument(
        "--region",
        choices=REGIONS,
        default="global",
        help="the host it stands for; a residency host has API keys of its own (default: %(default)s)",
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
    parser.add_argument(
        "--print-totals",
        nargs=2,
        type=_day,
        metavar=("FROM", "TO"),
        help="print the exact totals of these UTC dates, both included, as key=value lines (unknown: no value), and "
        "exit",
    )
    return parser


def _epilog() -> str:
    edits = "\n".join(f"    {signature(make)}" for make in EDITS_BY_NAME.values())
    faults = "\n".join(f"    {signature(make)}" for make in FAULTS_BY_NAME.values())
    return f"edits:\n{edits}\n\nfaults:\n{faults}\n\n{control.__doc__}"


def _plain(number: Decimal | None) -> str:
    return "" if number is None else jsontext.plain(number)


def _json(read: Callable[[object], Read]) -> Callable[[str], Read]:
    def from_text(text: str) -> Read:
        try:
            return read(json.loads(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return from_text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-09-20") from None


if __name__ == "__main__":
    sys.exit(main())
