"""docs/deploy.md for real: installed as the compose file does it, used through a proxy, broken, backed up, restored."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import redis
from cryptography.fernet import Fernet

from elevenlabs_sync.simulator import SIMULATED_API_KEY, SimulatedWorkspace, SimulatorServer
from tests.deployed import HOST, Deployed
from tests.installation import post, sign_in
from tests.security_headers import complaints
from tests.services.postgresql import PostgresServer
from tests.services.processes import wait_for
from tests.services.product import ADMIN_PASSWORD, ROOT
from tests.services.truth import today

pytestmark = pytest.mark.services

VISITORS = 4
READING_SECONDS = 0.1

# A server's read-only mode, as of a standby; whoever is connected has to notice.
LET_GO: LiteralString = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
READ_ONLY: tuple[LiteralString, ...] = ("ALTER DATABASE administrate SET default_transaction_read_only = on", LET_GO)
WRITABLE: tuple[LiteralString, ...] = (
    "SET default_transaction_read_only = off",
    "ALTER DATABASE administrate RESET default_transaction_read_only",
    LET_GO,
)
RECOVERY_SECONDS = 5


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatedWorkspace(today())) as server:
        yield server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorServer) -> Iterator[Deployed]:
    with Deployed(tmp_path_factory.mktemp("deployed"), base_url=simulator.base_url) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def synced(site: Deployed) -> Deployed:
    """With a provider whose year of usage the worker has read."""
    site.manage(
        "connect_provider", "--type", "elevenlabs", "--name", "Agency", "--api-key-stdin", text=SIMULATED_API_KEY
    )
    succeeded: LiteralString = "SELECT 1 FROM providers_syncrun WHERE outcome = 'succeeded'"
    wait_for(lambda: bool(site.query(succeeded)), seconds=60, what="synced", every=0.2)
    return site


@pytest.fixture
def visitor(site: Deployed) -> Iterator[httpx.Client]:
    """Somebody who is signed in, through the proxy."""
    with site.visitor() as client:
        assert sign_in(client) == 200
        yield client


def commands(heading: str) -> list[str]:
    """The shell commands under a heading of docs/deploy.md, block by block."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    [section] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


# --- Started ----------------------------------------------------------------------------------------------------------


def test_all_parts_are_at_work(site: Deployed) -> None:
    """Database, queue, clock and worker, as /readyz tells them."""
    said = site.at_work()

    assert (said["database"], said["broker"], said["workers"]) == ("ok", "ok", 1)
    assert said["last_beat"]


@pytest.mark.parametrize("service", ["web", "worker", "beat"])
def test_health_check_finds_it_healthy(site: Deployed, service: str) -> None:
    """The command in the compose file says so with exit code 0."""
    done = site.health_check(service)

    assert done.returncode == 0, done.stderr


def test_first_admin_signs_in_through_the_proxy(visitor: httpx.Client) -> None:
    """And finds the dashboard, and on the About page every process."""
    about = visitor.get("/settings/about/").text

    assert visitor.get("/").status_code == 200
    assert "PostgreSQL" in about
    assert "Last beat" in about
    assert "celery@" in about


def test_the_application_may_change_rows_and_nothing_else(synced: Deployed) -> None:
    """Neither superuser nor owner: no table can be made, emptied or altered by whoever takes the web over."""
    url = synced.environment("web")["DATABASE_URL"]
    password = Path(synced.dot_env["DATABASE_PASSWORD_FILE"]).read_text().strip()
    refused: list[LiteralString] = [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE accounts_auditentry DISABLE TRIGGER ALL",
        "TRUNCATE costs_dailyusage",
        "DROP TABLE accounts_auditentry",
        "SELECT pg_read_file('/etc/passwd')",
        "SET ROLE administrate_owner",
    ]
    with psycopg.connect(url, password=password, autocommit=True) as connection:
        for statement in refused:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        assert connection.execute("SELECT count(*) > 0 FROM costs_dailyusage").fetchone() == (True,)


