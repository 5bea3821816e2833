"""Secrets that can be recognised are given to the running product, used, refused and made to crash; then everything
that it wrote, showed or left behind is searched for them.

The API keys look like nothing that a log would mask, so that they must not have got there in the first place.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from pathlib import Path
from signal import SIGTERM
from typing import Any, LiteralString
from urllib.parse import quote_plus

import httpx
import psycopg
import pytest
import redis
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from psycopg import sql

from elevenlabs_sync.simulator import SimulatedWorkspace, SimulatorServer
from elevenlabs_sync.simulator.access import ALL_PERMISSIONS
from tests.installation import post, sign_in, token_in
from tests.services.processes import wait_for
from tests.services.product import ADMIN_PASSWORD, EmbeddedProduct, ProductionProduct
from tests.services.truth import today

pytestmark = pytest.mark.services

GOOD_KEY = "Canary.Kt4wPm8sVb2dYn6c-good"
NEW_KEY = "Canary.Qr7hZj3xLf9gTu5a-next"
BAD_KEY = "Canary.Ws8eNd2kXv6mHp4r-none"
KEYS = {"the API key": GOOD_KEY, "its replacement": NEW_KEY, "a refused key": BAD_KEY}
METRICS_TOKEN = "Canary.Gy3bCq9tJw5zRk7f-metrics"
KEY_NAME = "Northwind – IVR"
SYNC_SECONDS = 60
MOST_PAGES = 120


@pytest.fixture
def simulator() -> Iterator[SimulatorServer]:
    keys = {GOOD_KEY: ALL_PERMISSIONS, NEW_KEY: ALL_PERMISSIONS}
    with SimulatorServer(SimulatedWorkspace(today()), keys=keys) as server:
        yield server


def disguises(secret: str) -> set[bytes]:
    """The secret as itself, and as what formats make of it; of Base64 what does not depend on what stands before."""
    clear = secret.encode()
    inner = [base64.b64encode(clear[skipped : len(clear) - (len(clear) - skipped) % 3]) for skipped in range(3)]
    return {clear, clear.hex().encode(), quote_plus(secret).encode(), secret[::-1].encode(), *inner}


def found(secrets: Mapping[str, str], places: Mapping[str, bytes]) -> list[str]:
    """Which secret stands where."""
    assert all(len(secret) >= 8 for secret in secrets.values())
    return [
        f"{name} in {place}"
        for name, secret in secrets.items()
        for place, content in places.items()
        if any(form in content for form in disguises(secret))
    ]


def test_the_search_finds_what_is_hidden() -> None:
    """In a name, within Base64 at any offset, in an address: else the tests below could not fail."""
    for place in (
        f"x{GOOD_KEY}x".encode(),
        *(base64.b64encode(f"{'x' * offset}{GOOD_KEY}{'y' * (3 - offset)}".encode()) for offset in range(4)),
        GOOD_KEY.encode().hex().encode(),
    ):
        assert found({"key": GOOD_KEY}, {"there": place}) == ["key in there"]
    assert found({"key": GOOD_KEY}, {"there": b"Canary.Kt4w"}) == []


def every_page(visitor: httpx.Client, *beginnings: str) -> dict[str, bytes]:
    """What is linked, from the beginnings on: each page once, with the headers of its answer, whatever its query."""
    wanted, seen, pages = list(beginnings), set[str](), dict[str, bytes]()
    while wanted and len(pages) < MOST_PAGES:
        address = wanted.pop(0)
        path = address.partition("?")[0]
        kind = f"{re.sub('[0-9]+', '1', path)} {re.findall('csv=[^&]*', address)}"
        if kind in seen or "logout" in path or path.startswith("/static/"):
            continue
        seen.add(kind)
        answer = visitor.get(address)
        pages[address] = repr(answer.headers.multi_items()).encode() + answer.content
        if answer.headers["content-type"].startswith("text/html"):
            links = re.findall(r'(?:href|src)="([^"]*)"', answer.text)
            wanted += [str(answer.url.join(unescape(link)).raw_path, "ascii") for link in links if "#" not in link[:1]]
    return pages


def whole_database(url: str) -> dict[str, bytes]:
    """Every table as COPY writes it."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables: LiteralString = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        names = [name for (name,) in connection.execute(tables)]
        return {f"table {name}": b"".join(_copy(connection, name)) for name in names}


def _copy(connection: psycopg.Connection[Any], name: str) -> Iterable[bytes]:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))) as copy:
        for block in copy:
            yield bytes(block)


def whole_queue(url: str) -> bytes:
    """Every value in Redis, and what is wrapped in Base64 in the messages."""
    queue = redis.Redis.from_url(url)
    try:
        texts = [text for key in queue.scan_iter() for text in _values(queue, key)]
    finally:
        queue.close()
    bodies = [body for text in texts for body in re.findall(rb'"body": "([^"]+)"', text)]
    assert bodies, "no message waits"
    return b"\n".join([*texts, *(base64.b64decode(body) for body in bodies)])


