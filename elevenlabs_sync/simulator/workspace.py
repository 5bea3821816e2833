"""The simulated workspace's usage: the truth that every answer of the simulator is made from.

Figures are drawn from SHA-256 with integer arithmetic only, so the same arguments give the same data on every machine
and Python version. How the figures look on the wire is decided in `tabular` and `account`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum

from elevenlabs_sync.simulator.billing import Billing, Credits
from elevenlabs_sync.simulator.cast import (
    AGENTS,
    INCIDENT_BEGINS,
    INCIDENT_LASTS,
    KEYLESS,
    PERMILLE,
    SCRIBE,
    SimulatedAgent,
    SimulatedKey,
    SimulatedModel,
    Use,
    cast_between,
)
from elevenlabs_sync.simulator.usage import Totals, UsageRow, Used

DEFAULT_SEED = "administrate"
CURRENCY = "usd"

TODAY_SO_FAR = 400
"""How much of today is already over, in thousandths: a constant, because `today` is a date and no clock is read."""

PRICED_A_DAY_LATE = SCRIBE
"""The model whose cost is still unknown on the day after the usage."""

GROWTH_STARTS = date(2025, 1, 1)
GROWTH_PER_MONTH = 15
SMALLEST_GROWTH = 300


class Agents(Enum):
    """Whether a workspace has voice agents, and what its usage says of them."""

    NONE = "none"
    TOLD = "told"
    """`resource_id` names the agent."""
    UNTOLD = "untold"
    """There are agents, but `resource_id` names something else."""


class SimulatedWorkspace:
    """A workspace as it looks on `today`, with the usage of the `history_days` days before it and part of today.

    A day's figures do not depend on `today`, with these exceptions, all of them as in real life: today holds only
    part of its usage and no cost, yesterday's usage of `PRICED_A_DAY_LATE` has no cost yet, and days before
    `first_day` have no usage. Days before `settled_until` never change again.

    `seed` makes another workspace with other keys and figures. `billing` says which days are billed in credits and
    which by cost; `agents` whether there are agents, whose usage comes on top. Shortly before `incident_before`, if
    given, a voice agent called itself for some days (`incident`). Every answer is made from `cast`, `agent_cast`,
    `currency` and `used()`: a subclass that changes these is a workspace with another truth.
    """

    def __init__(
        self,
        today: date,
        history_days: int = 365,
        *,
        seed: str = DEFAULT_SEED,
        billing: Billing | None = None,
        agents: Agents = Agents.NONE,
        incident_before: date | None = None,
    ) -> None:
        if history_days < 0:
            raise ValueError("history_days must not be negative")
        self.today = today
        self.first_day = today - timedelta(days=history_days)
        self.seed = seed
        self.billing: Billing = Credits() if billing is None else billing
        self.agents = agents
        self.incident = _incident(incident_before) if incident_before else frozenset()
        self._cast = tuple(cast_between(self.first_day, today))

    @property
    def cast(self) -> tuple[SimulatedKey, ...]:
        """Every key that is listed or in use at some time of the history, and the web app."""
        return self._cast

    @property
    def agent_cast(self) -> tuple[SimulatedAgent, ...]:
        """Every agent that there ever was."""
        return () if self.agents is Agents.NONE else AGENTS

    @property
    def currency(self) -> str:
        """The currency of every cost, lower case."""
        return CURRENCY

    @property
    def workspace_id(self) -> str:
        """The workspace's own id."""
        return self.identifier("workspace", "itself")[:28]

    @property
    def settled_until(self) -> date:
        """The first day that may still change; everything before it is whole and priced."""
        return self.today - timedelta(days=1)

    def listed_keys(self) -> tuple[SimulatedKey, ...]:
        """The keys that the service accounts show today."""
        return tuple(key for key in self.cast if key.listed_on(self.today))

    def key_hash(self, key: SimulatedKey) -> str | None:
        """The stable opaque id of a key (64 hexadecimal digits), None for the web app."""
        return None if key.keyless else self.identifier("hash", key.slug)

    def agent_id(self, agent: SimulatedAgent) -> str:
        """The id under which an agent is listed."""
        return f"agent_{self.identifier('agent', agent.slug)[:28]}"

    def resource_id(self, used: Used) -> str | None:
        """What the usage says that it was made with: an agent's id, or the id of something else."""
        if self.agents is Agents.TOLD and used.agent is not None:
            return used.agent
        return f"voice_{self.identifier('voice', used.slug)[:20]}"

    def user_of(self, used: Used) -> tuple[str, str]:
        """The id and the label of the person whose usage it was; of agents that is who made them."""
        name = "kim@example.com" if used.agent is None and used.product_type == "sound_effects" else "dana@example.com"
        return f"user_{self.identifier('user', name)[:20]}", name

    def identifier(self, kind: str, slug: str) -> str:
        """A stable id of 64 hexadecimal digits for anything of this workspace."""
        return hashlib.sha256(f"{self.seed}|{kind}|{slug}".encode()).hexdigest()

    def used(self, start: date, end: date) -> Iterator[Used]:
        """Everything used in the UTC days `[start, end)`, ordered by day and key; days without usage have no row."""
        for day in self.days(start, end):
            for key in self.cast:
                yield from self.used_by(key, day)

    def days(self, start: date, end: date) -> Iterator[date]:
        """The UTC days of `[start, end)` that may have usage: those of the history, and today."""
        day = max(start, self.first_day)
        while day < end and day <= self.today:
            yield day
            day += timedelta(days=1)

    def used_by(self, key: SimulatedKey, day: date) -> Iterator[Used]:
        """What a key used on one UTC day, a row for each model; nothing on a day without usage."""
        if key.used_on(day) and self._draw(f"{key.slug}|{day}")[0] % PERMILLE >= key.quiet:
            for use in key.uses:
                if row := self._row(key, use, key.week, day, key.slug):
                    yield row
        for agent in self.agent_cast:
            if (agent.key or KEYLESS.slug) == key.slug and agent.exists_on(day):
                for use in agent.uses:
                    if row := self._row(key, use, agent.week, day, agent.slug):
                        yield replace(row, agent=self.agent_id(agent))

    def rows(self, start: date, end: date) -> Iterator[UsageRow]:
        """What can be known of `used(start, end)`, by whichever endpoint: the rows a client should end up with.

        What agents used with a key is the key's. What they used without one is their own where it is told.
        """
        used = self.used(start, end)
        for one in used if self.agents is Agents.NONE else self._together(used):
            yield one.row(billed_by_cost=one.day >= self.billing.cost_from)

    def _together(self, used: Iterable[Used]) -> Iterator[Used]:
        """One row for each key – without one, for each agent that is told – day and model."""
        found: dict[tuple[object, ...], Used] = {}
        for one in used:
            is_told = self.agents is Agents.TOLD and one.key_hash is None and one.day < self.billing.cost_from
            agent = one.agent if is_told else None
            identity = (one.key_hash, agent, one.day, one.model)
            found[identity] = found[identity].plus(one) if identity in found else replace(one, agent=agent)
        yield from found.values()

    def totals(self, start: date, end: date) -> Totals:
        """The sums of `rows(start, end)`."""
        return Totals.of(self.rows(start, end))

    def _row(self, key: SimulatedKey, use: Use, week: Sequence[int], day: date, drawn_by: str) -> Used | None:
        model = use.model
        if day < model.released_on:
            return None
        chance, pace, chattiness = self._draw(f"{drawn_by}|{model.model_id}|{day}")
        plain = use.credits_per_day * (key.busier_on(day) if drawn_by == key.slug else 1) * week[day.weekday()]
        looping = use.in_a_loop * PERMILLE if day in self.incident else 0
        spent = (plain + looping) * _growth(day) * (800 + chance % 401) // PERMILLE**3
        if day == self.today:
            spent = spent * TODAY_SO_FAR // PERMILLE
        if spent == 0:
            return None
        minutes = spent * 10_000 * (950 + pace % 101) // (model.credits_per_minute * PERMILLE)
        return Used(
            slug=key.slug,
            key_hash=self.key_hash(key),
            key_name=None if key.keyless else key.name,
            day=day,
            model=model.model_id,
            product_type=model.product_type,
            credits=Decimal(spent),
            minutes=Decimal(minutes).scaleb(-4),
            requests=max(1, spent * (900 + chattiness % 201) // (model.credits_per_request * PERMILLE)),
            cost=self._cost(model, spent, day),
        )

    def _cost(self, model: SimulatedModel, spent: int, day: date) -> Decimal | None:
        unpriced_from = self.settled_until if model is PRICED_A_DAY_LATE else self.today
        if day >= unpriced_from:
            return None
        return Decimal((spent * model.nano_usd_per_credit + 500) // 1000).scaleb(-6)

    def _draw(self, what: str) -> tuple[int, int, int]:
        """Three independent large numbers that are the same for ever."""
        digest = hashlib.sha256(f"{self.seed}|{what}".encode()).digest()
        return (
            int.from_bytes(digest[:8], "big"),
            int.from_bytes(digest[8:16], "big"),
            int.from_bytes(digest[16:24], "big"),
        )


def _incident(before: date) -> frozenset[date]:
    return frozenset(before - INCIDENT_BEGINS + timedelta(days=number) for number in range(INCIDENT_LASTS))


def _growth(day: date) -> int:
    """How much busier than in `GROWTH_STARTS`' month the workspace is on `day`, in thousandths."""
    months = (day.year - GROWTH_STARTS.year) * 12 + day.month - GROWTH_STARTS.month
    return max(SMALLEST_GROWTH, PERMILLE + GROWTH_PER_MONTH * months)
