"""`python -m tests.run [--lint] [pytest's options]`: every test, on both engines where it may reach a database.

What comes out the same on either engine (the mark `any_engine`: who may open what, what pages, files and the API say of
given rows) asks SQLite alone; `tests/both_engines` holds that it does, page by page, byte by byte. All share one
PostgreSQL and one Redis, in which each part has a database of its own, and what is made once: the tables, and what a
first start of the product leaves. As many parts run beside each other as keep two cores busy; what starts processes and
what drives a browser mostly waits. Each shows its output when it has ended. `--lint` runs `make lint` as one more part.
Returns 0 when all passed.
"""

import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.services.postgresql import PostgresServer, new_database
from tests.services.processes import ChildProcess, ProcessFailedError
from tests.services.programs import POSTGRESQL, REDIS, MissingProgramError, Service
from tests.services.redis import RedisServer

ROOT = Path(__file__).resolve().parents[1]
# A suite that takes longer hangs.
LIMIT_SECONDS = 40 * 60
GRACE_SECONDS = 60
POLL_SECONDS = 0.2
# A part that computes keeps one of two cores busy, one that mostly waits some two fifths of one: so that neither idles,
# one that waits may run beside two that compute, or three beside one. More at once would push one another out of the
# caches: six on two cores take a fifth more of the processors' time each than two.
WAITING = 0.4
MOST = 2 + WAITING
NO_TESTS_COLLECTED = 5

UNITS = "not browser and not services"
SERVICES = "services and not browser"
# Half of what the units cost on SQLite; the other half is all that lies elsewhere. What comes last ends together.
FIRST_HALF = ("tests/costs", "tests/elevenlabs_sync/simulator", "tests/simulation")
# About a third each of what waits for processes; the last third is all that lies elsewhere.
FIRST_SERVICES = {"tests/test_deploy.py", "tests/test_embedded.py"}
SECOND_SERVICES = {"tests/test_faults.py", "tests/test_production.py"}


