"""Sums of attributed usage by day, week and month: what pages add up, written only by costs.usage.sums.

Each can be derived again at any time. A sum is of one provider, so that workspaces never wait for one another; totals
are made from them afterwards (costs.usage.totals). Together the weeks and months are a sixth of the days: a page of a
year reads a dozen months and a few days, not 365.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.expressions import Combinable

from core.sums import RawSums
from costs.fields import ScaledDecimalField
from costs.models.usage import USED, DailyUsage
from providers.models import Company, Project, Provider


class Span(models.IntegerChoices):
    """Of how many days a sum is; a week begins on Monday."""

    DAY = 1
    WEEK = 2
    MONTH = 3


class SpanQuerySet(models.QuerySet[Any]):
    def of_span(self, span: Span) -> Self:
        return self.filter(span=span)

    def spans(self) -> Self:
        """Each span that there is a row of, by its first day."""
        return self.order_by().values_list("span", "day").distinct()  # type: ignore[return-value]  # tuples


class SpanSumQuerySet(SpanQuerySet):
    def between(self, first: date, last: date) -> Self:
        """Sums that begin on the UTC days ``first`` to ``last``, both inclusive."""
        return self.filter(day__gte=first, day__lte=last)

    def for_provider(self, provider: Provider) -> Self:
        return self.filter(provider=provider)

    def unpriced(self) -> Self:
        """Sums that hold something that was used and has no price."""
        return self.filter(unpriced_rows__gt=0)

    def used(self) -> Self:
        """Sums that hold anything that was used; beside zeros, what tells no figure is only counted as unpriced."""
        return self.filter(USED | Q(unpriced_rows__gt=0))

    @staticmethod
    def sums(figures: Sequence[str], counts: Sequence[str]) -> RawSums:
        """Of these FIGURES and COUNTS; the same as those of usage."""
        return RawSums("day", figures=tuple(figures), counts=tuple(f"SUM({{table}}.{name})" for name in counts))


def series_of(field: str, groups: Sequence[Any]) -> Combinable:
    """Which of ``groups`` a row's ``field`` is, by number; of any other the number after them."""
    numbers = [
        When(Q(**({f"{field}__isnull": True} if group is None else {field: group})), then=Value(number))
        for number, group in enumerate(groups)
    ]
    default = Value(len(groups))
    return Case(*numbers, default=default) if numbers else default


class SpanSum(models.Model):
    """The sum of the usage of ``span`` from ``day`` on, in one currency.

    Where it passes 64 bits it is several rows, which add up: so does whatever reads them.
    """

    # What a sum tells apart, beside its days, provider and currency; and of which spans there are any.
    DIMENSIONS: ClassVar[tuple[str, ...]]
    SPANS: ClassVar[tuple[Span, ...]] = (Span.DAY, Span.WEEK, Span.MONTH)

    span = models.PositiveSmallIntegerField(choices=Span)
    day = models.DateField(help_text="The first.")
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

    objects = SpanSumQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{Span(self.span).label} of {self.day.isoformat()}"


class UsageSum(SpanSum):
    """Of one provider."""

    # What these are sums of holds the database's own constraints, and is changed under the same lock.
    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.provider}, {super().__str__()}"


class CompanySum(UsageSum):
    """By company; none: unassigned. The dashboard, the companies, statements, what a company used first."""

    DIMENSIONS = ("company",)

    company = models.ForeignKey(
        Company, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        indexes = (
            # One provider's page, and what a change of it replaces.
            models.Index(fields=["provider", "span", "day"], name="companysum_provider"),
            models.Index(fields=["span", "day"], name="companysum_day"),
            models.Index(fields=["company", "span", "day"], name="companysum_company"),
            # Which days wait for prices: few rows, and on most installations none.
            models.Index(
                fields=["day", "provider"], condition=Q(span=Span.DAY, unpriced_rows__gt=0), name="companysum_unpriced"
            ),
        )


class ModelSum(UsageSum):
    """By reported model. The list of models, the page of a provider."""

    DIMENSIONS = ("model",)

    model = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["provider", "span", "day"], name="modelsum_provider"),
            models.Index(fields=["span", "day"], name="modelsum_day"),
        )


class KeySum(UsageSum):
    """By API key, company and model: all that usage tells, and so no sums of days – a day's are the usage itself."""

    DIMENSIONS = ("project", "company", "model")
    SPANS = (Span.WEEK, Span.MONTH)

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    company = models.ForeignKey(
        Company, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    model = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["provider", "span", "day"], name="keysum_provider"),
            models.Index(fields=["span", "day"], name="keysum_day"),
            models.Index(fields=["company", "span", "day"], name="keysum_company"),
            models.Index(fields=["model", "span", "day"], name="keysum_model"),
            # What a change of one key replaces, and what goes with it.
            models.Index(fields=["project", "span", "day"], name="keysum_project"),
        )


SUMS: tuple[type[UsageSum], ...] = (CompanySum, ModelSum, KeySum)


class Total(SpanSum):
    """Of fewer rows than the sums that it is made from. Of a span that is marked as changed these count instead.

    Of changed spans it may be of a company or a provider that has gone meanwhile.
    """

    OF: ClassVar[type[UsageSum]]

    class Meta:
        abstract = True


class CompanyTotal(Total):
    """By company, of all providers: a tenth of the rows where companies use several. The dashboard, the companies."""

    DIMENSIONS = ("company",)
    OF = CompanySum

    company = models.ForeignKey(
        Company, null=True, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        indexes = (models.Index(fields=["span", "day"], name="companytotal_day"),)


class CompanyModelTotal(Total):
    """By company and model, of all providers: a row in place of one for each API key. The page of a model."""

    DIMENSIONS = ("company", "model")
    OF = KeySum

    company = models.ForeignKey(
        Company, null=True, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    model = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["span", "day"], name="companymodeltotal_day"),
            models.Index(fields=["model", "span", "day"], name="companymodeltotal_model"),
            models.Index(fields=["company", "span", "day"], name="companymodeltotal_company"),
        )


class ModelTotal(Total):
    """By reported model, of all providers: a row in place of one for each. The models, the dashboard by model."""

    DIMENSIONS = ("model",)
    OF = ModelSum

    model = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (models.Index(fields=["span", "day"], name="modeltotal_day"),)


class ProviderTotal(Total):
    """By provider: a row in place of one for each of its companies. The dashboard by workspace."""

    DIMENSIONS = ("provider",)
    OF = CompanySum

    provider = models.ForeignKey(
        Provider, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        indexes = (
            models.Index(fields=["span", "day"], name="providertotal_day"),
            models.Index(fields=["provider", "span", "day"], name="providertotal_provider"),
        )


TOTALS: tuple[type[Total], ...] = (CompanyTotal, CompanyModelTotal, ModelTotal, ProviderTotal)


class ChangedSpan(models.Model):
    """A mark: some sum of the span has changed since its totals were made.

    Every change leaves its own, in its transaction, so that no workspace waits for another; whoever makes the totals
    anew deletes those that it has seen.
    """

    span = models.PositiveSmallIntegerField(choices=Span)
    day = models.DateField(help_text="The first.")

    objects = SpanQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["span", "day"], name="changedspan_day"),)

    def __str__(self) -> str:
        return f"{Span(self.span).label} of {self.day.isoformat()}"
