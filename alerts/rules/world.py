"""What budgets and rules look at: read once per evaluation, and only what some of them asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from alerts.models import Budget, RuleMemory
from core.days import DateRange
from core.months import first_of
from costs.reports.rhythm import REACH
from costs.reports.spenders import Spender, large_projects, spenders
from costs.reports.spending import DailySpend, KnownDays, Subject, daily_spend, known_days, together, unassigned
from costs.reports.totals import Totals
from providers.models import Project, Provider
from providers.plan import Plan

# What an API key costs in ten weeks, in units of the currency, before it is looked at by itself.
LARGE_PROJECT = Decimal(100)


@dataclass(frozen=True)
class Planned:
    """A connected provider with what is known of its plan."""

    provider: Provider
    plan: Plan


@dataclass(frozen=True)
class World:
    now: datetime
    _spend: dict[Subject, Mapping[int | None, DailySpend]] = field(default_factory=dict, init=False, repr=False)

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def month(self) -> DateRange:
        """As far as it has come."""
        return DateRange(first_of(self.today), self.today)

    @cached_property
    def providers(self) -> Sequence[Provider]:
        """The connected ones."""
        return list(Provider.objects.filter(disconnected_at=None))

    @cached_property
    def plans(self) -> Sequence[Planned]:
        """Of connected providers whose plan has been read."""
        plans = ((provider, Plan.of(provider.subscription)) for provider in self.providers)
        return [Planned(provider, plan) for provider, plan in plans if plan is not None]

    @cached_property
    def limited_keys(self) -> Sequence[Project]:
        """API keys that are there and of which anything could end: disabled, with an end, or with a credit limit."""
        keys = Project.objects.present_keys().filter(provider__disconnected_at=None).select_related("provider")
        ends = keys.exclude(disabled_at=None) | keys.exclude(expires_at=None) | keys.exclude(credit_limit=None)
        return list(ends.order_by("pk"))

    @cached_property
    def unassigned(self) -> Totals:
        """What of this month belongs to no company."""
        return unassigned(self.month)

    @property
    def weeks(self) -> DateRange:
        """The days that whatever is about the rhythm of spending looks at."""
        return DateRange(self.today - REACH - timedelta(days=14), self.today)

    @cached_property
    def budgets(self) -> Sequence[Budget]:
        """With their thresholds."""
        return list(Budget.objects.with_subjects().prefetch_related("thresholds"))

    def spend(self, subject: Subject) -> Mapping[int | None, DailySpend]:
        """Of these weeks, by who spent it: the one reading for budgets and rules.

        Of API keys the large ones, and those that have a budget.
        """
        if subject not in self._spend:
            self._spend[subject] = self._read(subject)
        return self._spend[subject]

    def _read(self, subject: Subject) -> Mapping[int | None, DailySpend]:
        if subject is Subject.EVERYTHING:
            return {None: together(self.spend(Subject.PROVIDER).values())}
        if subject is Subject.PROJECT:
            budgeted = {budget.project_id for budget in self.budgets if budget.project_id is not None}
            return daily_spend(subject, self.weeks, budgeted.union(self._large_projects))
        return daily_spend(subject, self.weeks)

    @cached_property
    def _large_projects(self) -> Mapping[int, int]:
        return large_projects(self.weeks, LARGE_PROJECT)

    @cached_property
    def spenders(self) -> Sequence[Spender]:
        """Of these weeks."""
        watched = (Subject.PROVIDER, Subject.COMPANY, Subject.PROJECT)
        return spenders({subject: self.spend(subject) for subject in watched}, self._large_projects)

    @cached_property
    def known(self) -> KnownDays:
        """What is known of these weeks."""
        return known_days(Provider.objects.all(), self.weeks, today=self.today)

    def remembered(self, slug: str) -> dict[str, RuleMemory]:
        """What a rule has kept, by subject."""
        return {memory.subject: memory for memory in RuleMemory.objects.filter(slug=slug)}
