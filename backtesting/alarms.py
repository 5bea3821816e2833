"""How often unusual days are found, how soon, and how often there is an alarm about nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from statistics import mean, stdev
from typing import TypeAlias

from backtesting.series import DailyCosts
from costs.models import SETTLES_AFTER
from costs.reports import unusual
from costs.reports.rhythm import REACH

Costs: TypeAlias = Mapping[date, Decimal]
# The days on which an alarm is raised, of a series and the days on which it is looked at.
Detector: TypeAlias = Callable[[Costs, Sequence[date]], list[date]]

# Before so many days nothing is injected and nothing counted: each detector has what it needs.
WARM_UP = 70
SPIKES = (2, 3, 5)
SPIKES_A_SERIES = 3
STEP = Decimal("1.5")
STEP_LASTS = 14
QUARTER = 91


def ours(costs: Costs, days: Sequence[date]) -> list[date]:
    """As the product does, day by day: each is judged when it is over, by what had settled until then."""
    known, apart, accepted, alarms = sorted(costs), frozenset[date](), list[unusual.Accepted](), list[date]()
    episode: unusual.Episode | None = None
    for day in days:
        settled = frozenset(one for one in known if day - 2 * REACH <= one <= day - SETTLES_AFTER)
        series = unusual.Series(costs, frozenset([day]), settled, known[0], apart, tuple(accepted))
        if episode is None:
            episode = unusual.find(series, since=day)
            if episode:
                alarms.append(day)
            continue
        judgement = unusual.judge(series, day, level=episode.first.level, since=episode.first.day)
        episode = episode.then(judgement) if judgement else episode
        if episode.end is unusual.End.CALM:
            apart |= {one.day for one in episode.days}
        elif episode.end is unusual.End.ACCEPTED:
            accepted.append(unusual.Accepted(episode.first.day, episode.ratio))
        episode = None if episode.end else episode
    return alarms


def week_and_sigma(costs: Costs, days: Sequence[date]) -> list[date]:
    """More than the mean of seven days and three standard deviations."""

    def is_unusual(day: date) -> bool:
        week = [float(costs.get(day - timedelta(days=number), 0)) for number in range(1, 8)]
        return float(costs[day]) > mean(week) + 3 * stdev(week)

    return _first_of_each(costs, days, is_unusual)


def month_mean(costs: Costs, days: Sequence[date]) -> list[date]:
    """More than twice the mean of thirty days."""

    def is_unusual(day: date) -> bool:
        return float(costs[day]) > 2 * mean(
            float(costs.get(day - timedelta(days=number), 0)) for number in range(1, 31)
        )

    return _first_of_each(costs, days, is_unusual)


def _first_of_each(costs: Costs, days: Sequence[date], is_unusual: Callable[[date], bool]) -> list[date]:
    """One alarm until two days in a row are calm, and none below the least amount: as ours."""
    alarms: list[date] = []
    calm = unusual.CALM_DAYS
    for day in days:
        found = costs[day] >= unusual.LEAST_IMPACT and is_unusual(day)
        if found and calm >= unusual.CALM_DAYS:
            alarms.append(day)
        calm = 0 if found else calm + 1
    return alarms


DETECTORS: Mapping[str, Detector] = {
    "by weekday and level": ours,
    "7-day mean + 3 σ": week_and_sigma,
    "twice the 30-day mean": month_mean,
}


@dataclass(frozen=True)
class AlarmReport:
    detector: str
    false_a_quarter: float  # per series
    recall: Mapping[str, float]  # of the days that were injected: found on that day, of a step within it
    delay: Mapping[str, float]  # days until it was found, on average of those that were
    injected: Mapping[str, int]  # how many there were to be found


def measure(all_series: Sequence[DailyCosts]) -> list[AlarmReport]:
    return [_measure(name, detector, all_series) for name, detector in DETECTORS.items()]


def _measure(name: str, detector: Detector, all_series: Sequence[DailyCosts]) -> AlarmReport:
    false, quarters = 0, 0.0
    for series in all_series:
        looked_at = series.days[WARM_UP:]
        alarms = detector(series.costs, looked_at)
        false += sum(1 for day in alarms if day not in series.launches)
        quarters += len(looked_at) / QUARTER
    kinds = {f"×{factor}": (Decimal(factor), 1) for factor in SPIKES} | {"+50 %": (STEP, STEP_LASTS)}
    delays = {kind: _delays(detector, all_series, *how) for kind, how in kinds.items()}
    found = {kind: [delay for delay in each if delay is not None] for kind, each in delays.items()}
    return AlarmReport(
        detector=name,
        false_a_quarter=false / quarters,
        recall={kind: len(found[kind]) / len(delays[kind]) for kind in kinds if delays[kind]},
        delay={kind: mean(found[kind]) for kind in kinds if found[kind]},
        injected={kind: len(delays[kind]) for kind in kinds},
    )


def _delays(detector: Detector, all_series: Iterable[DailyCosts], factor: Decimal, lasts: int) -> list[int | None]:
    """After how many days each injected change was found; None where it was not."""
    found: list[int | None] = []
    for series in all_series:
        random = Random(f"{series.name} {factor}")  # noqa: S311 - the same days everywhere
        days = [
            day
            for day in series.days[WARM_UP + 30 : -STEP_LASTS]
            if series.costs[day] * (factor - 1) >= unusual.LEAST_IMPACT and day not in series.launches
        ]
        for day in random.sample(days, min(SPIKES_A_SERIES, len(days))):
            changed = [day + timedelta(days=number) for number in range(lasts)]
            costs = {**series.costs, **{one: series.costs[one] * factor for one in changed}}
            alarms = detector(costs, changed)
            found.append((alarms[0] - day).days if alarms else None)
    return found
