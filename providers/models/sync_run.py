"""One sync of one provider: why it ran, what it covered, how far it came, how it ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models

from providers.models.provider import Provider, unclaimed


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def unfinished(self) -> Self:
        return self.filter(finished_at=None)

    def scheduled(self) -> Self:
        """Those that cover whatever is due, as opposed to a window that a person named."""
        return self.filter(requested_from=None)

    def lost(self, now: datetime, patience: timedelta) -> Self:
        """Unfinished ones without a worker: begun and left by a worker, or not handed over within ``patience``."""
        return self.unfinished().filter(
            unclaimed(now, "provider__"),
            models.Q(enqueued_at=None)
            | models.Q(enqueued_at__lte=models.F("started_at"))
            | models.Q(enqueued_at__lte=now - patience),
        )


class SyncRun(models.Model):
    """A row from the moment a sync is wanted: whatever the queue loses, this remembers."""

    class Trigger(models.TextChoices):
        CONNECT = "connect", "Initial sync"
        HOURLY = "hourly", "Hourly"
        NIGHTLY = "nightly", "Nightly"
        MANUAL = "manual", "By hand"

    class Stage(models.TextChoices):
        QUEUED = "queued", "Waiting for a worker"
        ACCOUNT = "account", "Reading the subscription"
        KEYS = "keys", "Listing API keys"
        USAGE = "usage", "Reading usage"

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        NEEDS_LOOK = "needs_look", "Needs a look"

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="runs")
    trigger = models.CharField(max_length=20, choices=Trigger)
    # A window named by a person, both days inclusive, UTC; empty: whatever is due.
    requested_from = models.DateField(null=True)
    requested_to = models.DateField(null=True)
    accepts_implausible = models.BooleanField(default=False)

    stage = models.CharField(max_length=20, choices=Stage, default=Stage.QUEUED)
    # The window that the run covers, both days inclusive, UTC; known once it has begun.
    window_from = models.DateField(null=True)
    window_to = models.DateField(null=True)
    days_total = models.PositiveIntegerField(default=0)
    days_done = models.PositiveIntegerField(default=0)
    keys_found = models.PositiveIntegerField(null=True)
    rows_read = models.PositiveBigIntegerField(default=0)
    rows_inserted = models.PositiveBigIntegerField(default=0)
    rows_changed = models.PositiveBigIntegerField(default=0)
    rows_unchanged = models.PositiveBigIntegerField(default=0)

    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_text = models.TextField(blank=True)
    excerpt = models.TextField(blank=True, help_text="How an answer begins that could not be understood, redacted.")
    notes = models.JSONField(default=list, blank=True, help_text="What was worth a remark, as sentences.")

    attempts = models.PositiveIntegerField(default=0)
    queued_at = models.DateTimeField()
    enqueued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        ordering = ("-queued_at", "-pk")
        indexes = (
            # The provider page's sync history: the newest runs of one provider.
            models.Index(fields=["provider", "-queued_at"], name="syncrun_history"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["provider"],
                condition=models.Q(finished_at=None, requested_from=None),
                name="syncrun_one_scheduled",
            ),
            models.CheckConstraint(
                condition=models.Q(finished_at=None, outcome="")
                | models.Q(finished_at__isnull=False, outcome__in=["succeeded", "failed", "needs_look"]),
                name="syncrun_finished_has_outcome",
            ),
            models.CheckConstraint(
                condition=models.Q(requested_from=None, requested_to=None)
                | models.Q(
                    requested_from__isnull=False,
                    requested_to__isnull=False,
                    requested_to__gte=models.F("requested_from"),
                ),
                name="syncrun_requested_in_order",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_trigger_display()} sync of {self.provider}"

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    @property
    def took(self) -> timedelta | None:
        """How long it ran; None while it has not begun or not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at
