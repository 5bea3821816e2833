"""The entries of the audit log. Written only by accounts.audit.recording, deleted only when they have grown old."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn, Self

from django.contrib.auth.models import User
from django.db import models


class AppendOnlyError(TypeError):
    """Recorded entries must not be changed or deleted."""

    def __init__(self) -> None:
        super().__init__("The audit log is append-only.")


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def before(self, moment: datetime) -> Self:
        return self.filter(at__lt=moment)

    def update(self, **_fields: Any) -> NoReturn:
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        raise AppendOnlyError


class AuditEntry(models.Model):
    """One act. Everything is kept as text as it was at that time, whatever becomes of the person and the thing.

    The database itself refuses to change an entry (the migration's trigger); only the link to a person is cleared when
    that person is removed.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150, help_text="The username, or what acted without a person.")
    address = models.CharField(max_length=64, blank=True, help_text="The client's; empty outside of a request.")
    request_id = models.CharField(max_length=64, blank=True, help_text="As in the log's lines and the answer's header.")
    action = models.CharField(max_length=60, help_text="“<noun>.<past participle>”.")
    target_type = models.CharField(max_length=40, blank=True)
    target_id = models.BigIntegerField(null=True)
    target_name = models.CharField(max_length=300, blank=True)
    old = models.JSONField(default=dict)
    new = models.JSONField(default=dict)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ("-at", "-pk")
        verbose_name_plural = "audit entries"
        indexes = (
            # The page, newest first, and what has grown too old.
            models.Index(fields=["-at", "-id"], name="audit_latest"),
            # The sign-ins that failed within the last hour.
            models.Index(fields=["action", "-at"], name="audit_action_latest"),
            # The names that the page offers to filter by, and the entries of one.
            models.Index(fields=["actor_name", "-at"], name="audit_actor_latest"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.target_name}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnlyError
