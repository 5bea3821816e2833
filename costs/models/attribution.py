"""Usage attributed to companies: derived from DailyUsage and assignments, written only by costs.usage.attribution.

Who pays for a whole row stands in the row itself; of rows that are split the parts are stored. Everybody reads both as
AttributedUsage. All of it can be derived again at any time. Over all companies and the unassigned rows, its sums are
exactly those of DailyUsage.
"""

from __future__ import annotations

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Count, Q
from django.db.models.expressions import Combinable

from core.sums import RawSum
from costs.models.usage import FIGURES, UNKNOWN, USED, UsageFigures
from providers.models import Company, Project, Provider

_UNPRICED = Q(currency="") & (Q(credits__gt=0) | Q(minutes__gt=0) | Q(requests__gt=0) | UNKNOWN)
# Figures whose absence is counted one by one; that of a cost is counted by _UNPRICED.
COUNTED = ("credits", "minutes", "requests")


def _untold(figure: str) -> Q:
    """Something was used, and ``figure`` was not reported."""
    return Q(**{figure: None}) & USED


class AttributedUsageQuerySet(models.QuerySet["AttributedUsage"]):
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
    def sums() -> dict[str, Combinable]:
        """What costs.reports.totals reads; the same as those of sums."""
        return {f"sum_{name}": RawSum(name) for name in FIGURES} | {
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
