"""The log: readable or JSON, told apart by request and run, and never with a secret in it."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pytest_django.fixtures import Settings

from administrate.celery import keep_our_logging, pass_the_request_on, take_the_request_over
from administrate.logs import JsonFormatter, LineFormatter, scrub
from core import log_context
from core.secrets import ApiKey
from syncing import tasks
from tests.factories import API_KEY

pytestmark = pytest.mark.any_engine


FORMATTERS = [LineFormatter, JsonFormatter]


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    fields = {
        "name": "costs.usage.writing",
        "levelname": "INFO",
        "levelno": logging.INFO,
        "msg": message,
        "args": arguments,
    }
    return logging.makeLogRecord(fields | extra)


def read(line: str) -> dict[str, object]:
    fields = json.loads(line)
    assert isinstance(fields, dict)
    return fields


def test_line_is_for_people() -> None:
    """Time, level, place, sentence."""
    line = LineFormatter().format(record("Stored %s rows", 3))

    assert line.endswith(" INFO    costs.usage.writing: Stored 3 rows")


def test_json_is_one_object_a_line() -> None:
    """With the fields that collectors search by, line breaks inside of strings alone."""
    line = JsonFormatter().format(record("Stored\n%s rows", 3, ms=12, path="/"))

    assert "\n" not in line
    fields = read(line)
    assert str(fields.pop("time")).endswith("+00:00")
    assert fields == {
        "level": "info",
        "logger": "costs.usage.writing",
        "message": "Stored\n3 rows",
        "ms": 12,
        "path": "/",
    }


def test_line_tells_its_request_and_its_run() -> None:
    """In both forms, and only while the work goes on."""
    with log_context.for_request("abc-12345"), log_context.for_run(7):
        line = LineFormatter().format(record("Stored"))
        fields = read(JsonFormatter().format(record("Stored")))

    assert line.endswith("Stored [request_id abc-12345, run_id 7]")
    assert (fields["request_id"], fields["run_id"]) == ("abc-12345", 7)
    assert "request_id" not in read(JsonFormatter().format(record("Stored")))


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_key_is_masked_wherever_it_stands(formatter: type[logging.Formatter]) -> None:
    """In the message, an argument, an extra field, the exception's text and the traceback's cause."""
    try:
        try:
            int(API_KEY)
        except ValueError as cause:
            raise RuntimeError(f"xi-api-key: {API_KEY}") from cause
    except RuntimeError:
        caught = sys.exc_info()

    written = formatter().format(record(f"{API_KEY} %s %r", API_KEY, {"key": API_KEY}, header=API_KEY, exc_info=caught))

    assert "Traceback" in written
    assert "RuntimeError" in written
    assert API_KEY not in written
    assert API_KEY[3:20] not in written


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("headers {'xi-api-key': 'f00dfeed'}", "f00dfeed"),
        ("('xi-api-key', b'f00dfeed')", "f00dfeed"),
        ("XI-API-KEY: f00dfeed", "f00dfeed"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("postgresql://administrate:pass-word@db:5432/administrate", "pass-word"),
        ("redis://:pass-word@redis:6379/0", "pass-word"),
        ("api_key=abcdef", "abcdef"),
        (f"old key {Fernet.generate_key().decode()}", "="),
        ("key 0123456789abcdef0123456789abcdef", "0123456789abcdef"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, secret: str) -> None:
    """Whoever's it is, and with the rest of the line left readable."""
    written = scrub(text)

    assert secret not in written
    assert "••••" in written
    assert written.split("••••")[0] == text.split(secret)[0] or secret == "="


@pytest.mark.parametrize(
    "text",
    ["The password is incorrect.", "GET /providers/3/ 200", "Sync run 12 waits", "http://127.0.0.1:8000/", "task"],
)
def test_ordinary_lines_stay_as_they_are(text: str) -> None:
    """A log in which everything is masked tells nothing."""
    assert scrub(text) == text


def test_our_own_secrets_are_masked_whatever_they_look_like(settings: Settings) -> None:
    """Those of the settings, in quotes and percent signs too."""
    settings.METRICS_TOKEN = "quite ordinary words"
    settings.ADMIN_PASSWORD = 'with "quotes" in it'
    settings.REDIS_URL = "redis://:p%40ss-phrase@redis/0"
    [fernet] = settings.ENCRYPTION_KEYS

    for secret in (settings.METRICS_TOKEN, settings.ADMIN_PASSWORD, "p@ss-phrase", fernet, settings.SECRET_KEY):
        assert secret not in read(JsonFormatter().format(record("here: %s.", secret)))["message"]  # type: ignore[operator]


def test_a_short_setting_is_no_secret_to_look_for(settings: Settings) -> None:
    """Else a password like "row" would garble every line."""
    settings.ADMIN_PASSWORD = "row"

    assert scrub("3 rows") == "3 rows"


def test_api_key_object_is_masked_before_it_comes_here() -> None:
    """Its wrapper never gives it away."""
    assert read(JsonFormatter().format(record("%s", ApiKey(API_KEY), key=ApiKey(API_KEY)))).items() >= {
        ("message", "ApiKey(••••)"),
        ("key", "ApiKey(••••)"),
    }


def test_word_on_the_command_line_sets_how_much_celery_says() -> None:
    """`--loglevel` is the level of Celery's own logger, whose lines go where all lines go."""
    celery = logging.getLogger("celery")
    before = celery.level
    try:
        keep_our_logging(loglevel="DEBUG")

        assert celery.level == logging.DEBUG
    finally:
        celery.setLevel(before)


def test_request_is_passed_on_to_the_worker() -> None:
    """A header of the message carries the id; a message without one carries none on."""
    headers: dict[str, object] = {}
    with log_context.for_request("abc-12345"):
        pass_the_request_on(headers=headers)
    task: Any = tasks.sync
    try:
        task.push_request(**headers)
        take_the_request_over(task=task)
        assert log_context.request_id.get() == "abc-12345"
        task.pop_request()
        task.push_request()
        take_the_request_over(task=task)
        assert log_context.request_id.get() == ""
    finally:
        task.pop_request()
        log_context.request_id.set("")


def test_sync_task_logs_under_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything below the task carries the run's id."""
    seen: list[int | None] = []
    monkeypatch.setattr(tasks, "run_sync", lambda _run: seen.append(log_context.run_id.get()))

    tasks.sync(12)

    assert seen == [12]
    assert log_context.run_id.get() is None
