"""The outbox: what is still to be sent to whom, every attempt at it, and the addresses of other programs."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from alerts.models.alert import Alert, Severity
from core import secrets

MAIL_LANE = "mail"


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def enabled(self) -> Self:
        return self.filter(disabled_at=None)


class Endpoint(models.Model):
    """Where alerts are posted to. Its address may hold a secret, too, and is stored encrypted."""

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", "Webhook"
        SLACK = "slack", "Slack"

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.WEBHOOK)
    host = models.CharField(max_length=300, help_text="What is shown of the address.")
    encrypted_url = models.TextField(editable=False)
    encrypted_secret = models.TextField(editable=False, blank=True)
    encrypted_previous_secret = models.TextField(editable=False, blank=True)
    previous_until = models.DateTimeField(null=True, help_text="Until when the secret before this one signs as well.")
    minimum = models.PositiveSmallIntegerField(choices=Severity, default=Severity.INFO)
    made_at = models.DateTimeField(auto_now_add=True)
    failing_since = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=300, blank=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.host}"

    @property
    def lane(self) -> str:
        return f"endpoint:{self.pk}"

    @property
    def url(self) -> str:
        """Raises core.secrets.KeyUnreadableError."""
        return secrets.decrypt(self.encrypted_url).reveal()

    def signing_secrets(self, now: datetime) -> list[str]:
        """The present one, and while it is being exchanged the one before; raises core.secrets.KeyUnreadableError."""
        tokens = [self.encrypted_secret]
        if self.encrypted_previous_secret and self.previous_until and now < self.previous_until:
            tokens.append(self.encrypted_previous_secret)
        return [secrets.decrypt(token).reveal() for token in tokens if token]


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, now: datetime) -> Self:
        return self.filter(state=Delivery.State.WAITING, not_before__lte=now)


class Delivery(models.Model):
    """One alert to one person by mail, or to one endpoint; a row from the moment the alert is, so that none is lost."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Delivered"
        FAILED = "failed", "Given up"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(Endpoint, null=True, on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="alert_mails")
    is_client = models.BooleanField(default=False, help_text="It says what is written for the company's viewers.")
    is_digest = models.BooleanField(default=False, help_text="It goes into one mail with what else is due then.")
    lane = models.CharField(max_length=40, help_text="What is in one lane is sent one after the other.")
    message_id = models.CharField(max_length=60, unique=True, help_text="The same at every attempt.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    not_before = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=["alert", "endpoint"], name="delivery_endpoint_unique"),
            models.UniqueConstraint(fields=["alert", "user"], name="delivery_user_unique"),
            models.CheckConstraint(
                condition=Q(endpoint=None, user__isnull=False) | Q(endpoint__isnull=False, user=None),
                name="delivery_to_one",
            ),
        )
        indexes = (
            # What is due, every minute.
            models.Index(fields=["lane", "not_before"], condition=Q(state="waiting"), name="delivery_waiting"),
        )

    def __str__(self) -> str:
        return f"{self.alert} to {self.endpoint or self.user}"


class Attempt(models.Model):
    """One try at a delivery, and what came of it."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    succeeded = models.BooleanField()
    status = models.PositiveSmallIntegerField(null=True, help_text="The answer's, where there was one.")
    text = models.CharField(max_length=300, help_text="What happened, in a sentence.")
    took_ms = models.PositiveIntegerField()

    objects = models.Manager["Attempt"]()

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return self.text


class Lane(models.Model):
    """Who works through the deliveries of one receiver – or evaluates – at this moment; a lease that ends by itself."""

    name = models.CharField(max_length=40, primary_key=True)
    claimed_until = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=40, blank=True)
    done_at = models.DateTimeField(null=True)

    objects = models.Manager["Lane"]()

    def __str__(self) -> str:
        return self.name
