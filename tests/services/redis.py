"""A private Redis server: on a loopback port, keeping nothing, gone with the tests."""

import shutil
import tempfile
from pathlib import Path
from signal import SIGTERM
from types import TracebackType
from typing import Self

from tests.services.processes import ChildProcess, accepts_connections, free_port, plain_environment
from tests.services.programs import REDIS


class RedisServer:
    """A server of our own, started by entering it as a context manager, removed by leaving it.

    `stop`, `kill` and `start` may be called in between, as faults do; the port stays, the data do not.
    """

    def __init__(self, password: str = "") -> None:
        self.password = password
        self._folder = Path(tempfile.mkdtemp(prefix="administrate-redis-"))
        self._port = free_port()
        self._process: ChildProcess | None = None

    @property
    def url(self) -> str:
        """Without the password."""
        return f"redis://127.0.0.1:{self._port}/0"

    def __enter__(self) -> Self:
        try:
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
        settings = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "requirepass": self.password,
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self._process = ChildProcess(
            [REDIS.path(), *options], log=self._folder / "log", env=plain_environment(), cwd=self._folder
        )
        self._process.wait_until(lambda: accepts_connections(self._port), seconds=15, what="accepting connections")

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(SIGTERM)
            self._process = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        try:
            self.kill()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
