"""What the tests about people share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.test import Client

from core.audit import audit_signal


def forget_confirming(client: Client) -> None:
    """Let the time pass for which signing in counts as having confirmed who it is."""
    session = client.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    session.save()


@dataclass(frozen=True)
class Announcement:
    action: str
    target: Any
    actor: Any
    old: dict[str, Any]
    new: dict[str, Any]


@pytest.fixture
def announced() -> Iterator[list[Announcement]]:
    """What the audit log would have been told."""
    heard: list[Announcement] = []

    def listen(action: str, target: Any, actor: Any, old: Any, new: Any, **_signal: Any) -> None:
        heard.append(Announcement(action, target, actor, dict(old), dict(new)))

    audit_signal.connect(listen, weak=False, dispatch_uid="tests.accounts")
    yield heard
    audit_signal.disconnect(dispatch_uid="tests.accounts")
