"""Cursors: where the next page begins, as opaque text.

A cursor holds the key of the last line that was given, not a number of lines: what is added meanwhile neither repeats
nor hides one. It belongs to one question; with another one it is refused.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

from django.http import HttpRequest

from api.problems import unprocessable

# What may change from page to page.
_OF_THE_PAGE = frozenset({"cursor", "limit"})

LIMIT = 1000
MOST = 10_000


def make_cursor(request: HttpRequest, key: Sequence[str]) -> str:
    return urlsafe_b64encode(json.dumps([_question(request), *key]).encode()).decode().rstrip("=")


def read_cursor(request: HttpRequest, text: str, *, length: int) -> tuple[str, ...]:
    """The key, of ``length`` parts; raises Problem (422)."""
    try:
        parts = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        parts = None
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts) or len(parts) != length + 1:
        raise unprocessable(("cursor", "This is no cursor: give what “next” held, unchanged."))
    question, *key = parts
    if question != _question(request):
        raise unprocessable(("cursor", "This cursor belongs to another question: repeat the same parameters."))
    return tuple(key)


def _question(request: HttpRequest) -> str:
    asked = sorted((name, values) for name, values in request.GET.lists() if name not in _OF_THE_PAGE)
    return sha256(json.dumps([request.path, asked]).encode()).hexdigest()[:16]
