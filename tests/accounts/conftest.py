"""What the tests about people share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from providers.signals import acted


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

    acted.connect(listen, weak=False, dispatch_uid="tests.accounts")
    yield heard
    acted.disconnect(dispatch_uid="tests.accounts")
