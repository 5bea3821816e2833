"""Days on which somebody spent far more than usual."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.days import DateRange
from core.money import Money
from providers.models import Company, Project, Provider


class EpisodeQuerySet(models.QuerySet["SpendEpisode"]):
    def open(self) -> Self:
        return self.filter(ended="")

    def with_subjects(self) -> Self:
        return self.select_related("company", "provider", "project__provider")

    def shown(self) -> Self:
        """Without those that turned out to be nothing unusual."""
        return self.exclude(ended=SpendEpisode.Ended.GONE)

    def within(self, days: DateRange) -> Self:
        """Those with a day in ``days``."""
        return self.filter(first_day__lte=days.last, last_day__gte=days.first)


class SpendEpisode(models.Model):
    """Unusual spending of a company, a provider or an API key (project), from its first day to its last.

    One at a time in each currency: a row is what decides who tells of it. ``level`` is frozen when it begins, so that
    its days are judged by what was usual before it.
    """

    class Ended(models.TextChoices):
        NOT = "", "Goes on"
        CALM = "calm", "Over"
        ACCEPTED = "accepted", "Usual now"
        GONE = "gone", "Nothing unusual: its figures have changed"

    class Feedback(models.TextChoices):
        NONE = "", "Nobody has said"
        EXPECTED = "expected", "Expected: this is how it is from now on"
        PLANNED = "planned", "Planned: it happens once"
        REAL = "real", "Real: this should not have happened"

    company = models.ForeignKey(Company, null=True, on_delete=models.CASCADE, related_name="+")
    provider = models.ForeignKey(Provider, null=True, on_delete=models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="+")
    subject_key = models.CharField(max_length=40, editable=False, help_text="Never empty, so that it can be unique.")
    currency = models.CharField(max_length=3)
    first_day = models.DateField()
    last_day = models.DateField(help_text="The last day that belongs to it.")
    level = models.DecimalField(max_digits=20, decimal_places=10)
    actual = models.DecimalField(max_digits=30, decimal_places=10)
    expected = models.DecimalField(max_digits=30, decimal_places=10)
    ratio = models.DecimalField(max_digits=20, decimal_places=10, help_text="How many times the expected days cost.")
    expected_by_day = models.JSONField(default=dict, help_text="ISO days and amounts as text.")
    opened_at = models.DateTimeField()
    doubled_at = models.DateTimeField(null=True)
    ended = models.CharField(max_length=10, choices=Ended, default=Ended.NOT, blank=True)
    ended_at = models.DateTimeField(null=True)
    feedback = models.CharField(max_length=10, choices=Feedback, default=Feedback.NONE, blank=True)
    feedback_at = models.DateTimeField(null=True)
    feedback_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = EpisodeQuerySet.as_manager()

    class Meta:
        ordering = ("-first_day", "-pk")
        constraints = (
            models.UniqueConstraint(fields=["subject_key", "currency", "first_day"], name="episode_unique"),
            models.UniqueConstraint(
                fields=["subject_key", "currency"], condition=Q(ended=""), name="episode_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(company__isnull=False, provider=None, project=None)
                | Q(company=None, provider__isnull=False, project=None)
                | Q(company=None, provider=None, project__isnull=False),
                name="episode_of_one_subject",
            ),
        )
        indexes = (
            # What is learnt from, at every evaluation, and the charts' marks.
            models.Index(fields=["last_day"], name="episode_last_day"),
        )

    def __str__(self) -> str:
        return f"{self.subject}: {self.days.days}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        parts = (("company", self.company_id), ("provider", self.provider_id), ("project", self.project_id))
        self.subject_key = next(f"{kind}:{pk}" for kind, pk in parts if pk is not None)
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("unusual:detail", args=[self.pk])

    @property
    def subject(self) -> str:
        of = self.company or self.provider
        return of.name if of else self.project.display_name if self.project else ""

    @property
    def subject_url(self) -> str:
        of = self.company or self.provider or self.project
        return f"{of.get_absolute_url()}?{self.days.query}" if of else ""

    @property
    def days(self) -> DateRange:
        return DateRange(self.first_day, self.last_day)

    @property
    def spent(self) -> Money:
        return Money(self.currency, self.actual)

    @property
    def usual(self) -> Money:
        return Money(self.currency, self.expected)

    @property
    def impact(self) -> Money:
        return Money(self.currency, self.actual - self.expected)

    @property
    def is_gone(self) -> bool:
        """It turned out to be nothing unusual."""
        return self.ended == self.Ended.GONE

    @property
    def is_explained(self) -> bool:
        """Somebody knew of it: there is nothing more to tell."""
        return self.feedback in (self.Feedback.EXPECTED, self.Feedback.PLANNED)
