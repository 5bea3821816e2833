"""`python -m tests.run [pytest's options]`: every test, on both database engines, with one PostgreSQL and one Redis.

Two cores do two parts at a time: first the two engines, then what starts processes beside what drives a browser, both
of which mostly wait. Returns 0 when all passed.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

from tests.services.postgresql import PostgresServer
from tests.services.processes import ChildProcess, ProcessFailedError
from tests.services.programs import POSTGRESQL, REDIS, MissingProgramError, Service
from tests.services.redis import RedisServer

ROOT = Path(__file__).resolve().parents[1]
# A suite that takes longer hangs.
LIMIT_SECONDS = 40 * 60
GRACE_SECONDS = 60
NO_TESTS_COLLECTED = 5


@dataclass
class Part:
    """One run of pytest."""

    name: str
    engine: str
    marks: str
    status: int = -1
    seconds: float = 0

    def command(self, options: list[str]) -> list[str]:
        cache = f"cache_dir=.pytest_cache/{self.name}"
        return [sys.executable, "-m", "pytest", "-m", self.marks, "-o", cache, *options]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"TEST_ENGINE": self.engine}

    @property
    def verdict(self) -> str:
        return "passed" if self.status == 0 else "no tests" if self.status == NO_TESTS_COLLECTED else "FAILED"


def main(options: list[str]) -> int:
    units = "not browser and not services"
    sqlite = Part("sqlite", "sqlite", units)
    postgresql = Part("postgresql", "postgresql", units)
    browser = Part("browser", "sqlite", "browser")
    services = Part("services", "sqlite", "services and not browser")
    try:
        with ExitStack() as stack:
            _serve(stack, POSTGRESQL, PostgresServer)
            _serve(stack, REDIS, RedisServer)
            logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for shown_at_once, shown_after in ((sqlite, postgresql), (browser, services)):
                with _in_background(shown_after, options, logs / shown_after.name):
                    _run(shown_at_once, options)
    except (MissingProgramError, ProcessFailedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    parts = [sqlite, postgresql, browser, services]
    for part in parts:
        sys.stdout.write(f"{part.name}: {part.verdict} ({part.seconds:.0f} s)\n")
    # Options may select tests that not every part has.
    fine = {0, NO_TESTS_COLLECTED} if options else {0}
    failed = [part.status for part in parts if part.status not in fine]
    return max((abs(status) for status in failed), default=0)


def _serve(
    stack: ExitStack, service: Service, server: Callable[[], AbstractContextManager[PostgresServer | RedisServer]]
) -> None:
    """Let the environment name a server: the given one, or one of ours until the stack closes."""
    if not service.named:
        os.environ[service.variable] = stack.enter_context(server()).url


def _run(part: Part, options: list[str]) -> None:
    _title(part)
    begun = time.monotonic()
    process = subprocess.Popen(part.command(options), cwd=ROOT, env=part.environment)
    try:
        part.status = process.wait(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        sys.stdout.write(f"{part.name}: ended after {LIMIT_SECONDS} s.\n")
        process.send_signal(SIGINT)
    finally:
        # Interrupted, pytest still ends what its tests started.
        process.wait(GRACE_SECONDS)
    part.seconds = time.monotonic() - begun


@contextmanager
def _in_background(part: Part, options: list[str], log: Path) -> Iterator[None]:
    """Run it beside what the context does, then show what it printed."""
    begun = time.monotonic()
    process = ChildProcess(part.command(options), log=log, env=part.environment, cwd=ROOT)
    try:
        yield
        part.status = process.wait(seconds=LIMIT_SECONDS)
    except ProcessFailedError:
        sys.stdout.write(f"{part.name}: ended after {LIMIT_SECONDS} s.\n")
    finally:
        if process.running:
            process.stop(SIGINT, seconds=GRACE_SECONDS)
    part.seconds = time.monotonic() - begun
    _title(part)
    sys.stdout.write(process.output)
    sys.stdout.flush()


def _title(part: Part) -> None:
    sys.stdout.write(f"\n=== {part.name} ===\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
