"""The agency's letterhead: what it is called, what it looks like, and how it numbers its statements.

Every change is a new row. A month keeps the letterhead with which it was closed, so that its statements print the same
for ever.
"""

from __future__ import annotations

from datetime import date

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models

DEFAULT_COLOUR = "#1f4e9e"
DEFAULT_NUMBERS = "{year}-{number}"
_DIGITS = 4


class Logo(models.Model):
    """A logo as costs.statements.logos let it in; never changed."""

    class Kind(models.TextChoices):
        PNG = "png", "PNG"
        SVG = "svg", "SVG"

    kind = models.CharField(max_length=3, choices=Kind)
    content = models.BinaryField()

    objects = models.Manager["Logo"]()

    def __str__(self) -> str:
        return f"Logo {self.pk} ({self.kind})"

    @property
    def content_type(self) -> str:
        return "image/png" if self.kind == self.Kind.PNG else "image/svg+xml"


class LetterheadQuerySet(models.QuerySet["Letterhead"]):
    def present(self) -> Letterhead:
        """The latest or, where none was made, an empty one that is not stored; one query."""
        return self.select_related("logo").order_by("-pk").first() or Letterhead()


class Letterhead(models.Model):
    class Decimals(models.TextChoices):
        POINT = "point", "1,234.56"
        COMMA = "comma", "1.234,56"
        SPACE = "space", "1 234,56"

    name = models.CharField(max_length=120, blank=True)
    address = models.TextField(blank=True, validators=[MaxLengthValidator(500)])
    email = models.EmailField(blank=True)
    footer = models.TextField(blank=True, validators=[MaxLengthValidator(500)])
    colour = models.CharField(
        max_length=7,
        default=DEFAULT_COLOUR,
        validators=[RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", "Give a colour as #1f4e9e.")],
    )
    decimals = models.CharField(max_length=10, choices=Decimals, default=Decimals.POINT)
    numbers = models.CharField(
        max_length=40, default=DEFAULT_NUMBERS, help_text="{number}, and if you like {year} and {month}."
    )
    logo = models.ForeignKey(Logo, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    objects = LetterheadQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name or "Letterhead without a name"

    @property
    def is_empty(self) -> bool:
        """Nobody has set anything up."""
        return self.pk is None

    def number(self, serial: int, month: date) -> str:
        """What the statement of ``month`` with this ``serial`` is called: "2026-0012"."""
        parts = {"{number}": f"{serial:0{_DIGITS}}", "{year}": f"{month:%Y}", "{month}": f"{month:%m}"}
        text = self.numbers
        for placeholder, value in parts.items():
            text = text.replace(placeholder, value)
        return text
