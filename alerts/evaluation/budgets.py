"""Budgets against what was spent: in a constant number of queries, and a message once per threshold and period."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db import DatabaseError, transaction

from alerts.evaluation.budget_news import Unassigned, budget_news
from alerts.models import AlertEvent, Budget, Passing, Threshold
from alerts.rules.world import World
from alerts.services.raising import raise_alert
from core.days import DateRange
from core.money import Money
from costs.models import SETTLES_AFTER
from costs.reports import forecast
from costs.reports.spending import NO_SPEND, DailySpend, KnownDays, Subject, daily_spend, known_days, together
from costs.usage.coverage import Coverage
from providers.models import Provider

logger = logging.getLogger(__name__)

# Settled days of a period before its forecast is told of.
SETTLED_DAYS = 5


@dataclass(frozen=True)
class Standing:
    """How a budget stands in one period."""

    budget: Budget
    period: DateRange
    spend: DailySpend  # also of days before the period, which a forecast goes by
    known: KnownDays
    today: date

    @cached_property
    def coverage(self) -> Coverage:
        return self.known.of(self._provider_id)

    @property
    def _provider_id(self) -> int | None:
        return self.budget.project.provider_id if self.budget.project else self.budget.provider_id

    def _has(self, day: date) -> bool:
        return self.period.first <= day <= min(self.period.last, self.today)

    @property
    def _costs(self) -> Mapping[date, Decimal]:
        return self.spend.cost_by_day(self.budget.currency)

    @cached_property
    def spent(self) -> Decimal:
        return sum((cost for day, cost in self._costs.items() if self._has(day)), Decimal(0))

    @property
    def is_partial(self) -> bool:
        """Whether some of the usage has no price yet."""
        return any(self._has(day) for day in self.spend.unpriced)

    @cached_property
    def expected(self) -> Decimal | None:
        """What the period will have cost; None where it is over or there is too little to go by."""
        if self.period.last < self.today or self.spend.first_use is None:
            return None
        found = forecast.forecast(
            self._costs,
            self.known.complete(self.coverage),
            today=self.today,
            first_use=self.spend.first_use,
            period=self.period,
        )
        return found.amount if found else None

    @property
    def may_tell_of_forecast(self) -> bool:
        settled = self.coverage.finished - self.coverage.provisional
        return sum(self._has(day) for day in settled) >= SETTLED_DAYS

    @property
    def reaches(self) -> date | None:
        """The last day that was read of every provider that counts."""
        return max(self.coverage.read, default=None)

    @property
    def provisional_from(self) -> date | None:
        days = self.coverage.provisional | set(self.coverage.unread)
        return min((day for day in days if self._has(day)), default=None)

    def value_of(self, threshold: Threshold) -> Decimal | None:
        if threshold.kind == Threshold.Kind.ACTUAL:
            return self.spent
        return self.expected if self.may_tell_of_forecast else None


def evaluate_budgets(world: World) -> None:
    """Every budget in its present period – and in the one before, as long as that one's figures may change."""
    now, today = world.now, world.today
    periods = [(budget, period) for budget in world.budgets for period in _periods(budget, today)]
    if not periods:
        return
    standings = stand(periods, world)
    passings = {
        (passing.threshold_id, passing.period_first): passing
        for passing in Passing.objects.filter(period_first__in={period.first for _budget, period in periods})
    }
    unassigned = Unassigned(today)
    for standing in standings:
        try:
            _judge(standing, passings, unassigned, now)
        except DatabaseError:
            raise
        except Exception:  # one that breaks keeps no other from being told of
            logger.exception("The budget %s could not be evaluated", standing.budget.pk)
    _remember([each for each in standings if each.period.last >= today or each.budget.ends_on], now)


def stand(periods: Sequence[tuple[Budget, DateRange]], world: World) -> list[Standing]:
    """How budgets stand in these periods; about a dozen queries, however many they are.

    What the days before the weeks that all watch cost is read only of whom a period reaches back so far.
    """
    earlier: dict[Subject, dict[int | None, date]] = defaultdict(dict)
    for budget, period in periods:
        if period.first < world.weeks.first:
            subject, pk = subject_of(budget)
            earlier[subject][pk] = min(period.first, earlier[subject].get(pk, period.first))
    known, before = world.known, {}
    if earlier:
        first = min(day for firsts in earlier.values() for day in firsts.values())
        known = known_days(Provider.objects.all(), DateRange(first, world.today), today=world.today)
        until = world.weeks.first - timedelta(days=1)
        before = {
            subject: daily_spend(subject, DateRange(min(firsts.values()), until), [pk for pk in firsts if pk])
            for subject, firsts in earlier.items()
        }
    standings = []
    for budget, period in periods:
        subject, pk = subject_of(budget)
        spend = world.spend(subject).get(pk, NO_SPEND)
        if period.first < world.weeks.first:
            spend = together([before[subject].get(pk, NO_SPEND), spend])
        standings.append(Standing(budget, period, spend, known, world.today))
    return standings


