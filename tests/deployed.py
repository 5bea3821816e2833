"""The product as the compose file and the image run it, without containers: their commands, variables and files.

PostgreSQL and Redis are private servers in the containers' place; the proxy is a transport of the HTTP client.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, LiteralString, Self
from urllib.parse import urlsplit

import httpx
import psycopg
import yaml

from tests.services.postgresql import PostgresServer
from tests.services.processes import ChildProcess, free_port, plain_environment, wait_for
from tests.services.product import ADMIN_PASSWORD, ROOT, is_ready
from tests.services.programs import POSTGRESQL
from tests.services.redis import RedisServer

HOST = "costs.example.com"
START_SECONDS = 60


def compose() -> dict[str, Any]:
    """The compose file with its anchors and merges resolved, its variables not."""
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert isinstance(document, dict)
    return document


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """What Compose makes of ``${A}``, ``${A:-default}``, ``${A:+instead}`` and ``${A:?message}``, also nested."""
    innermost = re.compile(r"\$\{(\w+)(?::([-+?])([^${}]*))?\}")

    def value(found: re.Match[str]) -> str:
        name, operator, word = found[1], found[2], found[3] or ""
        given = variables.get(name, "")
        if operator == "+":
            return word if given else ""
        if operator == "?" and not given:
            return f"<{word}>"
        return given or (word if operator == "-" else "")

    while innermost.search(text):
        text = innermost.sub(value, text)
    if "<" in text:
        raise AssertionError(f"docker compose up stops: {text}")
    return text.replace("$$", "$")


def shell_of_image() -> list[str]:
    """The commands of the Dockerfile's RUN lines, in order."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return re.findall(r"^RUN (.+)$", text, re.MULTILINE)


