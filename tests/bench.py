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
KEYS, MODELS, COMPANIES = 100, 10, 25
DAYS = {"sqlite": 300, "postgresql": 1000}  # a million rows where that many are expected
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
        _measure_writing(DAYS[engine])
        _measure_pages(f"{KEYS} keys × {MODELS} models × {DAYS[engine]} days more")
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


def _measure_writing(days: int) -> None:
    """The write path, attribution included, in windows of 30 days; and assigning one key anew."""
    from costs.usage.attribution import attribute
    from costs.usage.writing import Usage, write_usage
    from providers.models import Project
    from tests import factories

    provider = factories.make_provider(name="Bench, writing", api_key="sk_" + "ab" * 24)
    projects = Project.objects.bulk_create(
        [Project(provider=provider, external_id=f"bench-{number}") for number in range(KEYS)]
    )
    companies = [factories.make_company() for _ in range(COMPANIES)]
    for number, project in enumerate(projects[:-5]):
        factories.make_assignment(project=project, company=companies[number % COMPANIES])
    today = datetime.now(UTC).date()
    first = today - timedelta(days=days - 1)
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
            for offset in range(start, min(start + 30, days))
            for model in range(MODELS)
        ]
        for start in range(0, days, 30)
    ]
    rows = sum(len(window) for window in windows)
    now = datetime.now(UTC)
    for name in ("writing, all rows new", "writing, no row changed"):
        with _timed() as measured:
            for window in windows:
                of_window = [usage.day for usage in window]
                write_usage(provider=provider, first=min(of_window), last=max(of_window), rows=window, read_at=now)
        _print(name, f"{rows / measured.seconds:,.0f} rows/s ({rows:,} rows)")

    with _timed() as measured:
        attribute([projects[0].pk])
    _print("attributing one key anew", f"{measured.seconds:.2f} s ({days * MODELS:,} rows)")


def _measure_pages(data: str) -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    from accounts.models import Role
    from providers.models import Company, Provider
    from tests import factories

    user = User.objects.filter(username="bench").first() or factories.make_user(username="bench", role=Role.ADMIN)
    client = Client()
    client.force_login(user)
    provider = Provider.objects.order_by("pk").last()
    assert provider is not None
    company = Company.objects.order_by("pk").last()
    year = f"?from={datetime.now(UTC).date() - timedelta(days=364)}&to={datetime.now(UTC).date()}"
    paths = ["/", "/?by=model", "/companies/", "/models/", "/providers/", provider.get_absolute_url(), f"/{year}"]
    if company:
        paths += [company.get_absolute_url(), f"/companies/{year}", f"{company.get_absolute_url()}{year}"]
    for path in paths:
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
