"""What people call a key instead of the name that its workspace reports."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from core.audit import audit_event
from providers.models import Project


@transaction.atomic
def label_project(*, project: Project, label: str, made_by: User | None = None) -> bool:
    """Store ``label`` (empty: the reported name shows again); False where it is as before."""
    before = Project.objects.select_for_update(no_key=True).values_list("label", flat=True).get(pk=project.pk)
    project.label = label
    if before == label:
        return False
    project.save(update_fields=["label"])
    audit_event("keys.renamed", project, actor=made_by, old={"label": before}, new={"label": label})
    return True
