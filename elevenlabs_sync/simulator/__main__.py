"""`python -m elevenlabs_sync.simulator`: runs the simulator in the foreground, or prints the truth it would tell."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from elevenlabs_sync.simulator import billing, jsontext
from elevenlabs_sync.simulator.access import REGIONS, RESTRICTED_API_KEY, key_of, keys_of
from elevenlabs_sync.simulator.server import SimulatorServer
from elevenlabs_sync.simulator.workspace import Agents, SimulatedWorkspace

DEFAULT_PORT = 9000
LONGEST_HISTORY_DAYS = 10_000

Workspace = TypeVar("Workspace", bound=SimulatedWorkspace)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = workspace_parser(
        prog="python -m elevenlabs_sync.simulator",
        description="A simulated ElevenLabs workspace with deterministic usage, served on this machine's loopback.",
    )
    options = read_options(parser, arguments)
    source = workspaces(options, SimulatedWorkspace)
    return run(options, SimulatorServer(source, port=options.port, keys=keys_for(options)))


def workspace_parser(*, prog: str, description: str, epilog: str = "") -> argparse.ArgumentParser:
    """A parser of the options that say what workspace is served."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=epilog,
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
        "--agents",
        type=Agents,
        default=Agents.NONE,
        metavar="none|told|untold",
        help="whether it has voice agents, and whether its usage names them (default: none)",
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
        "--print-totals",
        nargs=2,
        type=_day,
        metavar=("FROM", "TO"),
        help="print the exact totals of these UTC dates, both included, as key=value lines (unknown: no value), and "
        "exit",
    )
    return parser


def read_options(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options, with `billing` as a Billing; ends the process with a sentence where one is out of its bounds."""
    options = parser.parse_args(arguments)
    if not 0 <= options.days <= LONGEST_HISTORY_DAYS:
        parser.error(f"--days must be from 0 to {LONGEST_HISTORY_DAYS}")
    if not 0 <= options.port <= 65_535:
        parser.error("--port must be from 0 to 65535")
    if options.print_totals and options.print_totals[0] > options.print_totals[1]:
        parser.error("--print-totals: FROM must not be after TO")
    started = options.today or datetime.now(UTC).date()
    try:
        options.billing = billing.by_name(options.billing, moved_on=started - timedelta(days=options.days // 2))
    except ValueError as error:
        parser.error(str(error))
    return options


def workspaces(options: argparse.Namespace, make: Callable[..., Workspace]) -> Callable[[], Workspace]:
    """What gives the workspace of the options as it is now, so that it rolls over at midnight UTC."""
    return lambda: make(
        options.today or datetime.now(UTC).date(), options.days, billing=options.billing, agents=options.agents
    )


def keys_for(options: argparse.Namespace) -> dict[str, Collection[str]]:
    """The API keys to accept, with their permissions."""
    keys = keys_of(options.region)
    restricted = key_of(options.region, RESTRICTED_API_KEY)
    return {restricted: keys[restricted]} if options.restricted else keys


def run(options: argparse.Namespace, server: SimulatorServer) -> int:
    """Does with a server what the options ask for; returns the exit code. Must be called in the main thread."""
    if options.print_totals:
        print_totals(server.current_workspace(), *options.print_totals)
        return 0
    return serve(server)


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


def serve(server: SimulatorServer) -> int:
    """Serves until Ctrl-C or SIGTERM, and names the first of the server's keys; must be called in the main thread."""
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
            f"API key (made up, opens nothing else): {next(iter(server.keys))}\n"
            "Press Ctrl-C to stop.\n"
        )
        sys.stdout.flush()
        asked_to_stop.wait()
    finally:
        server.stop()
    return 0


def _plain(number: Decimal | None) -> str:
    return "" if number is None else jsontext.plain(number)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-09-20") from None


if __name__ == "__main__":
    sys.exit(main())
