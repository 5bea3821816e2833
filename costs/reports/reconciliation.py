"""Our sum for the billing period beside the number that the provider gives for it, in what its plans count.

The two can differ without either being wrong: usage is stored by UTC day, a period begins at any hour of one, and the
latest usage may not be reported yet. What the days at the edges can explain is said; what they can't is flagged.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum

from django.db.models import Count, Q

from core.days import DateRange
from core.sums import ExactSum
from costs.models import USED, DailyUsage
from costs.usage.coverage import Coverage
from providers.models import Provider
from providers.plan import Plan
from providers.registry import plan_figure

# Usage may be reported up to this much later.
REPORTED_WITHIN = timedelta(hours=24)


@dataclass(frozen=True)
class Period:
    """The running period of a subscription, up to the moment at which the plan was read."""

    begins: datetime
    asked_at: datetime

    @property
    def days(self) -> DateRange:
        """The UTC days that it touches, each counted whole."""
        return DateRange(self.begins.date(), self.asked_at.date())

    @property
    def edges(self) -> set[date]:
        """Days of which a part may belong to the period before, be reported later, or be used after the question."""
        late = max(self.begins, self.asked_at - REPORTED_WITHIN)
        first = set() if self.begins.time() == time() else {self.begins.date()}
        return first | {late.date(), self.asked_at.date()}


class Verdict(Enum):
    EQUAL = "equal"
    EXPLAINED = "explained"
    OVERAGE = "overage"  # ours is more, and the plan's credits are used up
    UNREAD = "unread"  # can't be compared: days have not been read
    UNKNOWN = "unknown"  # can't be compared: some usage is reported without credits
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Reconciliation:
    """Both numbers in the unit of the type's plans, and what is to be thought of their difference."""

    period: Period
    ours: Decimal
    theirs: int
    explainable: Decimal  # what the days at the edges hold
    unread: tuple[date, ...]
    verdict: Verdict

    @property
    def difference(self) -> Decimal:
        """How much more our sum is; negative: less."""
        return self.ours - self.theirs

    @property
    def is_flagged(self) -> bool:
        return self.verdict is Verdict.UNEXPLAINED

    @property
    def is_compared(self) -> bool:
        return self.verdict not in {Verdict.UNREAD, Verdict.UNKNOWN}


def running_period(provider: Provider) -> Period | None:
    """The subscription's period as of the latest snapshot; None where it does not tell."""
    plan, asked_at = Plan.of(provider.subscription), provider.subscription_read_at
    if plan is None or asked_at is None or plan.resets_at is None or plan.used is None:
        return None
    begins = _months_before(plan.resets_at, plan.period_months)
    return Period(begins, asked_at) if begins <= asked_at < plan.resets_at else None


def reconcile(*, provider: Provider, period: Period, coverage: Coverage) -> Reconciliation:
    """Compare what is stored of ``period`` with the snapshot's count; one query.

    ``period`` is running_period(provider), and ``coverage`` is what is known of its days.
    """
    plan, figure = Plan.of(provider.subscription), plan_figure(provider.type)
    theirs, limit = (plan.used or 0, plan.included) if plan else (0, None)
    of_days = (
        DailyUsage.objects.for_provider(provider)
        .between(period.days.first, period.days.last)
        .order_by()
        .values("day")
        .annotate(
            used=ExactSum(figure),
            untold=Count("pk", filter=Q((figure, None)) & USED),
        )
    )
    ours = explainable = Decimal(0)
    untold = 0
    for of_day in of_days:
        used = Decimal(of_day["used"] or 0)
        ours += used
        untold += of_day["untold"]
        explainable += used if of_day["day"] in period.edges else 0
    difference = ours - theirs
    if untold:
        verdict = Verdict.UNKNOWN
    elif coverage.unread and difference <= explainable:
        verdict = Verdict.UNREAD
    elif not difference:
        verdict = Verdict.EQUAL
    elif abs(difference) <= explainable:
        verdict = Verdict.EXPLAINED
    elif difference > 0 and limit is not None and theirs >= limit:
        verdict = Verdict.OVERAGE
    else:
        verdict = Verdict.UNEXPLAINED
    return Reconciliation(period, ours, theirs, explainable, coverage.unread, verdict)


def _months_before(moment: datetime, months: int) -> datetime:
    """The same day and hour, in a shorter month its last day."""
    index = moment.year * 12 + moment.month - 1 - months
    year, month = divmod(index, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))