def test_the_queue_wants_its_password(synced: Deployed) -> None:
    """Which the processes have."""
    with redis.Redis.from_url(synced.redis.url) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()

    assert synced.at_work()["broker"] == "ok"


def test_second_migration_waits_for_the_first(site: Deployed) -> None:
    """Two machines that start a release at once on an empty database both end well."""
    assert [each.returncode for each in site.migrations] == [0, 0], [each.stderr for each in site.migrations]
    assert sorted("No migrations to apply" in each.stdout for each in site.migrations) == [False, True]


def test_nothing_is_written_beside_the_code(site: Deployed, visitor: httpx.Client) -> None:
    """The root file system may be read-only: after start and use every file is as it was built."""
    visitor.get("/")
    newest = max(path.stat().st_mtime for path in site.app.rglob("*"))

    assert newest < (site.folder / "web.log").stat().st_ctime
    assert not any("__pycache__" in str(path) for path in site.app.rglob("*"))


def test_the_clock_keeps_no_file_in_a_shared_folder(site: Deployed) -> None:
    """Nothing that somebody else could have put there is read when it starts."""
    assert site.at_work()["last_beat"]

    assert [path.name for path in (site.folder / "tmp").rglob("*") if "beat" in path.name] == []


def test_static_files_are_compressed_and_kept_for_ever(visitor: httpx.Client) -> None:
    """Under a name that changes with what they hold."""
    sheet = visitor.get("/").text.split('rel="stylesheet" href="')[1].split('"')[0]

    answer = visitor.get(sheet, headers={"Accept-Encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]


def test_metrics_add_up_over_the_web_processes(site: Deployed, visitor: httpx.Client) -> None:
    """With the token alone; each request counts once, whichever process answered it."""
    token = {"Authorization": f"Bearer {site.dot_env['METRICS_TOKEN']}"}

    def served() -> float:
        text = visitor.get("/metrics", headers=token).text
        return sum(
            float(line.split()[-1])
            for line in text.splitlines()
            if line.startswith('administrate_page_seconds_count{page="companies:list"')
        )

    before = served()
    for _request in range(8):
        visitor.get("/companies/")

    assert served() == before + 8
    assert visitor.get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/providers/add/", 200),
        ("/settings/about/", 200),
        ("/nothing-here/", 404),
        ("/settings/theme/", 405),
        ("/admin/", 200),
        ("/admin/providers/provider/", 200),
        ("/admin/nothing-here/", 404),
        ("/static/administrate/base.css", 200),
        ("/static/nothing-here.css", 404),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 401),
        ("/favicon.ico", 404),
    ],
)
def test_every_kind_of_answer_has_every_header(visitor: httpx.Client, path: str, status: int) -> None:
    """Nothing for an observatory to complain about: pages, files, probes, the admin, errors."""
    answer = visitor.get(path)

    assert answer.status_code == status
    assert complaints(answer) == []


def test_sign_in_and_refusals_have_every_header(site: Deployed) -> None:
    """The form, a wrong password, a form without its token, and the redirects between them."""
    with site.visitor() as client:
        client.follow_redirects = False
        answers = [
            client.get("/"),
            client.get("/accounts/login/"),
            client.post("/accounts/login/", data={"login": "admin", "password": ADMIN_PASSWORD}),
        ]
        client.cookies.clear()
        form = client.get("/accounts/login/")
        token = form.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        fields = {"csrfmiddlewaretoken": token, "login": "nobody"}
        answers += [
            client.post("/accounts/login/", data=fields | {"password": "wrong-password"}),
            client.post("/accounts/login/", data=fields | {"login": "admin", "password": ADMIN_PASSWORD}),
        ]
        answers.append(client.get("/accounts/login/", headers={"Host": "evil.example"}))

    assert [answer.status_code for answer in answers] == [302, 200, 403, 422, 302, 400]
    assert [complaints(answer) for answer in answers] == [[]] * 6


