"""`make bench`: what the design promises in speed and memory, measured on both database engines and printed.

Nothing here is asserted: a number that depends on the machine is for people to read.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

ENGINES = ("sqlite", "postgresql")
KEYS, MODELS, DAYS = 100, 10, 300
PAGE_REPEATS = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, help="only this one, in this process")
    engine = parser.parse_args().engine
    if engine:
        measure(engine)
        return 0
    from tests.services.postgresql import PostgresServer

    with PostgresServer() as server:
        return max(
            subprocess.run(
                [sys.executable, "-m", "tests.bench", "--engine", name],
                env=os.environ | {"TEST_ENGINE": name, "TEST_DATABASE_URL": server.url},
                check=False,
            ).returncode
            for name in ENGINES
        )


def measure(engine: str) -> None:
    """Print this engine's figures, from a database that is made for it and removed again."""
    os.environ["TEST_ENGINE"] = engine
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    django.setup()
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        sys.stdout.write(f"\n{engine}\n")
        _measure_sync()
        _measure_pages("12 keys, 365 days")
        _measure_writing()
        _measure_pages(f"{KEYS} keys × {MODELS} models × {DAYS} days more")
    finally:
        teardown_databases(databases, verbosity=0)
    _print("peak memory of this process", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def _measure_sync() -> None:
    """The initial sync of the simulated workspace over HTTP, and the hourly one after it."""
    from django.test import override_settings

    from elevenlabs_sync.simulator import SIMULATED_API_KEY, SimulatedWorkspace, SimulatorServer
    from elevenlabs_sync.sync import run_sync
    from providers.models import SyncRun
    from providers.services.queueing import request_sync
    from tests import factories

    now = datetime.now(UTC)
    provider = factories.make_provider(
        name="Bench", api_key=SIMULATED_API_KEY, history_from=now.date() - timedelta(days=364), last_synced_at=None
    )
    with (
        SimulatorServer(SimulatedWorkspace(now.date())) as simulator,
        override_settings(ELEVENLABS_BASE_URL=simulator.base_url),
    ):
        for name in ("initial sync, simulated workspace", "hourly sync, nothing changed"):
            run = request_sync(provider=provider, trigger=SyncRun.Trigger.MANUAL, now=now)
            with _timed() as measured:
                run_sync(run.pk)
            _print(name, f"{measured.seconds:.2f} s")


def _measure_writing() -> None:
    """The write path alone, in windows of 30 days."""
    from costs.writing import Usage, write_usage
    from providers.models import Project
    from tests import factories

    provider = factories.make_provider(name="Bench, writing", api_key="sk_" + "ab" * 24)
    projects = Project.objects.bulk_create(
        [Project(provider=provider, external_id=f"bench-{number}") for number in range(KEYS)]
    )
    first = factories.TODAY - timedelta(days=DAYS - 1)
    windows = [
        [
            Usage(
                project_id=project.pk,
                day=first + timedelta(days=offset),
                model=f"model-{model}",
                credits=Decimal(100 + offset),
                minutes=Decimal("1.25"),
                requests=7,
                cost=Decimal("0.0123456789"),
                currency="usd",
            )
            for project in projects
            for offset in range(start, start + 30)
            for model in range(MODELS)
        ]
        for start in range(0, DAYS, 30)
    ]
    rows = sum(len(window) for window in windows)
    for name in ("writing, all rows new", "writing, no row changed"):
        with _timed() as measured:
            for window in windows:
                days = [usage.day for usage in window]
                write_usage(provider=provider, first=min(days), last=max(days), rows=window, read_at=factories.NOW)
        _print(name, f"{rows / measured.seconds:,.0f} rows/s ({rows:,} rows)")


def _measure_pages(data: str) -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    from providers.models import Provider

    user, _ = User.objects.get_or_create(username="bench")
    client = Client()
    client.force_login(user)
    provider = Provider.objects.order_by("pk").last()
    assert provider is not None
    for path in ("/", "/companies/", "/providers/", provider.get_absolute_url()):
        times: list[float] = []
        for _ in range(PAGE_REPEATS):
            with _timed() as measured:
                assert client.get(path).status_code == 200
            times.append(measured.seconds)
        _print(f"page {path}, {data}", f"{statistics.median(times) * 1000:.0f} ms")


@dataclass
class Measured:
    seconds: float = 0


@contextmanager
def _timed() -> Iterator[Measured]:
    measured = Measured()
    begun = time.perf_counter()
    yield measured
    measured.seconds = time.perf_counter() - begun


def _print(name: str, value: str) -> None:
    sys.stdout.write(f"  {name:<70} {value}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
