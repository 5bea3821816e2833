"""Where PostgreSQL, Redis and Chromium are on this machine, and installing them where that is allowed.

Standard library only. Starting them is the other modules' work.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class MissingProgramError(Exception):
    """A program that the tests need is not there; the text is one sentence that says what to do."""


@dataclass(frozen=True)
class Service:
    """Something that tests need: how it is found, what a person may name instead, and what installs it."""

    name: str
    variable: str
    debian_packages: tuple[str, ...]
    find: Callable[[], Path | None]

    @property
    def named(self) -> str:
        """What the environment names to be used instead of an own one; empty if nothing."""
        return os.environ.get(self.variable, "")

    def path(self) -> Path:
        """Where it is installed; raises MissingProgramError."""
        found = self.find()
        if found is None:
            raise MissingProgramError(self.advice())
        return found

    def advice(self) -> str:
        packages = " ".join(self.debian_packages)
        return f"The tests need {self.name}: install it (Debian: apt-get install {packages}) or set {self.variable}."


def _find_postgresql() -> Path | None:
    """The folder that holds initdb and postgres; Debian keeps it off the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if versions:
        return versions[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb and shutil.which("postgres") else None


def _find_redis() -> Path | None:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    return Path(found) if found else None


def _find_chromium() -> Path | None:
    if named := os.environ.get("TEST_CHROMIUM"):
        if not shutil.which(named):
            raise MissingProgramError(f"TEST_CHROMIUM names {named}, which is no program.")
        return Path(named)
    # The first is the same browser without its windows, whose drawing takes most of the time of the others.
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return Path(found)
    mac = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    return mac if mac.exists() else None


POSTGRESQL = Service("PostgreSQL", "TEST_DATABASE_URL", ("postgresql",), _find_postgresql)
REDIS = Service("Redis", "TEST_REDIS_URL", ("redis-server",), _find_redis)
# Without any font a page has no text to click on.
CHROMIUM = Service("Chromium", "TEST_CHROMIUM", ("chromium-headless-shell", "fonts-liberation"), _find_chromium)
SERVICES = {"postgresql": POSTGRESQL, "redis": REDIS, "chromium": CHROMIUM}


def provide(services: list[Service]) -> None:
    """Make sure that each is named by the environment or installed, installing where allowed.

    Raises MissingProgramError with a line for each that can't be had.
    """
    missing = [service for service in services if not service.named and service.find() is None]
    if missing and may_install():
        install([package for service in missing for package in service.debian_packages])
        missing = [service for service in missing if service.find() is None]
    if missing:
        raise MissingProgramError("\n".join(service.advice() for service in missing))


def may_install() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: list[str]) -> None:
    """Install Debian packages without a question; what apt says is shown only when it fails."""
    sys.stderr.write(f"Installing {', '.join(packages)} (once) …\n")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(
            command,
            env=quiet,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=900,
        )
        if done.returncode != 0:
            last_lines = "\n".join(done.stdout.splitlines()[-15:])
            raise MissingProgramError(f"{' '.join(command)} failed:\n{last_lines}")
