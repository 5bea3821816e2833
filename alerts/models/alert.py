"""What was noticed, once, and who has seen it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from accounts.models import Role
from core.prepared import Given
from providers.models import Company, Provider


class Severity(models.IntegerChoices):
    INFO = 1, "Information"
    WARNING = 2, "Warning"
    URGENT = 3, "Urgent"


@dataclass(frozen=True)
class Told:
    """What became of an alert, as one kind of reader is told."""

    at: datetime
    kind: str
    text: str


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> Self:
        """Those whose cause goes on, as far as is known."""
        return self.filter(ended_at=None)

    def for_clients(self, company_ids: Collection[int]) -> Self:
        """Those of these companies that have words meant for the companies' own viewers."""
        return self.filter(company__in=company_ids).exclude(client_text="")

    def told_to_client(self, user_id: int) -> Self:
        """Those that are in the list of this Company viewer: what an Admin has subscribed them to."""
        return self.filter(pk__in=Receipt.objects.filter(user=user_id, is_client=True).values("alert"))


class Alert(models.Model):
    """One message: ``key`` is unique, so that nothing is told twice, whoever finds it, and how often.

    What is said to a company's own viewers is written apart, and empty where they are told nothing: it never names
    another company, a provider or a key.
    """

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=60, help_text="What webhooks say as their type, e.g. budget.threshold_passed.")
    severity = models.PositiveSmallIntegerField(choices=Severity)
    title = models.CharField(max_length=300)
    text = models.TextField(help_text="Sentences, one a line.")
    path = models.CharField(max_length=500, help_text="The page about it, with its range.")
    client_title = models.CharField(max_length=300, blank=True)
    client_text = models.TextField(blank=True)
    client_path = models.CharField(max_length=500, blank=True)
    client_sees_costs = models.BooleanField(default=True, help_text="They did when this was written for them.")
    facts = models.JSONField(default=dict, help_text="What programs are told: plain values, amounts as text.")
    company = models.ForeignKey(Company, null=True, on_delete=models.SET_NULL, related_name="+")
    provider = models.ForeignKey(Provider, null=True, on_delete=models.SET_NULL, related_name="+")
    raised_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="When its cause was found gone.")

    objects = AlertQuerySet.as_manager()

    WITHHELD: Final = ("An earlier alert", "It told costs, which are not shown any more.")

    class Meta:
        ordering = ("-raised_at", "-pk")
        indexes = (
            # The rules' open alerts, at every evaluation.
            models.Index(fields=["kind"], condition=Q(ended_at=None), name="alert_open"),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"{reverse('alerts:list')}#alert-{self.pk}"

    def words(self, *, to_client: bool) -> tuple[str, str]:
        """Title and text; to viewers of a company that has become "price only", nothing that may hold a cost."""
        if not to_client:
            return self.title, self.text
        if self.client_sees_costs and self.company is not None and self.company.is_price_only:
            return self.WITHHELD
        return self.client_title, self.client_text

    def told(self, *, to_client: bool) -> list[Told]:
        """What became of it later, oldest first."""
        texts = ((event, event.client_text if to_client else event.text) for event in self.events.all())
        return [Told(event.at, event.kind, text) for event, text in texts if text]


class AlertEvent(models.Model):
    """What became of an alert later: corrected, ended."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=30)
    text = models.CharField(max_length=300)

    objects = models.Manager["AlertEvent"]()

    # The text holds costs, which not every company's viewers may learn.
    CLIENT_TEXTS: Final = {
        "corrected": "Corrected: figures have changed, and are below the threshold now.",
        "ended": "It is over: this is no longer found.",
    }

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return self.text

    @property
    def client_text(self) -> str:
        """What a company's own viewers are told; empty: nothing."""
        return self.CLIENT_TEXTS.get(self.kind, "")


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def shown(self) -> Self:
        """Without what its reader may not see any more: of Company viewers only what is theirs, and in their words."""
        is_colleague = ~Q(user__membership__role=Role.COMPANY_VIEWER)
        is_theirs = Q(is_client=True, user__membership__companies=F("alert__company"))
        return self.filter(is_colleague | is_theirs).distinct()

    def unread(self, now: datetime | Given) -> Self:
        """What the bell counts."""
        return self.filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now), read_at=None)


class Receipt(models.Model):
    """An alert in a person's own list."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="receipts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="receipts")
    is_client = models.BooleanField(default=False, help_text="It shows what is written for the company's viewers.")
    read_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "alert"], name="receipt_unique"),)
        indexes = (
            # The bell, on every page.
            models.Index(fields=["user"], condition=Q(read_at=None), name="receipt_unread"),
        )

    def __str__(self) -> str:
        return f"{self.alert} for {self.user}"

    @property
    def title(self) -> str:
        return self.alert.words(to_client=self.is_client)[0]

    @property
    def text(self) -> str:
        return self.alert.words(to_client=self.is_client)[1]

    @property
    def path(self) -> str:
        return self.alert.client_path if self.is_client else self.alert.path

    @property
    def events(self) -> list[Told]:
        """What became of it later, in the words meant for this reader."""
        return self.alert.told(to_client=self.is_client)
