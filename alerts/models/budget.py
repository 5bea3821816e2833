"""Budgets, the thresholds at which they speak up, and which of those have been passed in which period."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.days import DateRange
from core.money import Money
from core.months import days_of, first_of, following
from providers.models import Company, Project, Provider

MOST_THRESHOLDS = 10
DEFAULT_ACTUAL = (Decimal(50), Decimal(80), Decimal(100))
DEFAULT_FORECAST = (Decimal(100),)


class BudgetQuerySet(models.QuerySet["Budget"]):
    def with_subjects(self) -> Self:
        return self.select_related("company", "provider", "project__provider")

    def for_company(self, company_id: int) -> Self:
        return self.filter(company=company_id)


class Budget(models.Model):
    """What may be spent in a period: on one company, provider or API key (project), or on everything.

    Unspent money is not carried over: each period begins at zero. What the latest evaluation found is kept beside it,
    for pages to show without summing anything.
    """

    class Period(models.TextChoices):
        MONTH = "month", "Every month"
        QUARTER = "quarter", "Every quarter"
        RANGE = "range", "Once, from a day to a day"

    company = models.ForeignKey(Company, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets")
    provider = models.ForeignKey(Provider, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets")
    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.CASCADE, related_name="budgets")
    subject_key = models.CharField(max_length=40, editable=False, help_text="Never empty, so that it can be unique.")
    period = models.CharField(max_length=10, choices=Period, default=Period.MONTH)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3, help_text="Lower case.")
    starts_on = models.DateField(help_text="The first UTC day that counts.")
    ends_on = models.DateField(null=True, blank=True, help_text="The last UTC day, of a range alone.")
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    # What the latest evaluation found.
    evaluated_at = models.DateTimeField(null=True, editable=False)
    evaluated_from = models.DateField(null=True, editable=False, help_text="The first day of the period it is of.")
    spent = models.DecimalField(max_digits=30, decimal_places=10, null=True, editable=False)
    expected = models.DecimalField(max_digits=30, decimal_places=10, null=True, editable=False)
    is_partial = models.BooleanField(default=False, editable=False, help_text="Some of the usage has no price yet.")
    reaches = models.DateField(null=True, editable=False, help_text="The last day that was read of every provider.")

    objects = BudgetQuerySet.as_manager()

    class Meta:
        ordering = ("company__name", "provider__name", "project__name", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["subject_key", "period", "currency"],
                condition=~Q(period="range"),
                name="budget_unique",
                violation_error_message="There is already a budget for this, of the same period and currency.",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="budget_amount_positive"),
            models.CheckConstraint(
                condition=Q(period="range", ends_on__isnull=False, ends_on__gte=models.F("starts_on"))
                | Q(~Q(period="range"), ends_on=None),
                name="budget_range_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(company=None, provider=None)
                | Q(company=None, project=None)
                | Q(provider=None, project=None),
                name="budget_of_one_subject",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_period_display()}: {self.money} for {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.subject_key = self.key_of_subject
        super().save(*args, **kwargs)

    @property
    def key_of_subject(self) -> str:
        for kind, pk in (("company", self.company_id), ("provider", self.provider_id), ("project", self.project_id)):
            if pk is not None:
                return f"{kind}:{pk}"
        return "everything"

    @property
    def subject(self) -> str:
        """What it is for, as people call it."""
        of = self.company or self.provider
        return of.name if of else self.project.display_name if self.project else "Everything"

    @property
    def money(self) -> Money:
        return Money(self.currency, self.amount)

    def period_on(self, day: date) -> DateRange | None:
        """The period that ``day`` is in; None before the budget begins and after its range."""
        if day < self.starts_on or (self.ends_on and day > self.ends_on):
            return None
        if self.period == self.Period.RANGE and self.ends_on:
            return DateRange(self.starts_on, self.ends_on)
        if self.period == self.Period.MONTH:
            whole = days_of(first_of(day))
        else:
            first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
            whole = DateRange(first, days_of(following(following(first))).last)
        return DateRange(max(whole.first, self.starts_on), whole.last)


class Threshold(models.Model):
    """A part of a budget, or an amount, that is told of once a period: when it is spent, or when it is foreseen."""

    class Kind(models.TextChoices):
        ACTUAL = "actual", "is spent"
        FORECAST = "forecast", "is forecast"

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="thresholds")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ACTUAL)
    percent = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)

    objects = models.Manager["Threshold"]()

    class Meta:
        ordering = ("kind", "percent", "amount")
        constraints = (
            models.UniqueConstraint(
                fields=["budget", "kind", "percent"], condition=Q(amount=None), name="threshold_percent_unique"
            ),
            models.UniqueConstraint(
                fields=["budget", "kind", "amount"], condition=Q(percent=None), name="threshold_amount_unique"
            ),
            models.CheckConstraint(
                condition=Q(percent__gt=0, amount=None) | Q(percent=None, amount__gt=0),
                name="threshold_percent_or_amount",
            ),
        )

    def __str__(self) -> str:
        return self.said(self.budget.currency)

    def said(self, currency: str) -> str:
        """ "80 %", "$400.00"."""
        return (
            f"{self.percent.normalize():f} %"
            if self.percent is not None
            else str(Money(currency, self.amount or Decimal(0)))
        )

    def limit(self, budget: Budget) -> Decimal:
        """In the budget's currency, to four digits."""
        if self.percent is None:
            return self.amount or Decimal(0)
        return (budget.amount * self.percent / 100).quantize(Decimal("0.0001"))


class Passing(models.Model):
    """That a threshold was passed in a period: whoever sets ``fired_at`` tells of it, and nobody else.

    Without ``fired_at`` it was seen once, which is not enough for a forecast.
    """

    threshold = models.ForeignKey(Threshold, on_delete=models.CASCADE, related_name="passings")
    period_first = models.DateField()
    limit = models.DecimalField(max_digits=18, decimal_places=4, help_text="What the threshold came to.")
    seen_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True)
    value = models.DecimalField(max_digits=30, decimal_places=10, help_text="What was spent or foreseen then.")
    corrected_at = models.DateTimeField(null=True, help_text="When figures fell below it again.")
    alert = models.ForeignKey("alerts.Alert", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = models.Manager["Passing"]()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["threshold", "period_first"], name="passing_unique"),)

    def __str__(self) -> str:
        return f"{self.threshold} from {self.period_first.isoformat()}"
