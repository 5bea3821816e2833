"""What most tests share: a fixed moment, somebody who is signed in, and a provider type that calls nobody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import Signal
from django.http import HttpRequest
from django.test import Client

from accounts.models import Role
from core import audit
from core.secrets import ApiKey
from elevenlabs_sync.words import FIGURES, WORDS
from providers import registry, signals
from providers.models import Provider, SyncRun
from providers.registry import FigureWords, KeyCheck, Progress, Region, TypeWords
from syncing.errors import ProviderError
from syncing.reader import Reader, SyncSession
from tests.factories import NOW, TODAY, forget_underived, make_user
from tests.fake_reader import FakeReader
from tests.providers.listening import Told

# Of several processes of tests one makes the tables; one alone has them sooner by Django's own way.
SHARES_TABLES = "TEST_SHARED_FOLDER" in os.environ


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest, engine: str) -> None:
    """Begin with tables that are made already."""
    database: dict[str, Any] = settings.DATABASES["default"]
    test = database["TEST"]
    if SHARES_TABLES and engine == "sqlite":
        shutil.copy(request.getfixturevalue("home_of_tables") / "administrate.sqlite3", test["NAME"])
    elif SHARES_TABLES:
        test["TEMPLATE"] = urlsplit(request.getfixturevalue("database_of_tables")).path.removeprefix("/")


@pytest.fixture(scope="session")
def django_db_keepdb(engine: str) -> bool:
    """On SQLite they lie where Django would otherwise begin with an empty file; it goes with the tests' home."""
    return SHARES_TABLES and engine == "sqlite"


def pytest_runtest_setup() -> None:
    forget_underived()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """A Sunday noon; the views' clock stands at it."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    return NOW


@pytest.fixture
def today(now: datetime) -> date:
    return TODAY


@pytest.fixture(autouse=True)
def forced_sign_in_counts_as_confirmed() -> Iterator[None]:
    """As signing in with a password does, which leaves a record in the session; `force_login` has passed nothing."""

    def leave_record(request: HttpRequest, user: User, **_signal: Any) -> None:
        if not get_authentication_records(request, user):
            record_authentication(request, user, method="password")

    user_logged_in.connect(leave_record, dispatch_uid="tests")
    yield
    user_logged_in.disconnect(dispatch_uid="tests")


@pytest.fixture
def operator(db: None) -> User:
    return make_user(username="operator", role=Role.ADMIN)


@pytest.fixture
def signed_in(client: Client, operator: User, now: datetime) -> Client:
    """A browser in which the operator is signed in, at ``now``."""
    client.force_login(operator)
    return client


@dataclass
class FakeType:
    """A provider type whose answers a test chooses, and an engine that only remembers what it was given."""

    slug: str = "elevenlabs"
    label: str = "ElevenLabs"
    simulated_key: ApiKey | None = field(default_factory=lambda: ApiKey("sk_simulated_0000"))
    refusal: str = ""
    offers_account_totals: bool = False
    queue_is_down: bool = False
    project_ids: frozenset[str] = frozenset()
    checked: list[tuple[str, str]] = field(default_factory=list)
    enqueued: list[int] = field(default_factory=list)
    words: TypeWords = WORDS
    figures: Mapping[str, FigureWords] = field(default_factory=lambda: FIGURES)
    plan_figure: str = "credits"
    reader: FakeReader = field(default_factory=FakeReader)

    def regions(self) -> list[Region]:
        return [Region("global", "Global"), Region("eu", "EU residency"), Region("simulated", "Simulated")]

    def check_key(self, api_key: ApiKey, region: str, source: Provider.Source) -> KeyCheck:
        self.checked.append((api_key.reveal(), region))
        if self.refusal and source == Provider.Source.ANALYTICS:
            raise registry.KeyRefusedError(self.refusal, offers_account_totals=self.offers_account_totals)
        return KeyCheck(self.project_ids)

    @contextmanager
    def open_reader(self, provider: Provider, *, session: SyncSession) -> Iterator[Reader]:  # noqa: ARG002 - as asked
        self.reader.session = session
        yield self.reader

    def explain(self, error: ProviderError) -> str:
        return f"{self.label} said {error.code}."

    def enqueue(self, run_id: int) -> None:
        if self.queue_is_down:
            raise registry.QueueUnreachableError
        self.enqueued.append(run_id)

    def requests_for(self, first: date, last: date, *, agents: int) -> int:
        return (last - first).days + agents

    def sync(self, run_id: int, *, on_progress: Callable[[Progress], None]) -> SyncRun | None:
        raise NotImplementedError


@pytest.fixture
def elevenlabs(monkeypatch: pytest.MonkeyPatch) -> FakeType:
    """ElevenLabs, played by FakeType."""
    fake = FakeType()
    monkeypatch.setitem(registry._types, "elevenlabs", fake)
    monkeypatch.setattr(registry, "_engines", [fake])
    return fake


@pytest.fixture
def told() -> Iterator[Told]:
    """Listens to what the apps above are told."""
    told = Told()
    pairs: list[tuple[Signal, Callable[..., None]]] = [
        (signals.assignments_changed, told.hear_assignments),
        (signals.sharing_changed, told.hear_sharing),
        (audit.audit_signal, told.hear_act),
    ]
    for signal, hear in pairs:
        signal.connect(hear)
    yield told
    for signal, hear in pairs:
        signal.disconnect(hear)
