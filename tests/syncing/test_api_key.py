"""The API key during a sync: refused, replaced, unreadable, and nowhere in clear."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings

from core.secrets import ApiKey
from elevenlabs_sync.simulator import SIMULATED_API_KEY, access
from elevenlabs_sync.simulator.routes import USAGE_PATH
from providers.models import Project, Provider, SyncRun
from tests.elevenlabs_sync.worlds import World
from tests.simulation import faults

pytestmark = pytest.mark.django_db

FAILED = SyncRun.Outcome.FAILED


def figures(document: dict[str, Any], column: str, value: Any) -> dict[str, Any]:
    """The document with ``value`` in one row's cell of a column."""
    document["rows"][0][document["columns"].index(column)] = value
    return document


def unit(document: dict[str, Any], column: str, value: str | None) -> dict[str, Any]:
    document["column_units"][document["columns"].index(column)] = value
    return document


def test_revoked_key_fails_at_once_and_its_replacement_goes_on(here: World) -> None:
    """A revoked key is not tried again; with a new one the history continues without gap or double."""
    here.sync()
    before = here.stored
    asked = len(here.usage_requests)
    new_key = "sk_" + "ab12" * 12
    here.server.keys = {new_key: access.ALL_PERMISSIONS}
    here.clock.move(days=9)

    failed = here.sync()

    assert (failed.outcome, failed.error_code) == (FAILED, "invalid_key")
    assert here.stored == before
    assert len(here.usage_requests) - asked == 1
    here.provider.api_key = ApiKey(new_key)
    here.provider.save()
    here.sync()
    assert here.stored == here.truth


def test_missing_permission_is_named(here: World) -> None:
    """The person learns which permission to give."""
    here.server.keys = {SIMULATED_API_KEY: access.ALL_PERMISSIONS - {access.ANALYTICS}}

    run = here.sync()

    assert (run.outcome, run.error_code) == (FAILED, "missing_permission")
    assert "workspace_analytics_full_read" in run.error_text


def test_key_that_can_not_be_decrypted_asks_for_a_new_one(here: World) -> None:
    """With its encryption key lost the provider fails, and nothing is asked of ElevenLabs."""
    with override_settings(ENCRYPTION_KEYS=[Fernet.generate_key().decode()]):
        run = here.sync()

    assert (run.outcome, run.error_code) == (FAILED, "key_unreadable")
    assert here.server.requests == []


class _EveryRecord(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f"{record.getMessage()} {record.__dict__} {self.format(record)}")


@pytest.fixture
def every_record() -> Iterator[list[str]]:
    """All that any logger says at its most talkative – but httpcore, which repeats the headers of answers."""
    handler = _EveryRecord()
    names = ("", "httpx", "elevenlabs_sync", "syncing", "providers", "costs", "django", "django.db.backends")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger("httpcore").setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    yield handler.texts
    logging.getLogger().removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger("httpcore").setLevel(logging.NOTSET)


def test_api_key_stands_nowhere_in_clear(here: World, every_record: list[str]) -> None:
    """An API that echoes the key wherever it can does not get it into logs, runs or providers."""
    key = SIMULATED_API_KEY
    echoes: list[faults.Fault] = [
        faults.ErrorStatus(401, code="other", message=f"No: {key}."),
        faults.ErrorStatus(401, code="missing_permissions", message=f"You are missing the permission {key} to do it"),
        faults.ErrorStatus(402, detail=f"api_key_{key}"),
        faults.ErrorStatus(422, detail=[{"loc": ["body"], "msg": f"xi-api-key={key}", "type": key}]),
        faults.ErrorStatus(400, code=key, message=f"{key}{key}"),
        faults.ErrorStatus(503, message=key, headers={"retry-after": key}),
        faults.ContentType(f"text/{key}"),
        faults.Redirect(f"http://127.0.0.1:9/{key}"),
        faults.Transform(lambda document: unit(document, "total_cost", key)),
        faults.Transform(lambda document: figures(document, "total_cost", key)),
    ]

    for echo in echoes:
        here.server.faults.add(USAGE_PATH, echo, times=None)
        assert here.sync().outcome == FAILED
        here.server.faults.clear()

    kept = [list(model.objects.values()) for model in (SyncRun, Provider, Project)]
    assert len(every_record) > 10
    assert [text for text in every_record if key[3:] in text] == []
    assert key[3:] not in repr(kept)


def test_connection_tells_no_key(here: World, every_record: list[str]) -> None:
    """Not even the most talkative log of the HTTP library holds the key."""
    logging.getLogger("httpcore").setLevel(logging.DEBUG)

    here.sync()

    assert any("send_request_headers" in text for text in every_record)
    assert SIMULATED_API_KEY not in "\n".join(every_record)


def test_error_of_our_own_shows_no_key(here: World) -> None:
    """Not even a traceback with every local variable holds the key."""
    Provider.objects.update(region="nowhere")
    run = here.run()

    with pytest.raises(KeyError) as caught:
        here.carry_out(run)

    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert SIMULATED_API_KEY not in "".join(shown.format())
