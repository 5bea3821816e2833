"""Who wants to be told of what, and when."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from alerts.models.alert import Severity
from providers.models import Company


class Preferences(models.Model):
    """How a person is told; without a row as ``Preferences()`` says, but for mail, which depends on the role."""

    class Mail(models.TextChoices):
        OFF = "off", "No mail"
        IMMEDIATELY = "immediately", "Each as it happens"
        DAILY = "daily", "One mail a day, at 07:00 UTC"
        WEEKLY = "weekly", "One mail a week, on Monday at 07:00 UTC"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_preferences")
    email = models.EmailField(blank=True, help_text="Empty: the address of the account.")
    mail = models.CharField(max_length=20, choices=Mail, default=Mail.IMMEDIATELY)
    mail_minimum = models.PositiveSmallIntegerField(choices=Severity, default=Severity.WARNING)
    list_minimum = models.PositiveSmallIntegerField(choices=Severity, default=Severity.INFO)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)

    objects = models.Manager["Preferences"]()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None) | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="preferences_quiet_from_until",
            ),
        )

    def __str__(self) -> str:
        return f"How {self.user} is told"

    @property
    def address(self) -> str:
        return self.email or self.user.email

    def mail_at(self, now: datetime, severity: int) -> datetime:
        """When a mail about something of this severity may go: what is urgent waits for nothing."""
        if severity == Severity.URGENT:
            return now
        if self.mail in (self.Mail.DAILY, self.Mail.WEEKLY):
            return next_digest(now, weekly=self.mail == self.Mail.WEEKLY)
        return _after_quiet(now, self.quiet_from, self.quiet_until)


def next_digest(now: datetime, *, weekly: bool) -> datetime:
    """The next 07:00 UTC, of a Monday where ``weekly``."""
    at = now.replace(hour=7, minute=0, second=0, microsecond=0)
    if at <= now:
        at += timedelta(days=1)
    return at + timedelta(days=-at.weekday() % 7) if weekly else at


def _after_quiet(now: datetime, begins: time | None, ends: time | None) -> datetime:
    if begins is None or ends is None or begins == ends:
        return now
    clock = now.time()
    within = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    if not within:
        return now
    at = now.replace(hour=ends.hour, minute=ends.minute, second=0, microsecond=0)
    return at if at > now else at + timedelta(days=1)


class Subscription(models.Model):
    """What a person is told of one company; without it Company viewers are told nothing, others as of everything."""

    NEVER = 9
    MINIMUMS = (*Severity.choices, (NEVER, "Nothing"))

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_subscriptions")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    minimum = models.PositiveSmallIntegerField(choices=MINIMUMS, default=Severity.INFO)

    objects = models.Manager["Subscription"]()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "company"], name="subscription_unique"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.company}"
