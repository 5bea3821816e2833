"""`python -m elevenlabs_sync.simulator`: runs the simulator in the foreground, or prints the truth it would tell."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from elevenlabs_sync.simulator import jsontext
from elevenlabs_sync.simulator.access import SIMULATED_API_KEY
from elevenlabs_sync.simulator.server import SimulatorServer
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace

DEFAULT_PORT = 9000
LONGEST_HISTORY_DAYS = 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not 0 <= options.days <= LONGEST_HISTORY_DAYS:
        parser.error(f"--days must be from 0 to {LONGEST_HISTORY_DAYS}")
    if not 0 <= options.port <= 65_535:
        parser.error("--port must be from 0 to 65535")

    def workspace() -> SimulatedWorkspace:
        return SimulatedWorkspace(options.today or datetime.now(UTC).date(), options.days)

    if options.print_totals:
        first, last = options.print_totals
        if first > last:
            parser.error("--print-totals: FROM must not be after TO")
        print_totals(workspace(), first, last)
        return 0
    return serve(SimulatorServer(workspace, port=options.port))


def print_totals(workspace: SimulatedWorkspace, first: date, last: date) -> None:
    """Prints the exact sums of the inclusive UTC days, one `key=value` a line; unpriced rows have no part in `cost`."""
    totals = workspace.totals(first, last + timedelta(days=1))
    sys.stdout.write(
        f"credits={jsontext.plain(totals.credits)}\n"
        f"minutes={jsontext.plain(totals.minutes)}\n"
        f"requests={totals.requests}\n"
        f"cost={jsontext.plain(totals.cost)}\n"
        f"unpriced_rows={totals.unpriced_rows}\n"
    )


def serve(server: SimulatorServer) -> int:
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
            f"API key (made up, opens nothing else): {SIMULATED_API_KEY}\n"
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
        "--print-totals",
        nargs=2,
        type=_day,
        metavar=("FROM", "TO"),
        help="print the exact totals of these UTC dates, both included, as key=value lines, and exit",
    )
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-09-20") from None


if __name__ == "__main__":
    sys.exit(main())
