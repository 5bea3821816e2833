"""Daily usage, and which days have been read. Written only by costs.usage.writing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q

from core import amounts
from costs.fields import ScaledDecimalField
from providers.models import Company, Project, Provider, SyncRun

# A provider may restate a day's figures until its costs have settled.
SETTLES_AFTER = timedelta(days=7)

FIGURES = ("credits", "minutes", "requests", "cost")
# A row without any figure is usage without a price: an answer that holds only costs had none for it.
UNKNOWN = Q(**dict.fromkeys(FIGURES))
USED = Q(credits__gt=0) | Q(minutes__gt=0) | Q(requests__gt=0) | Q(cost__gt=0) | UNKNOWN


def is_unknown(table: str) -> str:
    """UNKNOWN as SQL."""
    return "(" + " AND ".join(f"{table}.{name} IS NULL" for name in FIGURES) + ")"


def is_used(table: str) -> str:
    """USED as SQL."""
    return "(" + " OR ".join((*(f"{table}.{name} > 0" for name in FIGURES), is_unknown(table))) + ")"


class DailyUsageQuerySet(models.QuerySet["DailyUsage"]):
    def between(self, first: date, last: date) -> Self:
        """Rows of the UTC days ``first`` to ``last``, both inclusive."""
        return self.filter(day__gte=first, day__lte=last)

    def for_provider(self, provider: Provider) -> Self:
        return self.filter(project__provider=provider)

    def used(self) -> Self:
        """Without rows of nothing but zeros, which remain where reported usage was removed by a later answer."""
        return self.filter(USED)

    def estimable(self) -> Self:
        """The rows whose cost is estimated, or would be if there were a rate."""
        return self.filter(Q(estimated=True) | Q(cost=None, credits__isnull=False))


class UsageFigures(models.Model):
    """What a row of usage says, whether it is one company's whole or the part of one.

    Unknown is NULL, which is not 0: a row that knows no figure at all is usage that has not been priced yet.
    """

    CREDITS_SCALE = amounts.CREDITS.digits
    MINUTES_SCALE = amounts.MINUTES.digits
    COST_SCALE = amounts.COST.digits

    day = models.DateField()
    model = models.CharField(max_length=200, blank=True, help_text="The reported id; empty where none was.")
    credits = ScaledDecimalField(scale=CREDITS_SCALE, null=True)
    minutes = ScaledDecimalField(scale=MINUTES_SCALE, null=True)
    requests = models.BigIntegerField(null=True)
    cost = ScaledDecimalField(scale=COST_SCALE, null=True, help_text="In units of the currency.")
    currency = models.CharField(max_length=3, blank=True, help_text="Lower case; empty where the cost is unknown.")
    estimated = models.BooleanField(default=False)
    allocated = models.BooleanField(
        default=False, help_text="Its figures are a share of what was reported for several together."
    )

    class Meta:
        abstract = True


class DailyUsage(UsageFigures):
    """What one project used of one model on one UTC day, and who pays for it.

    A row of which several companies pay a part is ``split`` and has no company: its parts are rows of UsagePart.

    No foreign key of the database's own: it would be looked up for each row at the commit, which is a third of the
    writing. Every writer, and whoever deletes a provider, holds the provider's lock; a company that pays has an
    assignment, which refers to it.
    """

    pk = models.CompositePrimaryKey("project_id", "day", "model")
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="usage", db_index=False, db_constraint=False
    )
    company = models.ForeignKey(
        Company,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="Who pays for the whole row; none where it is unassigned or split.",
    )
    split = models.BooleanField(default=False, help_text="Several companies pay a part of it.")
    updated_at = models.DateTimeField()

    objects = DailyUsageQuerySet.as_manager()

    class Meta:
        ordering = ("day", "project", "model")
        verbose_name_plural = "daily usage"
        indexes = (
            # Every project's rows of some days: exports, and what a page reads beside whole months; also of one model.
            models.Index(fields=["day", "model"], name="dailyusage_day"),
            # One company's: its page, its statements, its exports.
            models.Index(fields=["company", "day"], condition=Q(company__isnull=False), name="dailyusage_company"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(credits__gte=0) | Q(credits=None), name="dailyusage_credits_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(minutes__gte=0) | Q(minutes=None), name="dailyusage_minutes_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(requests__gte=0) | Q(requests=None), name="dailyusage_requests_not_negative"
            ),
            models.CheckConstraint(condition=Q(cost__gte=0) | Q(cost=None), name="dailyusage_cost_not_negative"),
            models.CheckConstraint(
                condition=Q(cost=None, currency="") | (Q(cost__isnull=False) & ~Q(currency="")),
                name="dailyusage_cost_has_currency",
            ),
            models.CheckConstraint(condition=Q(company=None) | Q(split=False), name="dailyusage_split_or_whole"),
        )

    def __str__(self) -> str:
        return f"{self.project} on {self.day.isoformat()}: {self.model or 'no model'}"


class ListedUsage(UsageFigures):
    """The rows of DailyUsage for the Django admin, which lists nothing that has several columns as its key: a view."""

    id = models.TextField(primary_key=True, help_text="Project, day and model in one.")
    project = models.ForeignKey(Project, on_delete=models.DO_NOTHING, related_name="+")
    company = models.ForeignKey(Company, null=True, on_delete=models.DO_NOTHING, related_name="+")
    split = models.BooleanField()
    updated_at = models.DateTimeField()

    objects = models.Manager["ListedUsage"]()

    class Meta:
        managed = False
        ordering = ("day", "project", "model")
        verbose_name = verbose_name_plural = "daily usage"

    def __str__(self) -> str:
        return f"{self.project} on {self.day.isoformat()}: {self.model or 'no model'}"


class ReadDayQuerySet(models.QuerySet["ReadDay"]):
    def for_provider(self, provider: Provider) -> Self:
        return self.filter(provider=provider)

    def between(self, first: date, last: date) -> Self:
        return self.filter(day__gte=first, day__lte=last)


class ReadDay(models.Model):
    """A UTC day of a provider that was read whole: without usage rows it is 0, not unknown."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="read_days")
    day = models.DateField()
    read_at = models.DateTimeField(help_text="When the latest answer that covers the day was asked for.")
    is_within = models.BooleanField(default=False, help_text="Whether SettledDays hold it.")

    objects = ReadDayQuerySet.as_manager()

    class Meta:
        ordering = ("day",)
        constraints = (models.UniqueConstraint(fields=["provider", "day"], name="readday_unique"),)
        indexes = (
            # The few days that SettledDays don't hold.
            models.Index(fields=["provider", "day"], condition=Q(is_within=False), name="readday_single"),
        )

    def __str__(self) -> str:
        return f"{self.provider} {self.day.isoformat()}"

    @property
    def is_over(self) -> bool:
        """Whether the day had ended when it was read."""
        return self.read_at >= end_of(self.day)

    @property
    def is_settled(self) -> bool:
        """Whether it was read long enough after its end not to be restated any more."""
        return self.read_at >= settles(self.day)


