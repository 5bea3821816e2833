"""What happens in this app, told to the apps above it, which this one doesn't know.

Senders are services, inside the transaction that makes the change: what a receiver writes stands or falls with it, and
an error of a receiver undoes the change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.dispatch import Signal

from providers.models import Project, Provider

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Arguments: project_ids, the ids of the projects whose assignments are no longer what they were.
assignments_changed = Signal()
# Arguments: provider. How its keyless usage is shared, or which keys take part in it, has changed.
sharing_changed = Signal()
# Arguments: see announce().
acted = Signal()


def tell_assignments_changed(project_ids: Collection[int]) -> None:
    assignments_changed.send(sender=Project, project_ids=project_ids)


def tell_sharing_changed(provider: Provider) -> None:
    sharing_changed.send(sender=Provider, provider=provider)


def announce(
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
    acted.send(sender=type(target), action=action, target=target, actor=actor, old=old or {}, new=new or {})
