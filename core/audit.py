"""The audit signal: apps send it when a person or a program did something; the audit log, above them, records it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.dispatch import Signal

if TYPE_CHECKING:
    from django.contrib.auth.models import User


# Arguments: see audit_event().
audit_signal = Signal()


def audit_event(
    action: str,
    target: Model | str,
    *,
    actor: User | None = None,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
) -> None:
    """Record an act in the audit log.

    ``action`` is "<noun>.<past participle>", e.g. "provider.connected", done to ``target``, by its name where that is
    no row; ``old`` and ``new`` are JSON values of what changed and never hold a secret. Without ``actor`` it was the
    person of the present request, or no person at all.
    """
    audit_signal.send(sender=type(target), action=action, target=target, actor=actor, old=old or {}, new=new or {})


@dataclass(frozen=True, order=True)
class AuditGroup:
    """Acts that the audit log is filtered by together; offered in the order of their positions."""

    position: int
    slug: str  # as URLs have it
    label: str


_labels: dict[AuditGroup, dict[str, str]] = {}


def register_labels(labels: Mapping[str, str], *, group: AuditGroup) -> None:
    """What acts are called on the audit log's page; called by the app that acts, from its AppConfig.ready().

    The nouns of the acts belong to ``group``, which may be another app's as well.
    """
    _labels.setdefault(group, {}).update(labels)


def registered_labels() -> dict[str, str]:
    """The label of every act."""
    return {action: label for of_group in _labels.values() for action, label in of_group.items()}


def audit_groups() -> dict[AuditGroup, set[str]]:
    """Every group, in order, with the nouns of its acts."""
    return {group: {action.partition(".")[0] for action in _labels[group]} for group in sorted(_labels)}
