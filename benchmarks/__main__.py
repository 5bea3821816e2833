"""The suite's command: `make bench ARGS="…"`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.results import Report, Result, lines_of
from tests.services.postgresql import PostgresServer, new_database
from tests.services.programs import POSTGRESQL, MissingProgramError

PARTS = ("pages", "api", "storage", "exports", "writing", "syncing", "decoding", "alerts")
ENGINES = ("postgresql", "sqlite")
# Of a server of our own, whose housekeeping does nothing by itself; it is asked for by name instead.
SERVER_SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "8GB"}


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    try:
        earlier = Report.read(options.compare) if options.compare else None
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{options.compare} can't be compared with: {error}\n")
        return 2
    begun = time.monotonic()
    try:
        with _database(options.engine):
            report = _measured(options)
    except MissingProgramError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    lines = [
        *lines_of(report.results, earlier),
        "",
        *report.about["left_out"],
        f"Took {time.monotonic() - begun:.0f} s: {_summary(report.about)}.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    if options.json:
        report.write(options.json)
    return 0


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measure the product beside references; benchmarks/README.md explains the table."
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a million rows and the pages that people open most")
    size.add_argument("--toy", action="store_true", help="a few thousand rows: whether it works, not how fast")
    parser.add_argument("--only", type=_parts, default=PARTS, metavar="PART,…", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--engine", choices=ENGINES, default=ENGINES[0], help="default: postgresql")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the report")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="show a kept report beside this one")
    return parser.parse_args(words)


def _parts(text: str) -> tuple[str, ...]:
    asked = text.split(",")
    if unknown := set(asked) - set(PARTS):
        raise argparse.ArgumentTypeError(f"there is no part {', '.join(sorted(unknown))}: {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in asked)


@contextmanager
def _database(engine: str) -> Iterator[None]:
    """Django on a new, empty, migrated database, removed at the end.

    On the server that TEST_DATABASE_URL names, else on a private one.
    """
    with ExitStack() as stack:
        os.environ |= {"TEST_ENGINE": engine, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        if engine == "postgresql":
            server = POSTGRESQL.named or stack.enter_context(PostgresServer(SERVER_SETTINGS)).url
            os.environ[POSTGRESQL.variable] = stack.enter_context(new_database(server))
        import django
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connection, connections

        django.setup()
        settings.ALLOWED_HOSTS = ["testserver"]
        if engine == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="administrate-bench-"))
            connection.settings_dict["NAME"] = f"{folder}/bench.sqlite3"
        stack.callback(connections.close_all)
        _say("migrating")
        call_command("migrate", verbosity=0, interactive=False)
        yield


def _measured(options: argparse.Namespace) -> Report:
    from django.urls import get_resolver

    from administrate.garbage import spare_what_is_loaded
    from benchmarks import alerts, api, decoding, exports, pages, storage, syncing, world, writing
    from benchmarks.loading import load, refresh_statistics, verify

    # As the processes do whose work is measured.
    get_resolver().url_patterns  # noqa: B018 - loads them
    spare_what_is_loaded()
    if options.toy:
        size, effort = world.TOY, world.TOY_EFFORT
    elif options.quick or options.engine == "sqlite":
        size, effort = world.QUICK, world.QUICK_EFFORT
    else:
        size, effort = world.WHOLE, world.WHOLE_EFFORT

    if options.only == ("decoding",):
        size = world.TOY  # it looks at no table

    small: dict[str, float] = {}
    if "pages" in options.only:
        _say("pages of a small world")
        small_world = load(effort.small, "Small")
        refresh_statistics()
        small = pages.seconds_of_pages(small_world, effort)
    _say(f"loading {size.rows:,} rows")
    loaded = load(size, "Large")
    verify(loaded)
    refresh_statistics()

    parts: dict[str, Callable[[], Iterator[Result]]] = {
        "pages": lambda: pages.measure(loaded, effort, of_small_world=small),
        "api": lambda: api.measure(effort),
        "storage": storage.measure,
        "writing": lambda: writing.measure(loaded, effort),
        "syncing": lambda: syncing.measure(effort),
        "exports": lambda: exports.measure(loaded, effort),
        "decoding": lambda: decoding.measure(effort),
        "alerts": lambda: alerts.measure(effort),
    }
    results: list[Result] = []
    for part in options.only:
        _say(part)
        results += parts[part]()
    left_out = decoding.missing() if "decoding" in options.only else []
    if "storage" in options.only and options.engine == "sqlite":
        left_out.append("Storage is not measured: SQLite does not tell what a table takes.")
    return Report(_about(options.engine, asdict(size)) | {"left_out": left_out}, results)


def _about(engine: str, size: dict[str, int]) -> dict[str, Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version" if engine == "postgresql" else "SELECT sqlite_version()")
        (version,) = cursor.fetchone()
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "engine": engine,
        "version": version,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "size": size,
    }


def _summary(about: Mapping[str, Any]) -> str:
    size = about["size"]
    rows = size["workspaces"] * size["keys"] * size["models"] * size["days"]
    return (
        f"{rows:,} rows ({size['workspaces']} workspaces × {size['keys']} keys × {size['models']} models × "
        f"{size['days']} days, {size['companies']} companies) on {about['engine']} {about['version']}"
    )


def _say(text: str) -> None:
    """What is being done, for whoever waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text} …\n")


if __name__ == "__main__":
    sys.exit(main())
