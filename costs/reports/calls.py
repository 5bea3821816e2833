"""An agent's calls, as far as its conversations were read: how many, how long, and what they are listed to cost.

Evidence beside the figures, never a part of them: a list cost stands also where a plan's credits cover the call.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models.fields.json import KeyTransform

from core.days import DateRange
from core.money import Money
from costs.models import ConversationDay
from providers.models import Project


@dataclass(frozen=True)
class Calls:
    """Of the days that were read; the list cost is of those days alone whose every call tells one."""

    days: int  # that were read
    number: int
    seconds: int
    priced_number: int
    priced_seconds: int
    cost: Decimal  # US dollars

    @property
    def minutes(self) -> Decimal:
        return Decimal(self.seconds) / 60

    @property
    def cost_per_call(self) -> Money | None:
        return Money("usd", self.cost / self.priced_number) if self.priced_number else None

    @property
    def cost_per_minute(self) -> Money | None:
        return Money("usd", self.cost * 60 / self.priced_seconds) if self.priced_seconds else None


def calls_of(project: Project, days: DateRange) -> Calls | None:
    """None for what is no agent, and where no day's conversations were read; one query for an agent."""
    if project.kind != Project.Kind.AGENT:
        return None
    told = list(
        ConversationDay.objects.for_provider(project.provider)
        .between(days.first, days.last)
        .values_list(KeyTransform(project.external_id, "agents"), flat=True)
    )
    if not told:
        return None
    known = [day for day in told if day is not None]
    priced = [(number, seconds, Decimal(cost)) for number, seconds, _credits, cost in known if cost is not None]
    return Calls(
        days=len(told),
        number=sum(day[0] for day in known),
        seconds=sum(day[1] for day in known),
        priced_number=sum(number for number, _seconds, _cost in priced),
        priced_seconds=sum(seconds for _number, seconds, _cost in priced),
        cost=sum((cost for _number, _seconds, cost in priced), Decimal(0)),
    )
