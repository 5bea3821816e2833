"""The product as people run it: real processes, started and stopped from outside.

Nothing is imported from it here. `EmbeddedProduct` is one process with a home folder; `ProductionProduct` is web,
worker and beat on PostgreSQL and Redis.
"""

import json
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from signal import SIGINT, Signals
from types import TracebackType
from typing import Any, Self

import redis

from tests.services.processes import ChildProcess, accepts_connections, free_port, plain_environment, wait_for

ROOT = Path(__file__).resolve().parents[2]
ADMIN_PASSWORD = "only-for-tests-0815"
START_SECONDS = 60
# The sweep, which runs once a minute, may have to find the run first.
SYNC_SECONDS = 120


class EmbeddedProduct:
    """`manage.py run` with a home of its own; leaving the context ends it whatever state it is in.

    `environment` may be changed before each start. A simulator's address in `elevenlabs_base_url` takes the Global
    region's place.
    """

    def __init__(self, data_dir: Path, *, admin_password: str = ADMIN_PASSWORD, elevenlabs_base_url: str = "") -> None:
        self.data_dir = data_dir
        self.environment = _environment(
            {
                "DATABASE_URL": "",
                "REDIS_URL": "",
                "DATA_DIR": str(data_dir),
                "PORT": str(free_port()),
                "ADMIN_PASSWORD": admin_password,
                "ELEVENLABS_BASE_URL": elevenlabs_base_url,
            }
        )
        self._process: ChildProcess | None = None

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def process(self) -> ChildProcess:
        """The started process, also once it has ended."""
        if self._process is None:
            raise RuntimeError("the product was not started")
        return self._process

    @property
    def output(self) -> str:
        """What the last start has printed so far."""
        return self.process.output

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()

    def launch(self, *options: str) -> ChildProcess:
        """Start it without waiting for anything."""
        self._process = _child([sys.executable, "manage.py", "run", *options], self.environment, self._log)
        return self._process

    def start(self, *options: str) -> None:
        """Start it and wait until it is ready to be used."""
        self.launch(*options).wait_until(lambda: is_ready(self.url), seconds=START_SECONDS, what="ready")

    def stop(self, number: Signals = SIGINT) -> int:
        """Ask it to end, as Ctrl-C does, and return the exit status."""
        return self.process.stop(number)

    def manage(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run another management command on the same home, with `text` as its standard input."""
        return _manage(arguments, self.environment, text)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """What is in its database, without a process for asking."""
        with closing(sqlite3.connect(self.data_dir / "administrate.sqlite3")) as connection:
            return connection.execute(statement).fetchall()

    def wait_for_runs(self, count: int) -> None:
        """Wait until `count` syncs have ended."""
        ended = "SELECT count(*) FROM providers_syncrun WHERE finished_at IS NOT NULL"
        wait_for(lambda: self.query(ended) >= [(count,)], seconds=SYNC_SECONDS, what=f"{count} syncs ended", every=0.2)

    @property
    def _log(self) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.log")


class ProductionProduct:
    """Web, workers and beat as separate processes; leaving the context ends all that were started."""

    def __init__(self, *, database_url: str, redis_url: str, folder: Path, elevenlabs_base_url: str = "") -> None:
        self.redis_url = redis_url
        self.environment = _environment(
            {
                "SECRET_KEY": secrets.token_urlsafe(50),
                "ENCRYPTION_KEYS": secrets.token_urlsafe(32) + "=",
                "ALLOWED_HOSTS": "127.0.0.1,localhost",
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "DATA_DIR": str(folder / "home"),
                "ADMIN_PASSWORD": ADMIN_PASSWORD,
                "ELEVENLABS_BASE_URL": elevenlabs_base_url,
                # What a process leaves that is killed goes with the folder.
                "TMPDIR": str(folder),
            }
        )
        self._folder = folder
        self._started: list[ChildProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._started):
            process.kill()

    def prepare(self) -> None:
        """Migrate the database and make the first admin, as a deployment does before it starts."""
        for command in (["migrate", "--no-input"], ["create_first_admin"]):
            done = self.manage(*command)
            assert done.returncode == 0, done.stderr

    def empty_queue(self) -> None:
        queue = redis.Redis.from_url(self.redis_url)
        queue.flushdb()
        queue.close()

    def manage(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a management command, with `text` as its standard input."""
        return _manage(arguments, self.environment, text)

    def start_web(self) -> str:
        """Start gunicorn and return its address once it is ready."""
        _collect_static_files()
        port = free_port()
        web = self._start("web", ["gunicorn", "administrate.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2"])
        url = f"http://127.0.0.1:{port}"
        web.wait_until(lambda: is_ready(url), seconds=START_SECONDS, what="ready")
        return url

    def start_mcp(self) -> str:
        """Start the server for assistants and return its address once it listens."""
        port = free_port()
        process = _child(
            [sys.executable, "manage.py", "mcp", "--port", str(port)], self.environment, self._folder / "mcp.log"
        )
        self._started.append(process)
        process.wait_until(lambda: accepts_connections(port), seconds=START_SECONDS, what="ready")
        return f"http://127.0.0.1:{port}/mcp"

    def start_worker(self) -> ChildProcess:
        """Start a prefork worker and return it once it takes tasks."""
        worker = self._start(
            "worker", ["celery", "-A", "administrate", "worker", "--loglevel", "INFO", "--concurrency", "2"]
        )
        worker.wait_until(lambda: " ready." in worker.output, seconds=START_SECONDS, what="ready")
        return worker

    def start_beat(self) -> ChildProcess:
        """Start the clock and return it once it ticks."""
        beat = self._start("beat", ["celery", "-A", "administrate", "beat", "--loglevel", "INFO"])
        beat.wait_until(lambda: "beat: Starting" in beat.output, seconds=START_SECONDS, what="ready")
        return beat

    def call(self, task: str, *arguments: int) -> None:
        """Send a task by its name, as beat does when its time has come."""
        done = subprocess.run(
            [sys.executable, "-m", "celery", "-A", "administrate", "call", task, "--args", json.dumps(arguments)],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr

    def _start(self, name: str, module_command: list[str]) -> ChildProcess:
        process = _child([sys.executable, "-m", *module_command], self.environment, self._folder / f"{name}.log")
        self._started.append(process)
        return process


@cache
def _collect_static_files() -> None:
    """Into the one folder for them, whoever serves them."""
    with tempfile.TemporaryDirectory() as folder:
        nowhere = ProductionProduct(database_url="postgresql://", redis_url="redis://", folder=Path(folder))
        done = nowhere.manage("collectstatic", "--no-input")
    assert done.returncode == 0, done.stderr


def is_ready(url: str) -> bool:
    """Whether the product at `url` says that it can be used."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310 - a loopback address of ours
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _environment(values: Mapping[str, str]) -> dict[str, str]:
    """A child's environment in which every variable has a value of ours, so that no .env file has a say."""
    return {
        **plain_environment(),
        "PYTHONUNBUFFERED": "1",
        "DEBUG": "False",
        "ALLOWED_HOSTS": "",
        "CSRF_TRUSTED_ORIGINS": "",
        "ADMIN_USERNAME": "admin",
        "DATABASE_PASSWORD": "",
        "REDIS_PASSWORD": "",
        "METRICS_TOKEN": "",
        "LOG_FORMAT": "",
        "TRUSTED_PROXIES": "",
        "HSTS_PRELOAD": "",
        "REQUIRE_TWO_FACTOR": "",
        "REQUIRE_TWO_FACTOR_GRACE_DAYS": "7",
        "OIDC_ISSUER": "",
        "OIDC_CLIENT_ID": "",
        "OIDC_CLIENT_SECRET": "",
        "SYNC_BACKFILL_DAYS": "365",
        "SYNC_TRAILING_DAYS": "7",
        "AUDIT_KEEP_DAYS": "730",
        "SYNC_RUN_KEEP_DAYS": "90",
        "SITE_URL": "",
        "EMAIL_URL": "",
        "DEFAULT_FROM_EMAIL": "",
        "ALLOW_PRIVATE_WEBHOOKS": "False",
        **values,
    }


def _child(command: list[str], environment: Mapping[str, str], log: Path) -> ChildProcess:
    log.parent.mkdir(parents=True, exist_ok=True)
    return ChildProcess(command, log=log, env=environment, cwd=ROOT)


def _manage(arguments: tuple[str, ...], environment: Mapping[str, str], text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=dict(environment),
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