def test_plain_http_is_sent_to_https(site: Deployed) -> None:
    """To the same address, for good."""
    with site.visitor() as client:
        answer = client.get(f"http://{HOST}/companies/?from=2026-01-01", follow_redirects=False)

    assert answer.status_code == 301
    assert answer.headers["location"] == f"https://{HOST}/companies/?from=2026-01-01"


def test_log_is_json_without_secrets(synced: Deployed, visitor: httpx.Client) -> None:
    """Each line of web, worker and beat is one object; the sync's lines name their run; no secret stands in any."""
    visitor.get("/", headers={"X-Request-ID": "from-the-proxy"})
    lines = [line for process in synced.processes.values() for line in process.output.splitlines()]

    records = [json.loads(line) for line in lines]

    assert {"time", "level", "logger", "message"} <= set.intersection(*(set(record) for record in records))
    assert any(record.get("request_id") == "from-the-proxy" for record in records)
    assert any(record["logger"].startswith("celery") for record in records)
    secrets = [Path(path).read_text().strip() for name, path in synced.dot_env.items() if name.endswith("_FILE")]
    everything = "\n".join(lines)
    assert not any(secret in everything for secret in (*secrets, SIMULATED_API_KEY, ADMIN_PASSWORD))


# --- Broken -----------------------------------------------------------------------------------------------------------


