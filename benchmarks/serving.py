"""The embedded product as programs on its machine ask it: requests a second from outside, of the demo's data.

Reference: Django and waitress alone, which answer the same bytes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlencode

from api.rates import LIMIT
from benchmarks.measuring import cpu_seconds_of
from benchmarks.results import Result
from benchmarks.world import Effort, today
from core.months import days_of, first_of, preceding
from tests.services.processes import ChildProcess, accepts_connections, free_port, plain_environment, wait_for
from tests.services.product import ROOT, EmbeddedProduct

CLIENTS = 4
START_SECONDS = 120
# Of each token within a minute.
REQUESTS_OF_A_TOKEN = LIMIT // 2

_TOKENS = """
from django.contrib.auth.models import User
from django.utils import timezone
from api.services import create_token
for number in range({count}):
    print(create_token(user=User.objects.get(), name="Bench", scopes=["costs:read"], now=timezone.now())[1])
"""


@dataclass(frozen=True)
class Served:
    per_second: float
    server_ms: float  # of the server's processor time, for each request
    slow_ms: float  # 95 of 100 took no longer
    body: bytes


def measure(effort: Effort) -> Iterator[Result]:
    month = days_of(preceding(first_of(today())))
    query = {"from": month.first.isoformat(), "to": month.last.isoformat(), "group_by": "company"}
    path = f"/api/v1/costs?{urlencode(query)}"
    with tempfile.TemporaryDirectory(prefix="administrate-bench-") as folder:
        with _demo(Path(folder) / "home", days=effort.demo_days) as product:
            tokens = _tokens(product, 1 + effort.served_requests // REQUESTS_OF_A_TOKEN)
            served = _drive(int(product.environment["PORT"]), product.process.pid, path, tokens, effort.served_requests)
        with _bare(Path(folder), served.body) as (port, pid):
            bare = _drive(port, pid, path, tokens, effort.served_requests)
    yield Result(
        "api",
        f"the embedded demo from outside, {CLIENTS} clients",
        served.per_second,
        "requests/s",
        {"bare Django": served.per_second / bare.per_second},
        {"server_ms": served.server_ms, "slow_ms": served.slow_ms, "bare_server_ms": bare.server_ms},
    )


@contextmanager
def _demo(home: Path, *, days: int) -> Iterator[EmbeddedProduct]:
    """Started, synced and with its examples."""
    with EmbeddedProduct(home) as product:
        product.environment["SYNC_BACKFILL_DAYS"] = str(days)
        product.start("--demo")
        companies = "SELECT COUNT(*) > 0 FROM providers_company"
        wait_for(lambda: product.query(companies) == [(1,)], seconds=START_SECONDS, what="synced", every=0.2)
        yield product


def _tokens(product: EmbeddedProduct, count: int) -> list[str]:
    done = product.manage("shell", "--verbosity", "0", "--command", _TOKENS.format(count=count))
    if done.returncode:
        raise RuntimeError(f"No tokens were made: {done.stderr}")
    return done.stdout.split()


@contextmanager
def _bare(folder: Path, body: bytes) -> Iterator[tuple[int, int]]:
    """The port and the process of the reference."""
    file, port = folder / "answer.json", free_port()
    file.write_bytes(body)
    command = [sys.executable, "-m", "benchmarks.bare", str(port), str(file)]
    process = ChildProcess(command, log=folder / "bare.log", env=plain_environment(), cwd=ROOT)
    try:
        process.wait_until(lambda: accepts_connections(port), seconds=START_SECONDS, what="ready")
        yield port, process.pid
    finally:
        process.kill()


def _drive(port: int, pid: int, path: str, tokens: Sequence[str], requests: int) -> Served:
    """Ask so often by a few clients, each with one connection; a first round is not measured."""
    _taken, body = _ask(port, path, tokens)[0]
    shares = [list(islice(cycle(tokens), first, first + requests // CLIENTS)) for first in range(CLIENTS)]
    begun, cpu = time.perf_counter(), cpu_seconds_of(pid)
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = [answer for of_client in clients.map(partial(_ask, port, path), shares) for answer in of_client]
    seconds, cpu = time.perf_counter() - begun, cpu_seconds_of(pid) - cpu
    times = sorted(taken for taken, _body in answers)
    return Served(len(answers) / seconds, cpu / len(answers) * 1000, times[len(times) * 95 // 100 - 1] * 1000, body)


def _ask(port: int, path: str, tokens: Sequence[str]) -> list[tuple[float, bytes]]:
    """One request for each of ``tokens``, over one connection: how long each took, and what was answered."""
    answers = []
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for token in tokens:
            begun = time.perf_counter()
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise RuntimeError(f"{path} answers {response.status}.")
            answers.append((time.perf_counter() - begun, body))
    return answers
