"""How log records are written: one JSON object a line in production, a readable line elsewhere, secrets in neither.

Scrubbing happens here, on the finished text, so that it covers messages, their arguments, extra fields and tracebacks
of our own code and everybody else's alike.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings

from core import log_context
from core.secrets import MASK, mask_secrets

# A shorter value might be an everyday word, and masking it would garble lines that hold no secret.
SHORTEST_SECRET = 8

# What comes after the path of an address: the code of a single sign-on, what somebody has searched for.
_QUERY = re.compile(r"(?<=[\w/.:%~)\]-])\?(?=[\w%\[=&])[^\s'\"<>]*")

# What signs somebody in, to its end: a cookie's value is one of several, a scheme may have many parts.
_HEADER = re.compile(
    r"""
    (?P<keep>
        (?<![a-z])(?:authorization|(?:set-)?cookie)(?:["']?\s*[:=]|["']\s*,)\s*
        (?:b?["'])?(?:(?:bearer|basic|digest)\s+)?
    )[^\n"']+
    """,
    re.VERBOSE | re.IGNORECASE,
)

_ORDINARY = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


def scrub(text: str) -> str:
    """``text`` without what is one of this installation's secrets, or looks like anybody's, and without what came with
    a request beside its path: query, cookies, Authorization.
    """
    for secret in _own_secrets():
        text = text.replace(secret, MASK)
    text = _HEADER.sub(lambda found: f"{found['keep']}{MASK}", text)
    return mask_secrets(_QUERY.sub(f"?{MASK}", text))


def _own_secrets() -> tuple[str, ...]:
    if not settings.configured:
        return ()
    single_sign_on: Any = settings.SOCIALACCOUNT_PROVIDERS.get("openid_connect", {})
    return _longest_first(
        settings.SECRET_KEY,
        *getattr(settings, "SECRET_KEY_FALLBACKS", ()),
        *settings.ENCRYPTION_KEYS,
        settings.ADMIN_PASSWORD,
        settings.METRICS_TOKEN,
        settings.DATABASES["default"].get("PASSWORD", ""),
        unquote(urlsplit(settings.REDIS_URL).password or ""),
        *(app["secret"] for app in single_sign_on.get("APPS", ())),
    )


@lru_cache(maxsize=8)
def _longest_first(*secrets: str) -> tuple[str, ...]:
    """One secret may be the beginning of another."""
    return tuple(sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True))


def _context() -> Iterator[tuple[str, str | int]]:
    if request := log_context.request_id.get():
        yield "request_id", request
    if run := log_context.run_id.get():
        yield "run_id", run


class LineFormatter(logging.Formatter):
    """For people: time, level, where, what – and what it belongs to."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s%(context)s")

    def format(self, record: logging.LogRecord) -> str:
        pairs = ", ".join(f"{name} {value}" for name, value in _context())
        vars(record)["context"] = f" [{pairs}]" if pairs else ""
        try:
            return scrub(super().format(record))
        finally:
            del vars(record)["context"]


class JsonFormatter(logging.Formatter):
    """For machines: `time`, `level`, `logger`, `message`, `request_id`, `run_id`, `exception` and a record's extras."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrub(record.getMessage()),
            **dict(_context()),
        }
        for name, value in vars(record).items():
            if name not in _ORDINARY:
                plain = value is None or isinstance(value, bool | int | float)
                fields[name] = value if plain else scrub(str(value))
        if record.exc_info:
            fields["exception"] = scrub(self.formatException(record.exc_info))
        if record.stack_info:
            fields["stack"] = scrub(record.stack_info)
        return json.dumps(fields, ensure_ascii=False)