class SettledDays(models.Model):
    """Days in a row of a provider that were all read after they had settled: known without looking at each.

    So pages read a row per workspace where there are years of days. Written only by costs.usage.coverage.
    """

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="settled_days")
    first = models.DateField()
    last = models.DateField()

    objects = models.Manager["SettledDays"]()

    class Meta:
        ordering = ("provider", "first")
        verbose_name_plural = "settled days"
        constraints = (models.UniqueConstraint(fields=["provider", "first"], name="settleddays_unique"),)

    def __str__(self) -> str:
        return f"{self.provider} {self.first.isoformat()} – {self.last.isoformat()}"


class Restatement(models.Model):
    """A change of a settled day's figures: before and after. Append-only; deleted only with its project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="restatements")
    day = models.DateField()
    model = models.CharField(max_length=200, blank=True)
    run = models.ForeignKey(SyncRun, null=True, on_delete=models.SET_NULL, related_name="restatements")
    restated_at = models.DateTimeField()
    credits_before = ScaledDecimalField(scale=DailyUsage.CREDITS_SCALE, null=True)
    credits_after = ScaledDecimalField(scale=DailyUsage.CREDITS_SCALE, null=True)
    minutes_before = ScaledDecimalField(scale=DailyUsage.MINUTES_SCALE, null=True)
    minutes_after = ScaledDecimalField(scale=DailyUsage.MINUTES_SCALE, null=True)
    requests_before = models.BigIntegerField(null=True)
    requests_after = models.BigIntegerField(null=True)
    cost_before = ScaledDecimalField(scale=DailyUsage.COST_SCALE, null=True)
    cost_after = ScaledDecimalField(scale=DailyUsage.COST_SCALE, null=True)
    currency_before = models.CharField(max_length=3, blank=True)
    currency_after = models.CharField(max_length=3, blank=True)

    objects = models.Manager["Restatement"]()

    class Meta:
        ordering = ("-restated_at", "-pk")
        indexes = (
            # The provider page: the latest restatements of its projects.
            models.Index(fields=["project", "-restated_at"], name="restatement_latest"),
        )

    def __str__(self) -> str:
        return f"{self.project} on {self.day.isoformat()}, restated {self.restated_at:%Y-%m-%d}"


def settles(day: date) -> datetime:
    """The moment (UTC) from which on ``day`` is not restated any more."""
    return end_of(day) + SETTLES_AFTER


def end_of(day: date) -> datetime:
    """The moment (UTC) at which ``day`` is over."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
