"""How far a sync has come, in the words of the progress list, and what a provider's type and region are called."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.wording import count
from providers import registry
from providers.models import SyncRun


class State(StrEnum):
    DONE = "done"
    CURRENT = "current"
    WAITING = "waiting"


@dataclass(frozen=True)
class Step:
    text: str
    state: State

    @property
    def icon(self) -> str:
        return {State.DONE: "check", State.CURRENT: "syncing", State.WAITING: "waiting"}[self.state]

    @property
    def spoken(self) -> str:
        """The state in a word, for those who don't see the icon."""
        return {State.DONE: "done", State.CURRENT: "in progress", State.WAITING: "to come"}[self.state]


def steps(run: SyncRun) -> list[Step]:
    """The stages of ``run``, in order: done, the current one, and those to come."""
    stages = [
        (SyncRun.Stage.ACCOUNT, "Subscription"),
        (SyncRun.Stage.KEYS, _keys(run)),
        (SyncRun.Stage.USAGE, _usage(run)),
    ]
    order = [stage for stage, _text in stages]
    reached = order.index(SyncRun.Stage(run.stage)) if run.stage in order else -1
    result = [
        Step(text, State.DONE if place < reached else State.CURRENT if place == reached else State.WAITING)
        for place, (_stage, text) in enumerate(stages)
    ]
    if run.trigger == SyncRun.Trigger.CONNECT:
        result.insert(0, Step("Key checked", State.DONE))
    return result


def _keys(run: SyncRun) -> str:
    if run.keys_found is None:
        return "API keys"
    return f"{count(run.keys_found, 'API key')} found"


def _usage(run: SyncRun) -> str:
    return f"Usage: {run.days_done:,} of {run.days_total:,} days" if run.days_total else "Usage"


def type_label(slug: str) -> str:
    """What a provider type is called; the slug itself when that type is not installed any more."""
    try:
        return registry.get(slug).label
    except KeyError:
        return slug


def region_label(slug: str, region: str) -> str:
    try:
        regions = registry.get(slug).regions()
    except KeyError:
        return region
    return next((known.label for known in regions if known.slug == region), region)