@dataclass
class Readers:
    """People who read pages one after the other until they are stopped, and what they saw."""

    site: Deployed
    cookies: dict[str, str]
    seen: list[tuple[float, int, str]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        with self.site.visitor() as client:
            client.cookies.update(self.cookies)
            while not self.stopped.is_set():
                for path in ("/", "/companies/", "/providers/", "/providers/1/"):
                    time.sleep(READING_SECONDS)
                    answer = client.get(path, follow_redirects=False)
                    self.seen.append((time.monotonic(), answer.status_code, answer.text))

    def wrong(self) -> list[str]:
        """Whatever was neither the page nor the plain word that the database is away."""
        return [
            f"{status}: {text[:200]}"
            for _moment, status, text in self.seen
            if not (
                (status == 200 and "Sign out" in text) or (status == 503 and "The database does not answer" in text)
            )
        ]

    def refused_after(self, moment: float) -> int:
        return sum(status != 200 for when, status, _text in self.seen if when > moment)


def test_servers_restarted_under_load_cost_seconds_and_no_wrong_page(synced: Deployed, visitor: httpx.Client) -> None:
    """Only whole pages or the plain 503; five seconds after its return everything is served, nothing was restarted."""
    readers = Readers(synced, dict(visitor.cookies))
    with ThreadPoolExecutor(VISITORS) as pool:
        reading = [pool.submit(readers.read) for _visitor in range(VISITORS)]
        try:
            time.sleep(1)
            synced.postgres.stop()
            time.sleep(1)
            database_is_back = restarted(synced.postgres)
            time.sleep(RECOVERY_SECONDS)
            synced.redis.stop()
            time.sleep(1)
            synced.redis.start()
            time.sleep(2)
        finally:
            readers.stopped.set()
    for future in reading:
        future.result()

    assert readers.wrong() == []
    assert any(status == 503 for _moment, status, _text in readers.seen)
    served = [when for when, status, _text in readers.seen if status == 200 and when > database_is_back]
    assert min(served) - database_is_back < RECOVERY_SECONDS
    assert readers.refused_after(database_is_back + RECOVERY_SECONDS) == 0
    assert all(process.running for process in synced.processes.values())
    [pk] = re.findall(r'action="/providers/(\d+)/sync/"', visitor.get("/providers/1/").text)[:1]
    assert post(visitor, f"/providers/{pk}/sync/", seen_at="/providers/1/").status_code == 200
    wait_for(lambda: synced.at_work()["broker"] == "ok", seconds=RECOVERY_SECONDS, what="reached again")


def restarted(server: PostgresServer) -> float:
    server.start()
    return time.monotonic()


def test_server_that_takes_no_changes_is_said_and_survived(synced: Deployed, visitor: httpx.Client) -> None:
    """Pages can be read, a change is a plain 503, a sync one sentence; as soon as it may be written all goes on."""
    rows: LiteralString = (
        "SELECT project_id, day, model, xmin::text FROM costs_dailyusage ORDER BY project_id, day, model"
    )
    before = synced.query(rows)
    synced.change(*READ_ONLY)
    try:
        assert [visitor.get(path).status_code for path in ("/", "/providers/1/", "/readyz")] == [200, 200, 200]
        refused = post(visitor, "/companies/add/", seen_at="/companies/add/", name="Acme")
        assert refused.status_code == 503
        assert "The database does not answer" in refused.text
        failed = synced.run(["python", "manage.py", "sync_provider", "Agency"])
        assert failed.returncode == 1
        assert failed.stderr.splitlines()[-1].startswith("Error: ")
        assert "in a read-only transaction" in failed.stderr.splitlines()[-1]
        assert synced.query(rows) == before
    finally:
        synced.change(*WRITABLE)

    assert post(visitor, "/companies/add/", seen_at="/companies/add/", name="Acme").status_code == 200
    synced.manage("sync_provider", "Agency")


# --- Backed up and restored -------------------------------------------------------------------------------------------


def test_backup_restored_to_an_empty_server_is_the_same_installation(synced: Deployed, tmp_path: Path) -> None:
    """With the documented commands and the same keys: figures and API keys work; with other keys the API keys don't."""
    [dump] = [block for block in commands("Backup") if "pg_dump" in block]
    [restore] = [line for block in commands("Restore") for line in block.splitlines() if "pg_restore" in line]
    figures = synced.manage("export_usage")
    synced.change(
        "INSERT INTO accounts_session (session_key, session_data, expire_date, address, user_agent) "
        "VALUES ('digest', '', '2100-01-01', '', '')"
    )

    with PostgresServer() as elsewhere:
        shell(
            "createdb --username administrate administrate",
            synced.postgres_programs("postgres", server=elsewhere),
            tmp_path,
        )
        shell(in_container(dump), synced.postgres_programs(), tmp_path)
        assert (tmp_path / "administrate.dump").stat().st_mode & 0o077 == 0
        shell(in_container(restore), synced.postgres_programs(server=elsewhere), tmp_path)
        synced.make_roles(elsewhere)
        environment = synced.environment("web")
        environment["DATABASE_URL"] = (
            f"postgresql://administrate_app@127.0.0.1:{urlsplit(elsewhere.url).port}/administrate"
        )

        def manage(*words: str, **other: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                ["python", "manage.py", *words],
                cwd=synced.app,
                env=environment | other,
                capture_output=True,
                text=True,
                check=False,
            )

        with psycopg.connect(elsewhere.url, dbname="administrate") as connection:
            assert connection.execute("SELECT * FROM accounts_session").fetchall() == []
        assert "No migrations to apply" in manage("migrate", "--no-input").stdout
        assert manage("export_usage").stdout == figures
        synced_again = manage("sync_provider", "Agency")
        assert synced_again.returncode == 0, synced_again.stderr
        other_keys = manage(
            "sync_provider", "Agency", ENCRYPTION_KEYS_FILE="", ENCRYPTION_KEYS=Fernet.generate_key().decode()
        )
        assert other_keys.returncode == 1
        assert "enter the key again" in other_keys.stderr


def in_container(command: str) -> str:
    """Without the words that reach into the container."""
    return command.replace("docker compose exec -T postgres ", "")


def shell(command: str, environment: dict[str, str], folder: Path) -> None:
    done = subprocess.run(
        ["sh", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
