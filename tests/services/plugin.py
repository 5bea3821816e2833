"""The pytest plugin that hands tests real servers, a browser and the running product, and takes them away again.

Loaded by `-p` in pyproject.toml, before Django's settings are: with TEST_ENGINE=postgresql they need to know the
server. What page and model tests use lives in tests/conftest.py.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import pytest

from administrate.garbage import look_seldom, spare_what_is_loaded
from elevenlabs_sync.simulator.running import workspace_today
from tests.services.postgresql import PostgresServer, new_database
from tests.services.product import EmbeddedProduct, ProductionProduct
from tests.services.programs import CHROMIUM, POSTGRESQL, REDIS, MissingProgramError
from tests.services.redis import RedisServer
from tests.services.truth import backfilled_totals, exported_totals

# As root there is no sandbox to have, and without the rest Chromium looks for its maker's hosts.
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

look_seldom()
# How long an example takes says nothing on a machine that does other work as well.
hypothesis.settings.register_profile("administrate", deadline=None)
hypothesis.settings.load_profile("administrate")


# The fixtures of which one is asked for, itself or by another, by every test that the engine matters to.
OF_AN_ENGINE = {"db", "transactional_db", "engine"}

_servers = ExitStack()


@dataclass(frozen=True)
class RunningServer:
    """A server that somebody else starts and stops."""

    url: str


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Start PostgreSQL before the settings are read, where they need it and nobody has named one."""
    if chosen_engine() == "postgresql" and not POSTGRESQL.named:
        try:
            os.environ[POSTGRESQL.variable] = _servers.enter_context(PostgresServer()).url
        except MissingProgramError as error:
            raise pytest.UsageError(str(error)) from None
    return (yield)


def pytest_report_header() -> str:
    return f"database engine: {chosen_engine()}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to SQLite alone what can't come out differently on another engine: what says so or may ask no database.

    Django's plugin refuses the database to whatever has neither its mark nor its fixtures.
    """
    if chosen_engine() == "sqlite":
        return
    without = [item for item in items if not _has_an_engine(item)]
    if without:
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if _has_an_engine(item)]


def pytest_collection_finish() -> None:
    """Modules and tests are most of what the collector of garbage would look through."""
    spare_what_is_loaded()


def _has_an_engine(item: pytest.Item) -> bool:
    if item.get_closest_marker("any_engine") is not None:
        return False
    fixtures = getattr(item, "fixturenames", ())
    return item.get_closest_marker("django_db") is not None or not OF_AN_ENGINE.isdisjoint(fixtures)


def chosen_engine() -> str:
    """`sqlite` or `postgresql`, as TEST_ENGINE says."""
    return os.environ.get("TEST_ENGINE") or "sqlite"


def pytest_unconfigure() -> None:
    _servers.close()


@pytest.fixture(scope="session")
def engine() -> str:
    """`sqlite` or `postgresql`: for what depends on the engine and reaches it without Django's fixtures."""
    return chosen_engine()


@pytest.fixture(scope="session")
def postgres() -> Iterator[RunningServer | PostgresServer]:
    """A PostgreSQL server that the tests share; `.url` is for a user who may make databases."""
    if POSTGRESQL.named:
        yield RunningServer(POSTGRESQL.named)
    else:
        with PostgresServer() as server:
            yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RunningServer | RedisServer]:
    """A Redis server that the tests share; on a named one, the database that the environment may number."""
    if REDIS.named:
        named = urlsplit(REDIS.named)
        yield RunningServer(named._replace(path=os.environ.get("TEST_REDIS_DATABASE", named.path)).geturl())
    else:
        with RedisServer() as server:
            yield server


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that this test may stop, kill and restart; needs the program even where a URL is named."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis server that this test may stop, kill and restart; needs the program even where a URL is named."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def database_url(postgres: RunningServer | PostgresServer) -> Iterator[str]:
    """A new, empty PostgreSQL database."""
    with new_database(postgres.url) as url:
        yield url


