"""Unusual spending: a day that costs far more than its rhythm lets expect, and how long that goes on.

Pure functions over the days of one series – a company, a provider, an API key – in one currency. What is ordinary is
learnt from settled days alone; a day is judged as soon as it is complete. docs/forecast.md holds how often that is
right, as `make backtest` measures it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum

from costs.reports.rhythm import NOTHING, REACH, Rhythm, median, weekday_medians

# Settled days that are needed before anything can be called unusual.
FEWEST_DAYS = 21
LEVEL_DAYS = 7
HIGHEST_LEVEL = Decimal(2)
SCALE_DAYS = 42
# A day is unusual from the first score on; what has begun goes on from the second on.
OPENS_AT = Decimal("3.5")
GOES_ON_AT = Decimal(2)
# And costs at least so much more than expected, as a share of that …
LEAST_SHARE = Decimal("0.25")
# … and in units of the currency, where nobody has set another amount.
LEAST_IMPACT = Decimal(10)
CALM_DAYS = 2
# After so long it is how things are.
ACCEPTED_AFTER = 14
# Turns the median of absolute deviations into a standard deviation, of what is distributed normally.
MAD_TO_SIGMA = 1.4826
SMALLEST_SCALE = Decimal(1)
SMALLEST_SCALE_SHARE = Decimal("0.1")
# What is ordinary is itself only known from few days.
UNSURE = 1.2
# So many times the expected is unusual however far days stray.
ALWAYS = 2.25
# A day is looked at for so long: late prices may make a day complete after others.
JUDGED_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Accepted:
    """Since a day everything costs so many times of what it did, and that is ordinary now."""

    since: date
    ratio: Decimal


@dataclass(frozen=True)
class Series:
    """What was spent day by day, and what is known of these days."""

    costs: Mapping[date, Decimal]
    complete: frozenset[date]
    settled: frozenset[date]
    first_use: date
    apart: frozenset[date] = frozenset()  # days of earlier episodes, from which nothing is learnt
    accepted: Sequence[Accepted] = field(default=())


@dataclass(frozen=True)
class Judgement:
    """A day beside what was to be expected of it."""

    day: date
    actual: Decimal
    expected: Decimal
    scale: Decimal
    level: Decimal

    @property
    def impact(self) -> Decimal:
        return self.actual - self.expected

    @property
    def score(self) -> Decimal:
        return self.impact / self.scale

    @property
    def goes_on(self) -> bool:
        return self.score >= GOES_ON_AT

    def is_unusual(self, least: Decimal = LEAST_IMPACT) -> bool:
        return self.score >= OPENS_AT and self.impact >= max(least, LEAST_SHARE * self.expected)


def judge(series: Series, day: date, *, level: Decimal | None = None, since: date | None = None) -> Judgement | None:
    """``day`` by what had settled before it; None where that is too little to go by.

    While an episode goes on ``level`` is the one from its beginning, and nothing is learnt from its days, which begin
    with ``since``.
    """
    until = min(day, since or day)
    learnt = [
        one
        for one in _days_before(day)
        if one < until and one >= series.first_use and one in series.settled and one not in series.apart
    ]
    if len(learnt) < FEWEST_DAYS:
        return None
    costs = _rescaled(series, learnt)
    base = weekday_medians(costs, learnt)
    rhythm = Rhythm(base, _level(costs, base, learnt[-LEVEL_DAYS:]) if level is None else level)
    expected = rhythm.expected(day)
    share = max(_deviation(costs, rhythm, learnt[-SCALE_DAYS:]), SMALLEST_SCALE_SHARE)
    scale = max(share * expected, SMALLEST_SCALE)
    return Judgement(day, series.costs.get(day, NOTHING), expected, scale, rhythm.level)


def _level(costs: Mapping[date, Decimal], base: Sequence[Decimal], lately: Sequence[date]) -> Decimal:
    """What was spent lately beside what is ordinary, at most twice; never less than that.

    To go back to what was ordinary within the last weeks is nothing unusual.
    """
    ordinary = sum((base[day.weekday()] for day in lately), NOTHING)
    spent = sum((costs[day] for day in lately), NOTHING)
    return min(max(spent / ordinary, Decimal(1)), HIGHEST_LEVEL) if ordinary else Decimal(1)


def _deviation(costs: Mapping[date, Decimal], rhythm: Rhythm, days: Sequence[date]) -> Decimal:
    """By what share of the expected days miss it, robustly.

    By logarithms, since spend strays by shares: a weekday that costs ten times as much strays ten times as far, and
    every day further up than down. OPENS_AT times the answer is where OPENS_AT deviations of the logarithms are.
    """
    logs = [math.log(costs[one] / usual) for one in days if costs[one] > 0 and (usual := rhythm.expected(one)) > 0]
    if not logs:
        return NOTHING
    middle = statistics.median(logs)
    sigma = MAD_TO_SIGMA * UNSURE * statistics.median(abs(one - middle) for one in logs)
    opens_at = float(OPENS_AT)
    return Decimal(f"{(min(math.exp(opens_at * sigma), ALWAYS) - 1) / opens_at:.6f}")


def _days_before(day: date) -> Iterator[date]:
    first = day - REACH - JUDGED_FOR
    return (first + timedelta(days=number) for number in range((day - first).days))


def _rescaled(series: Series, days: Sequence[date]) -> dict[date, Decimal]:
    """What days would have cost at the levels that were accepted since."""
    costs = {day: series.costs.get(day, NOTHING) for day in days}
    for accepted in series.accepted:
        for day in days:
            if day < accepted.since:
                costs[day] *= accepted.ratio
    return costs


class End(Enum):
    CALM = "calm"  # two days in a row were ordinary again
    ACCEPTED = "accepted"  # it went on for so long that it is ordinary now


@dataclass(frozen=True)
class Episode:
    """Days of unusual spending, from the one that began it to the last that belongs to it."""

    judged: tuple[Judgement, ...]  # the days looked at, with those at its end that are calm
    end: End | None = None

    @property
    def days(self) -> tuple[Judgement, ...]:
        last = max(number for number, one in enumerate(self.judged) if not number or one.goes_on)
        return self.judged[: last + 1]

    @property
    def first(self) -> Judgement:
        return self.judged[0]

    @property
    def last_day(self) -> date:
        return self.days[-1].day

    @property
    def actual(self) -> Decimal:
        return sum((one.actual for one in self.days), NOTHING)

    @property
    def expected(self) -> Decimal:
        return sum((one.expected for one in self.days), NOTHING)

    @property
    def impact(self) -> Decimal:
        return self.actual - self.expected

    @property
    def has_doubled(self) -> bool:
        """A later day costs twice as much more than expected as the day that began it."""
        return any(one.impact >= 2 * self.first.impact for one in self.days[1:])

    @property
    def ratio(self) -> Decimal:
        """How many times the expected its days cost, in the middle."""
        found = [one.actual / one.expected for one in self.days if one.expected]
        return median(found) if found else Decimal(1)

    def then(self, judgement: Judgement) -> Episode:
        """With one more day."""
        judged = (*self.judged, judgement)
        if not any(one.goes_on for one in judged[-CALM_DAYS:]) and len(judged) > CALM_DAYS:
            return Episode(judged, End.CALM)
        is_accepted = (judgement.day - self.first.day).days + 1 >= ACCEPTED_AFTER
        return Episode(judged, End.ACCEPTED if is_accepted else None)


def find(series: Series, *, since: date, least: Decimal = LEAST_IMPACT) -> Episode | None:
    """The first episode that begins on a complete day from ``since`` on, as far as it has come."""
    for day in sorted(series.complete):
        if day >= since and series.costs.get(day, NOTHING) >= least and _stands_out(series, day):
            judgement = judge(series, day)
            if judgement and judgement.is_unusual(least):
                return follow(series, first=day, level=judgement.level)
    return None


def _stands_out(series: Series, day: date) -> bool:
    """Whether it is worth a closer look: what is unusual costs clearly more than most days of its weekday."""
    if series.accepted:
        return True
    earlier = (day - timedelta(weeks=number) for number in range(1, 10))
    ordinary = median(series.costs.get(one, NOTHING) for one in earlier if one in series.settled - series.apart)
    return series.costs[day] >= (1 + LEAST_SHARE) * ordinary


def follow(series: Series, *, first: date, level: Decimal) -> Episode | None:
    """The episode that began on ``first``, by the figures as they are now; None where they are gone."""
    episode: Episode | None = None
    for day in sorted(series.complete):
        if day < first:
            continue
        judgement = judge(series, day, level=level, since=first)
        if judgement is None:
            continue
        episode = episode.then(judgement) if episode else Episode((judgement,))
        if episode.end:
            break
    return episode
