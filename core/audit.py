"""The audit signal: what somebody did, told to the audit log, which the apps below it don't know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.dispatch import Signal

if TYPE_CHECKING:
    from django.contrib.auth.models import User


# Arguments: see announce().
audit_signal = Signal()


def audit_event(
    action: str,
    target: Model | str,
    *,
    actor: User | None = None,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
) -> None:
    """Say that somebody did something, for the audit log.

    ``action`` is "<noun>.<past participle>", e.g. "provider.connected", done to ``target``, by its name where that is
    no row; ``old`` and ``new`` are JSON values of what changed and never hold a secret. Without ``actor`` it was the
    person of the present request, or no person at all.
    """
    audit_signal.send(sender=type(target), action=action, target=target, actor=actor, old=old or {}, new=new or {})
