"""What was billed: closed months, and each company's statement of one as it was frozen.

Written only by costs.statements.closing, and never changed afterwards: later changes of usage, keys and names do not
reach a stored statement. Later changes of cost are adjustments on the next one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from costs.fields import ScaledDecimalField
from costs.models.agency import Letterhead
from costs.models.usage import DailyUsage
from providers.models import Company


class ClosedMonth(models.Model):
    """A month that is closed, for all companies at once."""

    month = models.DateField(unique=True, help_text="Its first day.")
    closed_at = models.DateTimeField()
    letterhead = models.ForeignKey(
        Letterhead,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Of its statements; without one they have the present one.",
    )
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = models.Manager["ClosedMonth"]()

    class Meta:
        ordering = ("-month",)

    def __str__(self) -> str:
        return f"{self.month:%B %Y}"

    def get_absolute_url(self) -> str:
        return reverse("statements:month", args=[self.month])


class Statement(models.Model):
    """One company's frozen statement of one month; none where it had neither usage nor an adjustment."""

    closed_month = models.ForeignKey(ClosedMonth, on_delete=models.CASCADE, related_name="statements")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="statements")
    company_name = models.CharField(max_length=120)
    markup_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    serial = models.PositiveIntegerField(unique=True, help_text="Without gaps, by month and company name.")
    number = models.CharField(max_length=80, help_text="As it is printed.")
    # Those of before price-only statements existed showed both, by model.
    amounts = models.CharField(max_length=10, choices=Company.Amounts, default=Company.Amounts.COST)
    lines_by = models.CharField(max_length=10, choices=Company.Lines, default=Company.Lines.MODEL)

    objects = models.Manager["Statement"]()

    class Meta:
        ordering = ("-closed_month__month", "company_name")
        constraints = (
            models.UniqueConstraint(fields=["closed_month", "company"], name="statement_unique"),
            models.CheckConstraint(
                condition=Q(markup_percent=None) | Q(markup_percent__gte=0), name="statement_markup_not_negative"
            ),
        )

    def __str__(self) -> str:
        return f"{self.company_name}, {self.closed_month}"

    def get_absolute_url(self) -> str:
        return reverse("companies:statement", args=[self.company_id, self.closed_month.month])


class StatementLineQuerySet(models.QuerySet["StatementLine"]):
    def usage(self) -> Self:
        return self.filter(kind=StatementLine.Kind.USAGE)

    def adjustments(self) -> Self:
        return self.filter(kind=StatementLine.Kind.ADJUSTMENT)


class StatementLine(models.Model):
    """What one API key used of one model in one currency – or what an earlier month's cost has changed by since.

    Names are kept as text, as they were at that time. A line that was not stored shows what a statement would say.
    """

    class Kind(models.TextChoices):
        USAGE = "usage", "Usage"
        ADJUSTMENT = "adjustment", "Adjustment"

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="lines")
    kind = models.CharField(max_length=20, choices=Kind)
    month = models.DateField(
        help_text="Whose usage the line is about: the statement's own month, or the closed one that is adjusted."
    )
    provider_name = models.CharField(max_length=120, blank=True)
    key_id = models.CharField(
        max_length=200, blank=True, help_text="As the provider reports it; empty on lines of before it was kept."
    )
    key_name = models.CharField(max_length=200, blank=True)
    key_hint = models.CharField(max_length=20, blank=True)
    use = models.CharField(
        max_length=200, blank=True, help_text="The key's label, which clients may read; empty where it had none."
    )
    model = models.CharField(max_length=200, blank=True, help_text="The reported id; empty where none was.")
    model_name = models.CharField(max_length=200, blank=True)
    credits = ScaledDecimalField(scale=DailyUsage.CREDITS_SCALE, null=True)
    minutes = ScaledDecimalField(scale=DailyUsage.MINUTES_SCALE, null=True)
    requests = models.BigIntegerField(null=True)
    cost = ScaledDecimalField(
        scale=DailyUsage.COST_SCALE, null=True, help_text="In units of the currency; an adjustment may be negative."
    )
    currency = models.CharField(max_length=3, blank=True, help_text="Lower case; empty where the cost is unknown.")
    estimated = models.BooleanField(default=False)
    unpriced = models.BooleanField(default=False, help_text="Was used and had no price yet.")
    untold = models.CharField(
        max_length=40,
        blank=True,
        help_text="Which of credits, minutes and requests some of its usage did not tell; empty on lines of before.",
    )
    markup_percent = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        help_text="Of an adjustment: the mark-up under which what it corrects was billed.",
    )
    reason = models.TextField(blank=True, help_text="Of an adjustment; empty on lines of before it was kept.")
    client_reason = models.TextField(
        blank=True, help_text="The same without the names of API keys and other companies; empty likewise."
    )

    objects = StatementLineQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                condition=Q(cost=None, currency="") | (Q(cost__isnull=False) & ~Q(currency="")),
                name="statementline_cost_has_currency",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.month:%B %Y}: {self.key_name or self.model_name or self.currency}"

    @property
    def markup(self) -> Decimal:
        """Of an adjustment, exactly."""
        return marked_up(self.cost, self.markup_percent)


def marked_up(cost: Decimal | None, percent: Decimal | None) -> Decimal:
    """What a mark-up adds to a cost, exactly."""
    return (cost or Decimal(0)) * (percent or Decimal(0)) / 100


def price_of(cost: Decimal, percent: Decimal | None) -> Decimal:
    """A cost with its mark-up, exactly; without one the cost."""
    return cost if percent is None else cost + marked_up(cost, percent)
