"""Usage attributed to companies: derived from DailyUsage and assignments, written only by costs.usage.attribution.

Who pays for a whole row stands in the row itself; of rows that are split the parts are stored. Everybody reads both as
AttributedUsage. All of it can be derived again at any time. Over all companies and the unassigned rows, its sums are
exactly those of DailyUsage.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Self

from django.db import models
from django.db.models import Case, Count, Q, Sum, Value, When
from django.db.models.expressions import Combinable

from core.sums import ExactSum
from costs.fields import ScaledDecimalField
from costs.models.usage import FIGURES, UNKNOWN, USED, DailyUsage, UsageFigures
from providers.models import Company, Project, Provider

_UNPRICED = Q(currency="") & (Q(credits__gt=0) | Q(minutes__gt=0) | Q(requests__gt=0) | UNKNOWN)
# Figures whose absence is counted one by one; that of a cost is counted by _UNPRICED.
COUNTED = ("credits", "minutes", "requests")


def _untold(figure: str) -> Q:
    """Something was used, and ``figure`` was not reported."""
    return Q(**{figure: None}) & USED


class AttributedUsageQuerySet(models.QuerySet["AttributedUsage"]):
    markup_percent: Decimal | None = None  # who may see keys may see costs

    def between(self, first: date, last: date) -> Self:
        """Rows of the UTC days ``first`` to ``last``, both inclusive."""
        return self.filter(day__gte=first, day__lte=last)

    def for_provider(self, provider: Provider) -> Self:
        return self.filter(project__provider=provider)

    def used(self) -> Self:
        """Without rows of nothing but zeros."""
        return self.filter(USED)

    def unpriced(self) -> Self:
        """What was used and has no price."""
        return self.filter(_UNPRICED)

    @staticmethod
    def sums(aggregate: type[Sum] = ExactSum) -> dict[str, Combinable]:
        """The aggregates that reports read; the same names for DailyTotal."""
        return {f"sum_{name}": aggregate(name) for name in FIGURES} | {
            "sum_unpriced": Count("day", filter=_UNPRICED),
            "sum_estimated": Count("day", filter=Q(estimated=True, cost__gt=0)),
            **{f"sum_untold_{name}": Count("day", filter=_untold(name)) for name in COUNTED},
        }


class UsagePart(UsageFigures):
    """The part of a split row of DailyUsage that one company pays.

    There is one part per payer; the parts of each figure add up to the row's, and a figure that is unknown is unknown
    in every part.
    """

    pk = models.CompositePrimaryKey("project_id", "day", "model", "company_id")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="usage_parts", db_index=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="usage_parts", db_index=False)

    objects = models.Manager["UsagePart"]()

    class Meta:
        ordering = ("day", "project", "model", "company")
        indexes = (
            models.Index(fields=["day", "model"], name="usagepart_day"),
            models.Index(fields=["company", "day"], name="usagepart_company"),
        )

    def __str__(self) -> str:
        return f"{self.project} on {self.day.isoformat()}: {self.company}"


class AttributedUsage(UsageFigures):
    """A row of DailyUsage that one company pays, or nobody, and each part of one that is split: a view of the two.

    Conditions on its own columns reach the indexes of both tables; on PostgreSQL joins do, too. On SQLite a migration
    that alters either table drops the view first and makes it again afterwards.
    """

    # Django wants one, without NULL; the parts of a split row share it.
    pk = models.CompositePrimaryKey("project_id", "day", "model")
    project = models.ForeignKey(Project, on_delete=models.DO_NOTHING, related_name="attributed_usage")
    company = models.ForeignKey(Company, null=True, on_delete=models.DO_NOTHING, related_name="attributed_usage")

    objects = AttributedUsageQuerySet.as_manager()

    class Meta:
        managed = False
        ordering = ("day", "project", "model", "company")
        verbose_name_plural = "attributed usage"

    def __str__(self) -> str:
        return f"{self.project} on {self.day.isoformat()}: {self.company or 'unassigned'}"


class DailyTotalQuerySet(models.QuerySet["DailyTotal"]):
    markup_percent: Decimal | None = None

    def with_markup(self, percent: Decimal | None) -> Self:
        """Sums of cost then hold the mark-up: prices, for readers who may not learn costs."""
        priced = self.all()
        priced.markup_percent = percent
        return priced

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]  # the stubs don't know it
        clone.markup_percent = self.markup_percent
        return clone

    def between(self, first: date, last: date) -> Self:
        """Sums of the UTC days ``first`` to ``last``, both inclusive."""
        return self.filter(day__gte=first, day__lte=last)

    def for_provider(self, provider: Provider) -> Self:
        return self.filter(provider=provider)

    def unpriced(self) -> Self:
        """Sums that hold something that was used and has no price."""
        return self.filter(unpriced_rows__gt=0)

    def first_day(self) -> date | None:
        """The first day with any sum; one query that an index answers."""
        return self.order_by("day").values_list("day", flat=True).first()

    def in_series(self, field: str, groups: Sequence[Any]) -> Self:
        """With ``series``: which of ``groups`` a sum's ``field`` is, by number; of any other the number after them."""
        numbers = [When(**{field: group}, then=Value(number)) for number, group in enumerate(groups)]
        default = Value(len(groups))
        return self.annotate(series=Case(*numbers, default=default) if numbers else default)

    @staticmethod
    def sums() -> dict[str, Combinable]:
        return {f"sum_{name}": ExactSum(name) for name in FIGURES} | {
            "sum_unpriced": Sum("unpriced_rows"),
            "sum_estimated": Sum("estimated_rows"),
            **{f"sum_untold_{name}": Sum(f"untold_{name}") for name in COUNTED},
        }


class DailyTotal(models.Model):
    """The sum of a provider's attributed usage per day, company, model and currency: what pages add up.

    It keeps them fast whatever the number of API keys.
    """

    day = models.DateField()
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="daily_totals", db_index=False)
    company = models.ForeignKey(
        Company, null=True, on_delete=models.PROTECT, related_name="daily_totals", db_index=False
    )
    model = models.CharField(max_length=200, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    credits = ScaledDecimalField(scale=DailyUsage.CREDITS_SCALE, null=True)
    minutes = ScaledDecimalField(scale=DailyUsage.MINUTES_SCALE, null=True)
    requests = models.BigIntegerField(null=True)
    cost = ScaledDecimalField(scale=DailyUsage.COST_SCALE, null=True)
    unpriced_rows = models.IntegerField(default=0)
    estimated_rows = models.IntegerField(default=0)
    # The number of rows with usage whose figure was not reported: where it is above 0, the figure's sum is partial.
    untold_credits = models.IntegerField(default=0)
    untold_minutes = models.IntegerField(default=0)
    untold_requests = models.IntegerField(default=0)

    objects = DailyTotalQuerySet.as_manager()

    class Meta:
        ordering = ("day", "provider", "company", "model")
        constraints = (
            # Also finds a range of days for the dashboard and the companies.
            models.UniqueConstraint(fields=["day", "provider", "company", "model", "currency"], name="total_unique"),
            models.UniqueConstraint(
                fields=["day", "provider", "model", "currency"],
                condition=Q(company=None),
                name="total_unassigned_unique",
            ),
        )
        indexes = (
            # The page of one company.
            models.Index(fields=["company", "day"], name="total_company_day"),
            # The page of one provider; also what a change of its attribution replaces.
            models.Index(fields=["provider", "day"], name="total_provider_day"),
        )

    def __str__(self) -> str:
        return f"{self.provider} on {self.day.isoformat()}: {self.company or 'unassigned'}"
