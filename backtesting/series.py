"""The series that are replayed: random ones from a seed, and those of the simulated workspace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from elevenlabs_sync.simulator.workspace import SimulatedWorkspace

FIRST = date(2025, 1, 1)
LAST = date(2026, 3, 31)
DAYS = tuple(FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))
LAUNCH_LASTS = 14


@dataclass(frozen=True)
class DailyCosts:
    name: str
    costs: dict[date, Decimal]  # of every day from the first use on
    # Days of which an alarm would be right, or at least no mistake: something really has begun.
    launches: frozenset[date] = field(default=frozenset())

    @property
    def days(self) -> list[date]:
        return sorted(self.costs)


def random_series(count: int, *, chosen_on: bool = False) -> Iterator[DailyCosts]:
    """Of every size, steadiness, trend and week; a third each with a launch and with a drought.

    ``chosen_on`` are those on which the constants were chosen: whoever changes one looks at these alone, or the others
    would be no test of it any more.
    """
    for number in range(count):
        name = f"random {number}" if chosen_on else f"held out {number}"
        yield _random(name, seed=f"series {number}" if chosen_on else name)


def _random(name: str, *, seed: str) -> DailyCosts:
    random = Random(seed)  # noqa: S311 - the same numbers everywhere are what it is for
    size = 10 ** random.uniform(0.7, 3)  # 5 to 1,000 a day
    noise = random.uniform(0.05, 0.3)
    trend = random.uniform(-0.05, 0.15) / 30
    weekend = random.choice((1.0, 0.7, 0.4, 0.1, 0.0))
    week = [random.uniform(0.85, 1.15) for _day in range(5)] + [weekend * random.uniform(0.8, 1.2) for _day in range(2)]
    launch = random.randrange(100, len(DAYS) - 30) if random.random() < 1 / 3 else None
    grows = random.uniform(1.5, 3)
    drought = random.randrange(100, len(DAYS) - 30) if random.random() < 1 / 3 else None
    lasts = random.randrange(4, 21)
    costs = {}
    for index, day in enumerate(DAYS):
        value = size * (1 + trend) ** index * week[day.weekday()] * random.lognormvariate(-noise * noise / 2, noise)
        if launch is not None and index >= launch:
            value *= grows
        if drought is not None and drought <= index < drought + lasts:
            value *= 0.02
        costs[day] = Decimal(f"{value:.4f}")
    began = [] if launch is None else DAYS[launch : launch + LAUNCH_LASTS]
    return DailyCosts(name, costs, frozenset(began))


def simulated_series() -> list[DailyCosts]:
    """The demo's workspace: all of it, and each of its API keys."""
    workspace = SimulatedWorkspace(LAST + timedelta(days=2), (LAST - FIRST).days + 2)
    names = {workspace.key_hash(key): key.name for key in workspace.cast}
    found: dict[str, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for used in workspace.used(FIRST, LAST + timedelta(days=1)):
        if used.cost:
            found["simulated: all"][used.day] += used.cost
            found[f"simulated: {names.get(used.key_hash, 'web app')}"][used.day] += used.cost
    return [
        DailyCosts(name, {day: costs.get(day, Decimal(0)) for day in DAYS if day >= min(costs)})
        for name, costs in sorted(found.items())
        if len(costs) > 60 and max(costs) == LAST
    ]
