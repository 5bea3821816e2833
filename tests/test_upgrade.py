"""From the first release, with data, to this one: migrations run and no figure changes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.installation import sign_in
from tests.second_release import FROZEN_TOTAL, SESSION_TABLES
from tests.services.plugin import RunningServer
from tests.services.product import ROOT, EmbeddedProduct, ProductionProduct
from tests.services.redis import RedisServer

pytestmark = pytest.mark.services


def first_release(environment: Mapping[str, str]) -> str:
    """Make the first release's database where these settings look for it; what its usage is as CSV."""
    return release("tests.first_release", environment)


def release(module: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_postgresql_of_the_first_release_is_brought_up_to_date(
    database_url: str, redis_server: RunningServer | RedisServer, tmp_path: Path
) -> None:
    """`migrate` runs through and `export_usage` prints, to the last digit, what was stored then."""
    with ProductionProduct(database_url=database_url, redis_url=redis_server.url, folder=tmp_path) as product:
        before = first_release(product.environment)
        refused = product.manage("export_usage")
        assert refused.returncode == 1
        assert refused.stderr == "Error: The database is not up to date. Run: manage.py migrate\n"

        migrated = product.manage("migrate", "--no-input")
        assert migrated.returncode == 0, migrated.stderr

        assert product.manage("export_usage").stdout == before
        assert before.count("\n") > 600


def test_sqlite_of_the_first_release_upgrades_itself(unprepared: EmbeddedProduct) -> None:
    """The first command does it; figures stay, and who could sign in still can, to everything."""
    before = first_release(unprepared.environment)

    assert unprepared.manage("export_usage").stdout == before

    unprepared.start()
    with httpx.Client(base_url=unprepared.url, follow_redirects=True, timeout=20) as visitor:
        assert sign_in(visitor, username="first", password="since-the-first-release") == 200
        assert "Globex &amp; Söhne" in visitor.get("/companies/").text
        assert visitor.get("/admin/").status_code == 200


def test_postgresql_of_the_second_release_is_brought_up_to_date(
    database_url: str, redis_server: RunningServer | RedisServer, tmp_path: Path
) -> None:
    """What was frozen stays frozen, usage stays to the last digit, and no session's key is left readable."""
    with ProductionProduct(database_url=database_url, redis_url=redis_server.url, folder=tmp_path) as product:
        before = release("tests.second_release", product.environment)

        migrated = product.manage("migrate", "--no-input")

        assert migrated.returncode == 0, migrated.stderr
        assert product.manage("export_usage").stdout == before
        with psycopg.connect(database_url) as connection:
            tables = {name for (name,) in connection.execute("SELECT tablename FROM pg_tables")}
        assert not tables & set(SESSION_TABLES)


def test_sqlite_of_the_second_release_upgrades_itself(unprepared: EmbeddedProduct) -> None:
    """Its statement is shown as it was frozen, its plan in the new form, and its rule still stands."""
    before = release("tests.second_release", unprepared.environment)

    assert unprepared.manage("export_usage").stdout == before

    unprepared.start()
    with httpx.Client(base_url=unprepared.url, follow_redirects=True, timeout=20) as visitor:
        assert sign_in(visitor, username="first", password="since-the-first-release") == 200
        companies = visitor.get("/companies/").text
        [acme] = set(re.findall(r"/companies/([0-9]+)/[^>]*><bdi>Acme", companies))
        assert FROZEN_TOTAL in visitor.get(f"/companies/{acme}/statements/2026-01/").text
        [production] = set(re.findall(r"/providers/([0-9]+)/[^>]*><bdi>Production", visitor.get("/providers/").text))
        assert "412,000 of 500,000 credits used" in visitor.get(f"/providers/{production}/").text
        assert "<bdi>Acme</bdi>" in visitor.get("/rules/").text


def test_backup_of_the_embedded_default_is_the_same_installation(unprepared: EmbeddedProduct, tmp_path: Path) -> None:
    """The documented commands, run while it is open, and restored into an empty home: figures and secrets are there."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    [saving] = re.findall(r"^```sh\n(umask 077\n\.venv/bin/python -c .*?)^```", page, re.MULTILINE | re.DOTALL)
    [restoring] = re.findall(
        r"^```sh\n(umask 077\nmkdir --mode 700 var\n.*?)make run\n^```", page, re.MULTILINE | re.DOTALL
    )
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    before = first_release(unprepared.environment)
    (tmp_path / "var").symlink_to(unprepared.data_dir)
    unprepared.manage("migrate", "--no-input")

    subprocess.run(["sh", "-ec", saving], cwd=tmp_path, check=True)
    assert [path.stat().st_mode & 0o077 for path in tmp_path.glob("backup*")] == [0, 0]
    (tmp_path / "var").unlink()
    subprocess.run(["sh", "-ec", restoring], cwd=tmp_path, check=True)

    with EmbeddedProduct(tmp_path / "var") as restored:
        assert restored.manage("export_usage").stdout == before
        rotated = restored.manage("rotate_encryption_keys")
        assert "API keys: 0 encrypted anew, 2 already current" in rotated.stdout
