"""What happens in this app, told to the apps above it, which this one doesn't know.

Senders are services, inside the transaction that makes the change: what a receiver writes stands or falls with it, and
an error of a receiver undoes the change.
"""

from __future__ import annotations

from collections.abc import Collection

from django.dispatch import Signal

from providers.models import Project, Provider

# Arguments: project_ids, the ids of the projects whose assignments are no longer what they were.
assignments_changed = Signal()
# Arguments: provider. How its keyless usage is shared, or which keys take part in it, has changed.
sharing_changed = Signal()


def notify_assignments_changed(project_ids: Collection[int]) -> None:
    assignments_changed.send(sender=Project, project_ids=project_ids)


def notify_sharing_changed(provider: Provider) -> None:
    sharing_changed.send(sender=Provider, provider=provider)
