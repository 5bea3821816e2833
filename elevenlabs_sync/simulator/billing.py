"""How a workspace is billed: in credits, by cost, or first the one and later the other.

It decides what can be known of a day and which endpoint reports it. The answers themselves are made in `tabular` and
`routes`. Source: https://elevenlabs.io/docs/api-reference/workspace/usage (both usage endpoints).
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol


class Billing(Protocol):
    """A way of being billed."""

    @property
    def cost_from(self) -> date:
        """The first UTC day billed by cost; `date.max` for never, `date.min` for always."""


@dataclass(frozen=True)
class Credits:
    """Billed in credits: usage over time reports everything, the cost endpoint refuses."""

    @property
    def cost_from(self) -> date:
        return date.max


@dataclass(frozen=True)
class Cost:
    """Billed by cost since ever: the cost endpoint reports cost alone, usage over time refuses."""

    @property
    def cost_from(self) -> date:
        return date.min


@dataclass(frozen=True)
class Moved:
    """Billed in credits before `on` and by cost from that UTC day on.

    Usage over time refuses a range that reaches `on`, and the cost endpoint leaves out the days before it. Whether a
    range that ends exactly at `on` reaches it is not documented: it does with `end_reaches`.
    """

    on: date
    end_reaches: bool = False

    @property
    def cost_from(self) -> date:
        return self.on


def by_name(text: str, *, moved_on: date) -> Billing:
    """The billing that `credits`, `cost`, `moved` (on `moved_on`) or `moved:2026-06-01` means; ValueError otherwise."""
    match text.split(":", 1):
        case ["credits"]:
            return Credits()
        case ["cost"]:
            return Cost()
        case ["moved"]:
            return Moved(moved_on)
        case ["moved", day]:
            return Moved(date.fromisoformat(day))
    raise ValueError(f"{text!r} is none of credits, cost, moved and moved:DATE")
