"""What the apps above are told, as a test reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model


@dataclass(frozen=True)
class Act:
    action: str
    target: Model
    actor: User | None
    old: dict[str, Any]
    new: dict[str, Any]


@dataclass
class Told:
    """Everything that was told since the test began; ``on_assignments`` is called whenever assignments changed."""

    assignments: list[set[int]] = field(default_factory=list)
    sharing: list[str] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    on_assignments: Callable[[], None] | None = None

    def hear_assignments(self, *, project_ids: list[int], **_more: Any) -> None:
        self.assignments.append(set(project_ids))
        if self.on_assignments:
            self.on_assignments()

    def hear_sharing(self, *, provider: Any, **_more: Any) -> None:
        self.sharing.append(provider.name)

    def hear_act(self, *, action: str, target: Model, actor: User | None, old: Any, new: Any, **_more: Any) -> None:
        self.acts.append(Act(action, target, actor, old, new))

    @property
    def actions(self) -> list[str]:
        return [act.action for act in self.acts]
