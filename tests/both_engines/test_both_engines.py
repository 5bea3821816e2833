"""No page, no file and no answer to a program depends on the database: byte by byte, on SQLite and on PostgreSQL.

What looks at pages alone therefore needs to ask SQLite only (the mark `any_engine`).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.services.plugin import RunningServer
from tests.services.postgresql import PostgresServer
from tests.services.processes import ChildProcess

pytestmark = pytest.mark.services

WALK = Path(__file__).with_name("walk.py")
SECONDS = 600


def walked(engine: str, folder: Path, postgres: RunningServer | PostgresServer) -> dict[str, str]:
    found = folder / f"{engine}.json"
    environment = os.environ | {
        "WALK": str(found),
        "TEST_ENGINE": engine,
        "TEST_DATABASE_URL": postgres.url,
        "TEST_DATABASE_NAME": f"walk-{os.getpid()}",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(WALK)]
    child = ChildProcess(command, log=folder / f"{engine}.log", env=environment)
    assert child.wait(seconds=SECONDS) == 0, child.output
    answers: dict[str, str] = json.loads(found.read_text())
    return answers


def test_both_engines_give_the_same(postgres: RunningServer | PostgresServer, tmp_path: Path) -> None:
    """Everything that an Admin and a client are shown of one installation, and everything that their tokens get."""
    sqlite, postgresql = (walked(engine, tmp_path, postgres) for engine in ("sqlite", "postgresql"))

    assert list(postgresql) == list(sqlite)
    assert [asked for asked, answer in sqlite.items() if answer != postgresql[asked]] == []