@pytest.fixture
def unprepared(tmp_path: Path) -> Iterator[EmbeddedProduct]:
    """The embedded product without a home, not started yet."""
    with EmbeddedProduct(tmp_path / "home") as product:
        yield product


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what every process of tests would make alike: the one that the environment names, or an own one."""
    named = os.environ.get("TEST_SHARED_FOLDER")
    return Path(named) if named else tmp_path_factory.mktemp("shared")


@contextmanager
def making(name: str, shared: Path) -> Iterator[bool]:
    """Whether ``name`` is still to be made there, while nobody else does; where one fails, the next begins anew."""
    made = shared / f"{name}.made"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if missing := not made.exists():
            shutil.rmtree(shared / name, ignore_errors=True)
        yield missing
        made.touch()


@pytest.fixture(scope="session")
def home_of_tables(shared: Path) -> Path:
    """A home whose database has every table and nothing in them; to be copied, never used."""
    home = shared / "tables" / "home"
    with making("tables", shared) as missing:
        if missing:
            done = EmbeddedProduct(home).manage("migrate", "--no-input")
            assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="session")
def prepared_home(home_of_tables: Path, shared: Path) -> Path:
    """The home that a first start leaves, with its first admin and nothing else; to be copied, never used."""
    home = shared / "prepared" / "home"
    with making("prepared", shared) as missing:
        if missing:
            with EmbeddedProduct(shutil.copytree(home_of_tables, home)) as product:
                product.start()
                assert product.stop() == 0
    return home


@pytest.fixture
def embedded(prepared_home: Path, tmp_path: Path) -> Iterator[EmbeddedProduct]:
    """The embedded product after its first start, not started again yet: making its tables takes most of a start."""
    with EmbeddedProduct(shutil.copytree(prepared_home, tmp_path / "home")) as product:
        yield product


@pytest.fixture(scope="session")
def demo_home(prepared_home: Path, shared: Path) -> Path:
    """The home that the demo without examples leaves when its initial sync is done; to be copied, never used."""
    home = shared / "demo" / "home"
    with making("demo", shared) as missing:
        if missing:
            with EmbeddedProduct(shutil.copytree(prepared_home, home)) as product:
                product.start("--demo", "empty")
                product.wait_for_runs(1)
                assert exported_totals(product.manage("export_usage").stdout) == backfilled_totals(workspace_today())
                assert product.stop() == 0
    return home


@pytest.fixture(scope="module")
def demo(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedProduct]:
    """The embedded product at work, with the simulated workspace synced and no key assigned."""
    home = tmp_path_factory.mktemp("demo") / "home"
    with EmbeddedProduct(shutil.copytree(demo_home, home)) as product:
        product.start()
        yield product


@pytest.fixture(scope="session")
def database_of_tables(
    postgres: RunningServer | PostgresServer, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A PostgreSQL database with every table and nothing in them; to be copied, never used."""
    with ExitStack() as stack:
        url = os.environ.get("TEST_SHARED_DATABASE") or stack.enter_context(new_database(postgres.url))
        with making("database", shared) as missing:
            if missing:
                done = _of_database(url, tmp_path_factory).manage("migrate", "--no-input")
                assert done.returncode == 0, done.stderr
        yield url


@pytest.fixture(scope="session")
def prepared_database(
    postgres: RunningServer | PostgresServer, database_of_tables: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A database that is migrated and has its first admin; to be copied, never used."""
    with new_database(postgres.url, copy_of=database_of_tables) as url:
        done = _of_database(url, tmp_path_factory).manage("create_first_admin")
        assert done.returncode == 0, done.stderr
        yield url


def _of_database(url: str, tmp_path_factory: pytest.TempPathFactory) -> ProductionProduct:
    folder = tmp_path_factory.mktemp("commands")
    return ProductionProduct(database_url=url, redis_url="redis://127.0.0.1:1", folder=folder)


@pytest.fixture
def migrated_url(postgres: RunningServer | PostgresServer, prepared_database: str) -> Iterator[str]:
    """A new PostgreSQL database that is migrated and has its first admin."""
    with new_database(postgres.url, copy_of=prepared_database) as url:
        yield url


@pytest.fixture
def production(
    migrated_url: str, redis_server: RunningServer | RedisServer, tmp_path: Path
) -> Iterator[ProductionProduct]:
    """The product in its production form on a new database and an empty queue, migrated, no process started yet."""
    with ProductionProduct(database_url=migrated_url, redis_url=redis_server.url, folder=tmp_path) as product:
        product.empty_queue()
        yield product


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium instead of a download of Playwright's own."""
    return browser_type_launch_args | {"executable_path": str(CHROMIUM.path()), "args": CHROMIUM_ARGUMENTS}
