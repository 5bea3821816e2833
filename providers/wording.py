"""How numbers of things are said, of API keys and agents above all."""

from __future__ import annotations

from collections.abc import Sequence

from core.wording import count, joined
from providers.models import Project


def chosen_keys(projects: Sequence[Project]) -> str:
    """ "1 key", "3 keys, 2 agents and “No API key”": what is neither key nor agent is named."""
    keys = sum(project.kind == Project.Kind.KEY for project in projects)
    agents = sum(project.kind == Project.Kind.AGENT for project in projects)
    others = [project for project in projects if project.kind not in (Project.Kind.KEY, Project.Kind.AGENT)]
    counted = [count(number, noun) for number, noun in ((keys, "key"), (agents, "agent")) if number]
    named = [f"“{project.display_name}”" for project in others]
    return joined(counted + named) if counted or named else count(0, "key")


def keys_and_agents(keys: int, agents: int) -> str:
    """ "3 API keys", and where there are agents "3 API keys, 2 agents"."""
    return ", ".join([count(keys, "API key"), *([count(agents, "agent")] if agents else [])])
