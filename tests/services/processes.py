"""Starting a child process, waiting for it within bounds, and ending it with everything that it started.

What the children are – a server, a worker, the product – is the other modules' business.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

POLL_SECONDS = 0.05


class ProcessFailedError(Exception):
    """A child process ended, or did not come to what was awaited; the text holds the end of its output."""


class ChildProcess:
    """A running child in a session of its own, its output (both streams) in the file ``log``.

    ``env`` is the child's whole environment. ``user`` runs it as somebody else, which only root may.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path | None = None,
        user: str | None = None,
    ) -> None:
        self.name = Path(command[0]).name
        self.log = log
        with log.open("ab") as output:
            self._start_of_log = output.tell()
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                user=user,
                extra_groups=[] if user else None,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def output(self) -> str:
        """What it has printed so far."""
        with self.log.open("rb") as file:
            file.seek(self._start_of_log)
            return file.read().decode(errors="replace")

    def wait_until(self, ready: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Wait until ``ready()``; raises ProcessFailedError when the child ends before, or after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise ProcessFailedError(self._story(f"ended ({self._process.returncode}) before {what}"))
            if time.monotonic() > deadline:
                raise ProcessFailedError(self._story(f"not {what} after {seconds:g} s"))
            time.sleep(POLL_SECONDS)

    def wait(self, *, seconds: float) -> int:
        """Wait for its own end and return the exit status; raises ProcessFailedError after ``seconds``."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ProcessFailedError(self._story(f"still running after {seconds:g} s")) from None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the child alone."""
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM, *, seconds: float = 30) -> int:
        """Ask it to end and return its exit status; raises ProcessFailedError if it had to be killed."""
        self.send(number)
        try:
            return self.wait(seconds=seconds)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it and every process of its session's group at once, without a chance to clean up."""
        # PermissionError is macOS's word for a group of which nothing is left but the dead.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(10)

    def _story(self, what: str) -> str:
        return f"{self.name}: {what}. Its last output:\n{self.output[-4000:]}"


def wait_for(condition: Callable[[], bool], *, seconds: float, what: str, every: float = POLL_SECONDS) -> None:
    """Wait until ``condition()``; raises TimeoutError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not {what} after {seconds:g} s")
        time.sleep(every)


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts_connections(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def plain_environment() -> dict[str, str]:
    """What a child needs of this process's environment, and nothing that a developer may have set for themselves."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ}