@dataclass
class Part:
    """A command that computes or mostly ``waits``; ``environment`` is what it gets beside ours."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    waits: bool = False
    status: int = -1
    seconds: float = 0

    def start(self, logs: Path) -> None:
        self._begun = time.monotonic()
        environment = os.environ | self.environment
        self._process = ChildProcess(self.command, log=logs / self.name, env=environment, cwd=ROOT)

    @property
    def load(self) -> float:
        """How many cores it keeps busy."""
        return WAITING if self.waits else 1

    @property
    def over(self) -> bool:
        return not self._process.running or time.monotonic() - self._begun > LIMIT_SECONDS

    def end(self) -> None:
        """Note how it ended and show what it printed; what is still at work is interrupted."""
        self.seconds = time.monotonic() - self._begun
        if self._process.running:
            # Interrupted, pytest still ends what its tests started.
            self._process.stop(signal.SIGINT, seconds=GRACE_SECONDS)
            ended = f"{self.name}: ended after {self.seconds:.0f} s.\n"
        else:
            self.status = self._process.wait(seconds=GRACE_SECONDS)
            ended = ""
        sys.stdout.write(f"\n=== {self.name} ===\n{self._process.output}{ended}")
        sys.stdout.flush()

    @property
    def verdict(self) -> str:
        return "passed" if self.status == 0 else "no tests" if self.status == NO_TESTS_COLLECTED else "FAILED"


def main(arguments: list[str]) -> int:
    options = [argument for argument in arguments if argument != "--lint"]
    lint = [Part("lint", ["make", "lint"])] if "--lint" in arguments else []
    parts = [*lint, *(_chosen(options) if options else _everything())]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended
    # Some 300 processes import the same modules: what one has compiled the next need not.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        with ExitStack() as stack:
            _serve(stack, POSTGRESQL, PostgresServer)
            _serve(stack, REDIS, RedisServer)
            # What tests of several parts ask for and is made by the first, see tests/services/plugin.py.
            os.environ["TEST_SHARED_FOLDER"] = stack.enter_context(tempfile.TemporaryDirectory())
            os.environ["TEST_SHARED_DATABASE"] = stack.enter_context(new_database(os.environ[POSTGRESQL.variable]))
            _run(parts, logs=Path(stack.enter_context(tempfile.TemporaryDirectory())))
    except (MissingProgramError, ProcessFailedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    for part in parts:
        sys.stdout.write(f"{part.name}: {part.verdict} ({part.seconds:.0f} s)\n")
    # Options may select tests that not every part has.
    fine = {0, NO_TESTS_COLLECTED} if options else {0}
    failed = [part.status for part in parts if part.status not in fine]
    return max((abs(status) for status in failed), default=0)


def _everything() -> list[Part]:
    """All tests in parts, each collecting only its own files, in the order in which they begin."""
    others = [f"--ignore={folder}" for folder in FIRST_HALF]
    services = set(_marked("services"))
    return [
        _pytest("sqlite 1 of 2", UNITS, paths=FIRST_HALF),
        _pytest("browser", "browser", paths=_marked("browser")),
        _pytest("services 3 of 3", SERVICES, paths=sorted(services - FIRST_SERVICES - SECOND_SERVICES), redis=2),
        _pytest("services 2 of 3", SERVICES, paths=sorted(services & SECOND_SERVICES), redis=1),
        _pytest("services 1 of 3", SERVICES, paths=sorted(services & FIRST_SERVICES)),
        _pytest("sqlite 2 of 2", UNITS, paths=["tests", *others]),
        _pytest("postgresql", UNITS, engine="postgresql", paths=_asking_both()),
    ]


def _chosen(options: list[str]) -> list[Part]:
    """What these options of pytest select."""
    return [
        _pytest("sqlite", UNITS, paths=options),
        _pytest("postgresql", UNITS, engine="postgresql", paths=options),
        _pytest("browser", "browser", paths=options),
        _pytest("services", SERVICES, paths=options),
    ]


def _pytest(name: str, marks: str, *, paths: Sequence[str], engine: str = "sqlite", redis: int = 0) -> Part:
    """``redis`` is the number of the database there that the part may empty."""
    word = name.replace(" ", "-")
    command = [sys.executable, "-m", "pytest", "-m", marks, "-o", f"cache_dir=.pytest_cache/{word}", *paths]
    environment = {"TEST_ENGINE": engine, "TEST_DATABASE_NAME": f"test-{word}", "TEST_REDIS_DATABASE": str(redis)}
    return Part(name, command, environment, waits=marks != UNITS)


def _asking_both() -> list[str]:
    """The test files that don't say of all their tests that they come out the same on any engine, or are no units."""
    alike = re.compile(r"^pytestmark = (?:\[[^\]]*|.*)\b(?:any_engine|services|browser)\b", re.MULTILINE)
    return [path for path in _test_files() if not alike.search((ROOT / path).read_text())]


def _marked(mark: str) -> list[str]:
    """The test files that say this mark."""
    said = re.compile(rf"\bmark\.{mark}\b")
    return [path for path in _test_files() if said.search((ROOT / path).read_text())]


def _test_files() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/**/test_*.py"))


def _serve(
    stack: ExitStack, service: Service, server: Callable[[], AbstractContextManager[PostgresServer | RedisServer]]
) -> None:
    """Let the environment name a server: the given one, or one of ours until the stack closes."""
    if not service.named:
        os.environ[service.variable] = stack.enter_context(server()).url


def _run(parts: Sequence[Part], logs: Path) -> None:
    """Run them in their order, a few beside each other; whatever interrupts it, none is left running."""
    waiting, running = list(parts), list[Part]()
    try:
        while waiting or running:
            while waiting and sum(part.load for part in (*running, waiting[0])) <= MOST:
                waiting[0].start(logs)
                running.append(waiting.pop(0))
            time.sleep(POLL_SECONDS)
            for part in [part for part in running if part.over]:
                running.remove(part)
                part.end()
    finally:
        for part in running:
            part.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
