"""Which company a project's usage belongs to from which day on, who decided it, and the rules that decide for new keys.

An assignment's period ends where the project's next one begins. Its share lines say who pays: ordinarily one line of
100 percent, several where the usage is split; no line means unassigned from that day on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import cycle, groupby, islice
from typing import Any, Self

from django.conf import settings
from django.db import models

from core.prepared import Given, PreparedQuery
from core.wording import day
from providers.models.company import Company
from providers.models.periods import BEGINNING, Periods
from providers.models.provider import Project, Provider

UNASSIGNED = "Unassigned"


def describe_shares(shares: Iterable[tuple[str, Decimal]]) -> str:
    """Who pays, from (company's name, percent): "Acme", "Acme 60 % · Globex 40 %" – largest first – or "Unassigned"."""
    lines = sorted(shares, key=lambda line: (-line[1], line[0].casefold()))
    if len(lines) == 1 and lines[0][1] == 100:
        return lines[0][0]
    return " · ".join(f"{name} {percent.normalize():f} %" for name, percent in lines) or UNASSIGNED


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def by_project(self) -> dict[int, Periods]:
        """The periods of each project that has any, by its id; one query.

        For all assignments of some projects: without some of them the others would seem to go on.
        """
        return _by_project(self.with_payers())

    def with_payers(self) -> models.QuerySet[Any, _Row]:
        """A row for each payer of each period, in order."""
        return self.order_by("project_id", "starts_on", "shares__company_id").values_list(
            "project_id", "starts_on", "source", "shares__company_id", "shares__percent"
        )


# A project, a day, the source, a payer or none, and its percent.
_Row = tuple[int, date, str, int | None, Decimal | None]


def _by_project(rows: Iterable[_Row]) -> dict[int, Periods]:
    return {
        project_id: Periods.of(
            (
                starts_on,
                source,
                tuple(
                    (payer, percent) for *_same, payer, percent in parts if payer is not None and percent is not None
                ),
            )
            for (starts_on, source), parts in groupby(of_project, key=lambda row: row[1:3])
        )
        for project_id, of_project in groupby(rows, key=lambda row: row[0])
    }


def periods_of(project_ids: Collection[int]) -> dict[int, Periods]:
    """The periods of each of these projects that has any, by its id; a query for each few thousand."""
    found: dict[int, Periods] = {}
    ids = iter(project_ids)
    while some := list(islice(ids, _MOST_AT_ONCE)):
        # As many as the next power of two: the SQL is made once, and of every number there would be one of its own.
        count = 1 << (len(some) - 1).bit_length()
        found |= _by_project(_periods_of(count).ask(projects=list(islice(cycle(some), count))))
    return found


_MOST_AT_ONCE = 4096  # SQLite may take no more than 32,766 values


@lru_cache(maxsize=32)
def _periods_of(count: int) -> PreparedQuery[_Row]:
    several: list[Any] = Given.several("projects", models.BigIntegerField(), count)
    return PreparedQuery(lambda: Assignment.objects.filter(project__pk__in=several).with_payers())


class Assignment(models.Model):
    """A period of one project that begins on ``starts_on`` (a UTC day)."""

    class Source(models.TextChoices):
        HAND = "hand", "By hand"
        RULE = "rule", "By rule"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="assignments")
    starts_on = models.DateField(default=BEGINNING)
    source = models.CharField(max_length=10, choices=Source, default=Source.HAND)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ("project", "starts_on")
        constraints = (
            # Also answers "which period holds on that day": the attribution of every report.
            models.UniqueConstraint(fields=["project", "starts_on"], name="assignment_unique"),
        )

    def __str__(self) -> str:
        since = "the beginning" if self.is_from_the_beginning else day(self.starts_on)
        return f"{self.project} from {since}"

    @property
    def is_from_the_beginning(self) -> bool:
        return self.starts_on == BEGINNING

    @property
    def payers(self) -> str:
        """As describe_shares() says it; of many assignments, prefetch ``shares__company``."""
        return describe_shares((share.company.name, share.percent) for share in self.shares.all())


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
        return f"{self.company} {self.percent.normalize():f} %"


class AssignmentChange(models.Model):
    """One change of assignments, with the periods before and after it, so that it can be undone."""

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


class AssignmentRuleQuerySet(models.QuerySet["AssignmentRule"]):
    def in_force(self) -> Self:
        """In order, with their companies; those of archived companies are skipped."""
        return self.filter(company__archived_at=None).select_related("company").order_by("position", "pk")


class AssignmentRule(models.Model):
    """Which company a new key or agent belongs to, by its name or tags; of several that match, the first decides."""

    class Kind(models.TextChoices):
        STARTS_WITH = "starts_with", "starts with"
        CONTAINS = "contains", "contains"
        MATCHES = "matches", "matches"
        TAGGED = "tagged", "has the tag"

    position = models.PositiveIntegerField(editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    pattern = models.CharField(max_length=200)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="rules")
    provider = models.ForeignKey(
        Provider, null=True, blank=True, on_delete=models.CASCADE, related_name="rules", help_text="Empty: all of them."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AssignmentRuleQuerySet.as_manager()

    class Meta:
        ordering = ("position", "pk")
        constraints = (models.CheckConstraint(condition=~models.Q(pattern=""), name="rule_has_pattern"),)

    def __str__(self) -> str:
        if self.kind == self.Kind.TAGGED:
            return f"Agents with the tag “{self.pattern}” belong to {self.company}"
        return f"Keys whose name {self.get_kind_display()} “{self.pattern}” belong to {self.company}"
