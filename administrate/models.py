"""What processes leave in the database for each other to see. Figures and people live in the other apps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models

# Twice as long as the longest time between two signs of a healthy process.
ALIVE_FOR = timedelta(minutes=2)


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def beats(self) -> Self:
        return self.filter(kind=Heartbeat.Kind.BEAT)

    def workers(self) -> Self:
        return self.filter(kind=Heartbeat.Kind.WORKER)

    def alive(self, now: datetime) -> Self:
        """Those that gave a sign of life lately."""
        return self.filter(seen_at__gt=now - ALIVE_FOR)


class Heartbeat(models.Model):
    """The last sign of life of the clock or of one worker."""

    class Kind(models.TextChoices):
        BEAT = "beat", "Beat"
        WORKER = "worker", "Worker"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=200, help_text="A worker's name as Celery has it; empty for the clock.")
    version = models.CharField(max_length=40, help_text="Of Administrate; an old one was forgotten in an upgrade.")
    seen_at = models.DateTimeField()

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        ordering = ("kind", "name")
        constraints = (models.UniqueConstraint(fields=["kind", "name"], name="heartbeat_unique"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}".strip()

    def is_alive(self, now: datetime) -> bool:
        return self.seen_at > now - ALIVE_FOR