def command_of_image() -> list[str]:
    [words] = re.findall(r"^CMD (\[.+\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return list(yaml.safe_load(words))


def copy_into_image(folder: Path) -> None:
    """What .dockerignore lets through, as COPY puts it there."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    for name in [line[1:].rstrip("/") for line in lines if line.startswith("!")]:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(source, folder)


class Deployed:
    """Started by entering it; leaving it ends everything."""

    def __init__(self, folder: Path, *, base_url: str) -> None:
        self.folder = folder
        self.app = folder / "app"
        self.postgres = PostgresServer()
        self.redis = RedisServer(secrets.token_hex(24))
        self.port = free_port()
        self.processes: dict[str, ChildProcess] = {}
        self.migrations: list[subprocess.CompletedProcess[str]] = []
        self._base_url = base_url

    def __enter__(self) -> Self:
        try:
            self.postgres.__enter__()
            self.redis.__enter__()
            self._build()
            self._up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for process in reversed(self.processes.values()):
            process.kill()
        self.redis.close()
        self.postgres.close()

    @cached_property
    def dot_env(self) -> dict[str, str]:
        """The file .env of an installation behind a proxy, whose secrets lie in files."""
        folder = self.folder / "secrets"
        folder.mkdir(mode=0o700)
        texts = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEYS": secrets.token_urlsafe(32) + "=",
            "POSTGRES_PASSWORD": urlsplit(self.postgres.url).password or "",
            "DATABASE_OWNER_PASSWORD": secrets.token_hex(24),
            "DATABASE_PASSWORD": secrets.token_hex(24),
            "REDIS_PASSWORD": self.redis.password,
            "METRICS_TOKEN": secrets.token_urlsafe(32),
        }
        for name, text in texts.items():
            (folder / name.lower()).write_text(f"{text}\n")
        return {
            **{f"{name}_FILE": str(folder / name.lower()) for name in texts if name != "METRICS_TOKEN"},
            "METRICS_TOKEN": texts["METRICS_TOKEN"],
            "ALLOWED_HOSTS": HOST,
            "CSRF_TRUSTED_ORIGINS": f"https://{HOST}",
            "ADMIN_PASSWORD": ADMIN_PASSWORD,
            "WEB_CONCURRENCY": "2",
        }

    def environment(self, service: str) -> dict[str, str]:
        """What the service's container would have, with the servers' real addresses and the files' real paths."""
        server = urlsplit(self.postgres.url)
        given = {
            name: interpolated(str(value), self.dot_env)
            .replace("/run/secrets", str(self.folder / "secrets"))
            .replace("@postgres:5432/", f"@127.0.0.1:{server.port}/")
            .replace("redis://redis:6379/0", self.redis.url)
            for name, value in compose()["services"][service]["environment"].items()
        }
        return {
            **plain_environment(),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",  # Celery warns root, which nobody is in the image
            **given,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TMPDIR": str(self.folder / "tmp"),
            "HOSTNAME": socket.gethostname(),
            "ELEVENLABS_BASE_URL": self._base_url,
        }

    def run(self, command: list[str], *, service: str = "web", text: str = "") -> subprocess.CompletedProcess[str]:
        """Run what ends by itself, in the service's container as it were."""
        return subprocess.run(
            command,
            cwd=self.app,
            env=self.environment(service),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def make_roles(self, server: PostgresServer) -> None:
        """What the service of that name does, to the database of this server."""
        service = compose()["services"]["roles"]
        words = [
            word.replace("$$", "$").replace("/roles.sql", str(ROOT / "deploy" / "roles.sql"))
            for word in service["command"]
        ]
        parts = urlsplit(server.url)
        done = subprocess.run(
            words,
            env=self.environment("roles")
            | self.postgres_programs(server=server)
            | {"POSTGRES_PASSWORD": parts.password or "", "PGUSER": parts.username or ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")

    def manage(self, *arguments: str, text: str = "") -> str:
        """The output of a management command that must succeed."""
        done = self.run(["python", "manage.py", *arguments], text=text)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def query(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres.url, dbname="administrate", autocommit=True) as connection:
            return connection.execute(statement).fetchall()

    def change(self, *statements: LiteralString) -> None:
        with psycopg.connect(self.postgres.url, dbname="administrate", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def health_check(self, service: str) -> subprocess.CompletedProcess[str]:
        """Run the service's health check."""
        kind, *words = compose()["services"][service]["healthcheck"]["test"]
        words = [self._here(word) for word in words]
        return self.run(words if kind == "CMD" else ["sh", "-c", *words], service=service)

    def visitor(self) -> httpx.Client:
        """A browser that comes through the proxy."""
        return httpx.Client(
            base_url=f"https://{HOST}",
            transport=BehindProxy(self.port),
            headers={"Referer": f"https://{HOST}/"},
            follow_redirects=True,
            timeout=20,
        )

    def postgres_programs(
        self, database: str = "administrate", *, server: PostgresServer | None = None
    ) -> dict[str, str]:
        """The environment in which pg_dump and the like reach the server as they do inside its container."""
        parts = urlsplit((server or self.postgres).url)
        return plain_environment() | {
            "PATH": f"{POSTGRESQL.path()}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(parts.port),
            "PGPASSWORD": parts.password or "",
            "PGDATABASE": database,
        }

    def _build(self) -> None:
        (self.folder / "tmp").mkdir()
        self.app.mkdir()
        copy_into_image(self.app)
        [collecting] = [command for command in shell_of_image() if "collectstatic" in command]
        done = self.run(["sh", "-c", collecting])
        assert done.returncode == 0, done.stderr
        for path in [self.app, *self.app.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222)

    def _up(self) -> None:
        made = subprocess.run(
            ["createdb", "--username", "administrate", "administrate"],
            env=self.postgres_programs("postgres"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        self.make_roles(self.postgres)
        migrate = compose()["services"]["migrate"]["command"]
        with ThreadPoolExecutor() as pool:
            self.migrations = list(pool.map(lambda _machine: self.run(migrate, service="migrate"), range(2)))
        for service in ("web", "worker", "beat"):
            words = compose()["services"][service].get("command") or command_of_image()
            self.processes[service] = ChildProcess(
                [self._here(word) for word in words],
                log=self.folder / f"{service}.log",
                env=self.environment(service),
                cwd=self.app,
            )
        web, worker = self.processes["web"], self.processes["worker"]
        web.wait_until(lambda: is_ready(f"http://127.0.0.1:{self.port}"), seconds=START_SECONDS, what="ready")
        worker.wait_until(lambda: " ready." in worker.output, seconds=START_SECONDS, what="ready")
        wait_for(lambda: all(self.at_work().values()), seconds=START_SECONDS, what="all at work", every=0.2)

    def at_work(self) -> dict[str, Any]:
        """What /readyz says."""
        answer = httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=10)
        return dict(answer.json())

    def _here(self, word: str) -> str:
        """The container's addresses and folders are ours."""
        return (
            word.replace("$$", "$")
            .replace("0.0.0.0:8000", f"127.0.0.1:{self.port}")
            .replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
        )


class BehindProxy(httpx.BaseTransport):
    """What the proxy of docs/deploy.md does: TLS ends here, and the request goes on over loopback."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._onward = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = request.headers.copy()
        headers["X-Forwarded-Proto"] = request.url.scheme
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return self._onward.handle_request(
            httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=request.extensions)
        )

    def close(self) -> None:
        self._onward.close()