def subject_of(budget: Budget) -> tuple[Subject, int | None]:
    if budget.company_id is not None:
        return Subject.COMPANY, budget.company_id
    if budget.provider_id is not None:
        return Subject.PROVIDER, budget.provider_id
    if budget.project_id is not None:
        return Subject.PROJECT, budget.project_id
    return Subject.EVERYTHING, None


def _periods(budget: Budget, today: date) -> Iterable[DateRange]:
    """The present period, and the last one for as long as its days may be restated."""
    present = budget.period_on(today)
    if present:
        yield present
    still_changing = budget.period_on((today - SETTLES_AFTER) - timedelta(days=1))
    if still_changing and still_changing != present:
        yield still_changing


def _judge(
    standing: Standing, passings: Mapping[tuple[int, date], Passing], unassigned: Unassigned, now: datetime
) -> None:
    """Tell of what was passed since the last time, in one message; take note of what fell again."""
    to_fire: list[tuple[Threshold, Passing]] = []
    for threshold in standing.budget.thresholds.all():
        value, limit = standing.value_of(threshold), threshold.limit(standing.budget)
        passing = passings.get((threshold.pk, standing.period.first))
        if value is None:
            continue
        if value < limit:
            if passing is not None:
                _fallen(passing, limit, value, standing, now)
            continue
        if passing is None:
            passing = _seen(threshold, standing.period.first, limit, value, now)
            if threshold.kind == Threshold.Kind.FORECAST:
                continue  # a second look in a row has to find it too
        if passing.fired_at is None:
            to_fire.append((threshold, passing))
        elif passing.limit != limit or passing.corrected_at is not None:
            Passing.objects.filter(pk=passing.pk).update(limit=limit, corrected_at=None)
    if to_fire:
        _fire(standing, to_fire, unassigned, now)


def _seen(threshold: Threshold, period_first: date, limit: Decimal, value: Decimal, now: datetime) -> Passing:
    passing, _is_new = Passing.objects.get_or_create(
        threshold=threshold, period_first=period_first, defaults={"limit": limit, "value": value, "seen_at": now}
    )
    return passing


@transaction.atomic
def _fire(
    standing: Standing, to_fire: Sequence[tuple[Threshold, Passing]], unassigned: Unassigned, now: datetime
) -> None:
    """One message that names the highest of what nobody else has told of."""
    ours = [
        (threshold, passing)
        for threshold, passing in to_fire
        if Passing.objects.filter(pk=passing.pk, fired_at=None).update(
            fired_at=now, value=standing.value_of(threshold), limit=threshold.limit(standing.budget)
        )
    ]
    if not ours:
        return

    def weight(one: tuple[Threshold, Passing]) -> tuple[bool, Decimal]:
        return one[0].kind == Threshold.Kind.ACTUAL, one[0].limit(standing.budget)

    threshold, passing = max(ours, key=weight)
    alert = raise_alert(budget_news(standing, threshold, passing, unassigned), now=now)
    if alert is not None:
        Passing.objects.filter(pk__in=[each.pk for _threshold, each in ours]).update(alert=alert)


@transaction.atomic
def _fallen(passing: Passing, limit: Decimal, value: Decimal, standing: Standing, now: datetime) -> None:
    """What was only seen is forgotten; what was told of is corrected, or – after another amount – due again."""
    if passing.fired_at is None or passing.limit != limit:
        passing.delete()
    elif passing.corrected_at is None:
        Passing.objects.filter(pk=passing.pk).update(corrected_at=now)
        if passing.alert_id is not None:
            amount = Money(standing.budget.currency, value)
            text = f"Corrected: figures have changed, and it is {amount} now, below the threshold."
            AlertEvent.objects.create(alert_id=passing.alert_id, at=now, kind="corrected", text=text)


def _remember(standings: Sequence[Standing], now: datetime) -> None:
    """What pages show, where it has changed."""
    changed = []
    for standing in standings:
        budget = standing.budget
        found: dict[str, Any] = {
            "evaluated_from": standing.period.first,
            "spent": standing.spent,
            "expected": standing.expected and standing.expected.quantize(Decimal("1e-10")),
            "is_partial": standing.is_partial,
            "reaches": standing.reaches,
        }
        if any(getattr(budget, name) != value for name, value in found.items()) or budget.evaluated_at is None:
            for name, value in found.items():
                setattr(budget, name, value)
            budget.evaluated_at = now
            changed.append(budget)
    Budget.objects.bulk_update(
        changed,
        ["evaluated_at", "evaluated_from", "spent", "expected", "is_partial", "reaches"],
        batch_size=200,
    )
