"""Signals of this app for the apps above it, which it does not import.

Services send them inside the transaction that makes the change: what a receiver writes is committed or rolled back with
it, and an error in a receiver undoes the change.
"""

from __future__ import annotations

from collections.abc import Collection

from django.dispatch import Signal

from providers.models import Project, Provider, SyncRun

# Arguments: project_ids, the ids of the projects whose assignments are no longer what they were.
assignments_changed = Signal()
# Arguments: provider. How its keyless usage is shared, or which keys take part in it, has changed.
sharing_changed = Signal()
# Arguments: run. A sync has ended, whatever came of it.
sync_ended = Signal()


def notify_assignments_changed(project_ids: Collection[int]) -> None:
    assignments_changed.send(sender=Project, project_ids=project_ids)


def notify_sharing_changed(provider: Provider) -> None:
    sharing_changed.send(sender=Provider, provider=provider)


def notify_sync_ended(run: SyncRun) -> None:
    sync_ended.send(sender=SyncRun, run=run)
