"""What the tests of this app share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.dispatch import Signal

from core import audit
from providers import signals
from tests.providers.listening import Told


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
