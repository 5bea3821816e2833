"""Usage is brought to its present tables piece by piece: what was interrupted goes on, and no figure is lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.services.plugin import RunningServer
from tests.services.product import ROOT, EmbeddedProduct, ProductionProduct
from tests.services.redis import RedisServer

pytestmark = pytest.mark.services


def interrupted(environment: Mapping[str, str]) -> str:
    """Leave a database half-way; what its usage is as CSV."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.interrupted_upgrade"],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_postgresql_goes_on_where_it_was(
    database_url: str, redis_server: RunningServer | RedisServer, tmp_path: Path
) -> None:
    """What was changed in the old tables after its piece was done is taken over, parts of split rows included."""
    with ProductionProduct(database_url=database_url, redis_url=redis_server.url, folder=tmp_path) as product:
        stood = interrupted(product.environment)

        migrated = product.manage("migrate", "--no-input")

        assert migrated.returncode == 0, migrated.stderr
        assert product.manage("export_usage").stdout == stood
        assert ",77," in stood


def test_sqlite_goes_on_where_it_was(unprepared: EmbeddedProduct) -> None:
    """With the first command."""
    stood = interrupted(unprepared.environment)

    assert unprepared.manage("export_usage").stdout == stood