def _values(queue: Any, key: bytes) -> list[bytes]:
    match queue.type(key):
        case b"list":
            return list(queue.lrange(key, 0, -1))
        case b"hash":
            return [text for pair in queue.hgetall(key).items() for text in pair]
        case b"set":
            return list(queue.smembers(key))
        case b"zset":
            return list(queue.zrange(key, 0, -1))
        case _:
            return [queue.get(key) or b""]


def files_below(*folders: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def command_lines() -> bytes:
    """Of every process of this machine, as `ps` shows them."""
    return b"\n".join(_read(path) for path in Path("/proc").glob("[0-9]*/cmdline"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().replace(b"\0", b" ")
    except OSError:  # it has ended meanwhile
        return b""


def connect(visitor: httpx.Client, key: str, *, name: str) -> httpx.Response:
    form = {"provider_type": "elevenlabs", "name": name, "api_key": key, "region": "global"}
    return post(visitor, "/providers/add/", seen_at="/providers/add/", **form)


class Story:
    """What happens to a product on PostgreSQL and Redis; ``answers`` are what a person was shown meanwhile."""

    def __init__(self, product: ProductionProduct, simulator: SimulatorServer, visitor: httpx.Client) -> None:
        self.product = product
        self.simulator = simulator
        self.visitor = visitor
        self.answers: dict[str, bytes] = {}
        self.printed: dict[str, bytes] = {}
        self.processes = b""

    def query(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.product.environment["DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def note(self, what: str, answer: httpx.Response) -> httpx.Response:
        self.answers[what] = repr(answer.headers.multi_items()).encode() + answer.content
        return answer

    def command(self, *arguments: str, text: str = "") -> int:
        done = self.product.manage(*arguments, text=text)
        self.printed[" ".join(arguments)] = f"{done.stdout}{done.stderr}".encode()
        return done.returncode

    def sync(self, outcome: str) -> None:
        """Ask for a sync and wait for how it ends."""
        ended = len(self.query("SELECT 1 FROM providers_syncrun WHERE finished_at IS NOT NULL"))
        self.note(f"sync {ended}", post(self.visitor, "/providers/1/sync/", seen_at="/providers/"))
        self.wait_for_runs(ended + 1, outcome)

    def wait_for_runs(self, number: int, outcome: str) -> None:
        newest: LiteralString = (
            "SELECT outcome FROM providers_syncrun WHERE finished_at IS NOT NULL ORDER BY finished_at, id"
        )
        wait_for(lambda: len(self.query(newest)) >= number, seconds=SYNC_SECONDS, what="ended", every=0.2)
        assert self.query(newest)[-1] == (outcome,)

    def tell(self) -> None:
        self.keys_come_and_go()
        self.things_break()
        self.commands_run()

    def keys_come_and_go(self) -> None:
        """Connected, synced, revoked, refused, replaced."""
        assert self.note("refused", connect(self.visitor, BAD_KEY, name="Nobody's")).status_code == 422
        assert self.note("connected", connect(self.visitor, GOOD_KEY, name="Agency")).status_code == 302
        self.wait_for_runs(1, "succeeded")
        del self.simulator.keys[GOOD_KEY]
        self.sync("failed")
        key_page = "/providers/1/key/"
        refused = post(self.visitor, key_page, seen_at=key_page, api_key=BAD_KEY)
        assert self.note("replacement refused", refused).status_code == 422
        replaced = post(self.visitor, key_page, seen_at=key_page, api_key=NEW_KEY)
        assert self.note("replaced", replaced).status_code == 302
        self.wait_for_runs(3, "succeeded")

    def things_break(self) -> None:
        """What nobody expects, in a view and in a sync, while the key is in use: the database lacks a column."""
        self.query("ALTER TABLE providers_syncrun RENAME COLUMN requested_from TO gone")
        self.simulator.keys[GOOD_KEY] = ALL_PERMISSIONS
        crashed = post(self.visitor, "/providers/1/key/", seen_at="/providers/add/", api_key=GOOD_KEY)
        assert self.note("crashed", crashed).status_code >= 500
        self.query("ALTER TABLE providers_syncrun RENAME COLUMN gone TO requested_from")
        self.query("ALTER TABLE costs_dailyusage RENAME COLUMN minutes TO gone")
        self.sync("failed")
        self.query("ALTER TABLE costs_dailyusage RENAME COLUMN gone TO minutes")

    def commands_run(self) -> None:
        self.processes += command_lines()
        connecting = ("connect_provider", "--type", "elevenlabs", "--api-key-stdin", "--name")
        assert self.command(*connecting, "Third", text=BAD_KEY) != 0
        assert self.command(*connecting, "Fourth", text=f"{GOOD_KEY} {BAD_KEY}") != 0
        assert self.command("replace_provider_key", "Agency", "--api-key-stdin", text=BAD_KEY) != 0
        assert self.command("rotate_encryption_keys") == 0
        assert self.command("sync_provider", "Agency") == 0
        assert self.command("assign_project", "--provider", "Agency", "--project", KEY_NAME, "--company", "Acme") == 0


def two_factor(story: Story) -> dict[str, str]:
    """Turn it on; the secrets that the pages show to who does."""
    path = "/settings/security/authenticator-app/add/"
    confirm = post(story.visitor, "/accounts/confirm/", seen_at="/accounts/confirm/", password=ADMIN_PASSWORD)
    assert confirm.status_code == 302
    page = story.visitor.get(path)
    secrets = re.findall(r"\b[A-Z2-7]{32}\b", page.text.replace(" ", ""))
    assert secrets, page.text
    code = format_hotp_value(hotp_value(secrets[0], next(iter(yield_hotp_counters_from_time()))))
    added = story.visitor.post(path, data={"csrfmiddlewaretoken": token_in(page), "code": code})
    assert added.status_code == 302, added.text
    codes = re.findall(r"\b\d{8}\b", story.visitor.get("/settings/security/recovery-codes/").text)
    assert len(codes) >= 8
    return {"the TOTP secret": secrets[0]} | {f"recovery code {code}": code for code in codes}


def invitation(story: Story) -> str:
    """Invite somebody; the link's token, which somebody else's form without a CSRF token then carries into the log."""
    page = "/settings/members/invite/"
    [token] = re.findall(
        r"/accounts/invitations/([\w-]+)/", post(story.visitor, page, seen_at=page, role="viewer").text
    )
    with httpx.Client(base_url=story.visitor.base_url) as stranger:
        assert stranger.get(f"/accounts/invitations/{token}/").status_code == 200
        assert stranger.post(f"/accounts/invitations/{token}/").status_code == 403
    return str(token)


def test_no_secret_is_anywhere_in_clear(
    production: ProductionProduct, simulator: SimulatorServer, tmp_path: Path
) -> None:
    """Logs, pages, the Django admin, error pages, exports, tables, messages, files, command lines, /metrics."""
    production.environment |= {"ELEVENLABS_BASE_URL": simulator.base_url, "METRICS_TOKEN": METRICS_TOKEN}
    address = production.start_web()
    worker, _beat = production.start_worker(), production.start_beat()
    with httpx.Client(base_url=address, timeout=30) as visitor:
        assert sign_in(visitor) == 302
        story = Story(production, simulator, visitor)
        story.tell()
        worker.stop(SIGTERM)
        story.note("queued", post(visitor, "/providers/1/sync/", seen_at="/providers/"))
        personal = two_factor(story)
        settings = {name: production.environment[name] for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "METRICS_TOKEN")}
        token = invitation(story)
        session = visitor.cookies["sessionid"]
        visitor.headers["Authorization"] = f"Bearer {METRICS_TOKEN}"
        pages = every_page(visitor, "/", "/admin/", "/exports/focus.csv", "/metrics", "/readyz", "/nothing-here/")

    written = files_below(tmp_path)
    database = whole_database(production.environment["DATABASE_URL"])
    logs = b"\n".join(content for name, content in written.items() if name.endswith(".log"))
    shown = story.answers | story.printed | pages
    assert logs.count(b"UndefinedColumn") >= 2, "the view's traceback and the sync's"
    assert b"Agency" in database["table providers_provider"]
    assert {"/metrics", "/?csv=days", "/admin/providers/provider/1/change/", "/settings/audit/?csv=audit"} <= set(pages)

    everywhere = shown | written | database | {"Redis": whole_queue(production.redis_url), "ps": story.processes}
    assert found(KEYS | settings | {"the password": ADMIN_PASSWORD}, everywhere) == []
    own_pages = ("/settings/security/recovery-codes/", "/settings/security/authenticator-app/")
    elsewhere = {place: text for place, text in everywhere.items() if not place.startswith(own_pages)}
    assert found(personal | {"the invitation": token}, elsewhere) == []
    # Django finds a session by its key, which is why its table has it.
    assert found({"the session": session}, {"logs": logs, "Redis": everywhere["Redis"]} | story.printed) == []


def test_no_key_lies_in_the_files_of_the_embedded_product(
    embedded: EmbeddedProduct, simulator: SimulatorServer
) -> None:
    """The database with its write-ahead log, what beat keeps, and what was printed."""
    embedded.environment["ELEVENLABS_BASE_URL"] = simulator.base_url
    embedded.start()
    with httpx.Client(base_url=embedded.url, timeout=30) as visitor:
        assert sign_in(visitor) == 302
        assert connect(visitor, BAD_KEY, name="Nobody's").status_code == 422
        assert connect(visitor, GOOD_KEY, name="Agency").status_code == 302
        wait_for(lambda: 'id="progress"' not in visitor.get("/providers/1/").text, seconds=SYNC_SECONDS, what="synced")

    files = files_below(embedded.data_dir)
    assert b"Agency" in b"".join(files.values())
    assert found(KEYS, files | {"output": embedded.output.encode()}) == []
