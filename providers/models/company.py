"""Companies: the clients of the agency, to which usage is attributed."""

from __future__ import annotations

import unicodedata
from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from core.secrets import LOOKS_LIKE_KEY, looks_like_key

NAME_TAKEN = "A company with this name already exists."


def check_name(name: str) -> None:
    """Raises ValidationError for control characters, on which files and terminals break, and for an API key."""
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise ValidationError({"name": "A name can't hold control characters."})
    if looks_like_key(name):
        raise ValidationError({"name": LOOKS_LIKE_KEY})


class CompanyQuerySet(models.QuerySet["Company"]):
    def current(self) -> Self:
        return self.filter(archived_at=None)

    def named(self, name: str) -> Self:
        """The company of this name, whatever its capitals – also of letters of which SQLite knows none."""
        if name.isascii():
            return self.filter(name__iexact=name)
        stored = self.order_by().values_list("pk", "name")
        return self.filter(pk__in=[pk for pk, its_name in stored if its_name.lower() == name.lower()])


class Company(models.Model):
    """A client of the agency, to which API keys are assigned."""

    class Amounts(models.TextChoices):
        """What its statements say of money, and what its own readers see anywhere."""

        PRICE = "price", "Price only"
        COST = "cost", "Cost and mark-up"

    class Lines(models.TextChoices):
        """What its statements have a line for."""

        MODEL = "model", "By model"
        USE = "use", "By use: the labels of its API keys"
        TOTAL = "total", "One line"
        KEY = "key", "By API key: its name, its ending and its workspace"

    name = models.CharField(max_length=120)
    notes = models.TextField(blank=True)
    markup_percent = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="What is added to the cost.",
    )
    statement_amounts = models.CharField(
        max_length=10, choices=Amounts, blank=True, help_text="Empty: the price alone where there is a mark-up."
    )
    statement_lines = models.CharField(max_length=10, choices=Lines, default=Lines.MODEL)
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
                violation_error_message=NAME_TAKEN,
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

    @property
    def shown_amounts(self) -> Company.Amounts:
        """What is shown to the client: as chosen or, without a choice, the price alone where there is a mark-up."""
        if self.statement_amounts:
            return Company.Amounts(self.statement_amounts)
        return Company.Amounts.COST if self.markup_percent is None else Company.Amounts.PRICE

    @property
    def is_price_only(self) -> bool:
        """Its own readers learn prices – costs with the mark-up – and never the costs."""
        return self.shown_amounts == Company.Amounts.PRICE

    def clean(self) -> None:
        """Raises ValidationError where another company has the name; the constraint holds it for what is left."""
        self.name = " ".join(self.name.split())
        check_name(self.name)
        if Company.objects.named(self.name).exclude(pk=self.pk).exists():
            raise ValidationError({"name": NAME_TAKEN})
