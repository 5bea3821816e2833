"""How numbers of things are said, of API keys and agents above all."""

from __future__ import annotations

from collections.abc import Sequence

from core.wording import count, joined
from providers.models import Project, Provider
from providers.type_words import TypeWords


def chosen_keys(projects: Sequence[Project]) -> str:
    """ "1 key", "3 keys, 2 agents and “No API key”": what is neither key nor agent is named."""
    keys = sum(project.kind == Project.Kind.KEY for project in projects)
    agents = sum(project.kind == Project.Kind.AGENT for project in projects)
    others = [project for project in projects if project.kind not in (Project.Kind.KEY, Project.Kind.AGENT)]
    counted = [count(number, noun) for number, noun in ((keys, "key"), (agents, "agent")) if number]
    named = [f"“{project.display_name}”" for project in others]
    return joined(counted + named) if counted or named else count(0, "key")


def how_agents_are_divided(provider: Provider, words: TypeWords, *, has_agents: bool) -> str:
    """Which way usage of agents goes here, in one sentence; empty where nothing is known of any."""
    found = Provider.AgentUsage(provider.agent_usage)
    if found == Provider.AgentUsage.NO_PERMISSION:
        permission = f"the permission {words.agents_permission}" if words.agents_permission else "a permission"
        return f"The API key may not list agents: {permission} would let usage be divided between them."
    if not has_agents:
        return ""
    rest = "it stays with keys, and with usage without one"
    if provider.allocates_by_conversations:
        rest = "usage without a key is shared by conversations"
    if provider.cost_from is not None:
        return f"As this workspace is billed by cost, {words.name} does not tell what each agent used: {rest}."
    if found == Provider.AgentUsage.TOLD:
        if provider.attributes_by == Provider.AttributesBy.AGENT:
            return f"{words.start} tells what each agent used: it is the agent's, whatever key carried it."
        return f"{words.start} tells what each agent used: usage without a key is divided between them."
    if found == Provider.AgentUsage.NOT_TOLD:
        return f"{words.start} does not tell here what each agent used: {rest}."
    return f"No usage of these agents has been told by {words.name} yet."


def keys_and_agents(keys: int, agents: int) -> str:
    """ "3 API keys", and where there are agents "3 API keys, 2 agents"."""
    return ", ".join([count(keys, "API key"), *([count(agents, "agent")] if agents else [])])
