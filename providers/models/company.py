"""Companies, and which of them a project's usage belongs to from which day on.

An assignment's period ends where the project's next one begins. Its share lines say who pays: ordinarily one line of
100 percent; no line means unassigned from that day on.
"""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from providers.models.provider import Project

# "From the beginning": earlier than any usage day that a provider can report.
BEGINNING = date(1970, 1, 1)


class CompanyQuerySet(models.QuerySet["Company"]):
    def current(self) -> Self:
        return self.filter(archived_at=None)

    def named(self, name: str) -> Self:
        """The company of this name, whatever its capitals."""
        return self.filter(name__iexact=name)


class Company(models.Model):
    """A client of the agency, to which API keys are assigned."""

    name = models.CharField(max_length=120)
    notes = models.TextField(blank=True)
    markup_percent = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Shown on statements beside the cost, never instead of it.",
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "companies"
        constraints = (
            models.UniqueConstraint(
                Lower("name"),
                name="company_name_unique",
                violation_error_message="A company with this name already exists.",
            ),
            models.CheckConstraint(
                condition=models.Q(markup_percent=None) | models.Q(markup_percent__gte=0),
                name="company_markup_not_negative",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("companies:detail", args=[self.pk])


class Assignment(models.Model):
    """A period of one project that begins on ``starts_on`` (a UTC day)."""

    class Source(models.TextChoices):
        HAND = "hand", "By hand"
        RULE = "rule", "By rule"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="assignments")
    starts_on = models.DateField(default=BEGINNING)
    source = models.CharField(max_length=10, choices=Source, default=Source.HAND)

    objects = models.Manager["Assignment"]()

    class Meta:
        ordering = ("project", "starts_on")
        constraints = (
            # Also answers "which period holds on that day": the attribution of every report.
            models.UniqueConstraint(fields=["project", "starts_on"], name="assignment_unique"),
        )

    def __str__(self) -> str:
        since = "the beginning" if self.starts_on == BEGINNING else self.starts_on.isoformat()
        return f"{self.project} from {since}"


class AssignmentShare(models.Model):
    """One payer of a period."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="shares")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="shares")
    percent = models.DecimalField(max_digits=5, decimal_places=2, default=100)

    objects = models.Manager["AssignmentShare"]()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["assignment", "company"], name="share_unique"),
            models.CheckConstraint(
                condition=models.Q(percent__gt=0) & models.Q(percent__lte=100), name="share_percent_in_range"
            ),
        )

    def __str__(self) -> str:
        return f"{self.company} {self.percent} %"


class AssignmentChange(models.Model):
    """One act of assigning, with what stood before and after it, so that it can be undone."""

    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    summary = models.CharField(max_length=300)
    # {project id: [[starts_on, source, [[company id, percent], …]], …]}
    before = models.JSONField()
    after = models.JSONField()
    created_company = models.ForeignKey(Company, null=True, on_delete=models.SET_NULL, related_name="+")
    undone_at = models.DateTimeField(null=True)

    objects = models.Manager["AssignmentChange"]()

    class Meta:
        ordering = ("-made_at",)

    def __str__(self) -> str:
        return self.summary
