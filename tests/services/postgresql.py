"""A private PostgreSQL server: made in a temporary folder, on a loopback port, gone with the tests.

Fast rather than safe: it forgets its data when the machine crashes, never when only the server does.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT, SIGQUIT
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.services.processes import ChildProcess, ProcessFailedError, free_port, plain_environment
from tests.services.programs import POSTGRESQL

USER = "administrate"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Of a database that lives for minutes there is nothing to clean up, and no plan depends on when somebody counted.
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "timezone": "UTC",
}


class PostgresServer:
    """A server of our own, made and started by entering it as a context manager, removed by leaving it.

    `stop`, `kill` and `start` may be called in between, as faults do; port, password and data stay. ``settings`` go
    beyond SETTINGS, or replace some.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._settings = SETTINGS | dict(settings or {})
        self._folder = Path(tempfile.mkdtemp(prefix="administrate-postgresql-"))
        self._port = free_port()
        self._password = secrets.token_urlsafe(16)
        self._user = _unprivileged_user()
        self._process: ChildProcess | None = None

    @property
    def url(self) -> str:
        """Of the database `postgres`, as a user who may make others."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/postgres"

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        options = [f"--{name}={value}" for name, value in {"port": str(self._port), **self._settings}.items()]
        self._process = ChildProcess(
            [POSTGRESQL.path() / "postgres", "-D", self._folder / "data", *options],
            log=self._folder / "log",
            env=_environment(),
            cwd=self._folder,
            user=self._user,
        )
        self._process.wait_until(self._answers, seconds=30, what="accepting connections")

    def stop(self) -> None:
        """Shut down in order; open connections are cut."""
        if self._process is not None:
            self._process.stop(SIGINT)
            self._process = None

    def kill(self) -> None:
        """Crash: every connection breaks at once and the next start recovers from the log."""
        if self._process is not None:
            self._process.stop(SIGQUIT)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server, whatever state it is in, and remove its folder."""
        try:
            self.kill()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _make(self) -> None:
        password_file = self._folder / "password"
        password_file.write_text(self._password)
        if self._user is not None:
            for path in (self._folder, password_file):
                shutil.chown(path, self._user)
        done = subprocess.run(
            [
                POSTGRESQL.path() / "initdb",
                f"--pgdata={self._folder / 'data'}",
                f"--username={USER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            user=self._user,
            extra_groups=[] if self._user else None,
            cwd=self._folder,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode != 0:
            raise ProcessFailedError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def new_database(server_url: str, *, copy_of: str = "template1") -> Iterator[str]:
    """The URL of a new database on the server, dropped at the end whoever is still connected to it.

    It is empty, or a copy of the database at the URL ``copy_of``, to which nobody is connected.
    """
    name = f"administrate_{secrets.token_hex(6)}"
    original = urlsplit(copy_of).path.removeprefix("/")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(original))
        )
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _unprivileged_user() -> str | None:
    """Whom to run as: PostgreSQL refuses to be root. None: as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise ProcessFailedError("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as.")


def _environment() -> dict[str, str]:
    return plain_environment() | {"LC_ALL": "C.UTF-8"}
