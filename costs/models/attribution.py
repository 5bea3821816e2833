"""Usage attributed to companies: derived from DailyUsage and assignments, written only by costs.usage.attribution.

Who pays for a whole row stands in the row itself; of rows that are split the parts are stored. Everybody reads both as
AttributedUsage. All of it can be derived again at any time. Over all companies and the unassigned rows, its sums are
exactly those of DailyUsage.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q

from core.sums import RawSums
from costs.models.usage import UNKNOWN, USED, UsageFigures, is_used
from providers.models import Company, Project, Provider

_UNPRICED = Q(currency="") & (Q(credits__gt=0) | Q(minutes__gt=0) | Q(requests__gt=0) | UNKNOWN)
# Figures whose absence is counted one by one; that of a cost is counted as unpriced.
COUNTED = ("credits", "minutes", "requests")
_IS_USED = is_used("{table}")
# What sums count, as SQL of what each row has to be: unpriced as _UNPRICED; untold where something was used, and the
# figure was not reported.
COUNTS = {
    "unpriced_rows": f"{{table}}.currency = '' AND {_IS_USED}",
    "estimated_rows": "{table}.estimated AND {table}.cost > 0",
    **{f"untold_{name}": f"{{table}}.{name} IS NULL AND {_IS_USED}" for name in COUNTED},
}


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
    def sums(figures: Sequence[str], counts: Sequence[str]) -> RawSums:
        """Of these FIGURES and COUNTS; the same as those of sums."""
        counted = tuple(f"COUNT(CASE WHEN {COUNTS[name]} THEN 1 END)" for name in counts)
        return RawSums("day", figures=tuple(figures), counts=counted)


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
