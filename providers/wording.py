"""How numbers of things are said, API keys above all."""

from __future__ import annotations

from collections.abc import Sequence

from core.wording import count, joined
from providers.models import Project


def chosen_keys(projects: Sequence[Project]) -> str:
    """ "1 key", "3 keys and “No API key”": what is no API key is not counted as one."""
    others = [project for project in projects if project.kind != Project.Kind.KEY]
    keys = len(projects) - len(others)
    named = [f"“{project.display_name}”" for project in others]
    return joined([count(keys, "key"), *named] if keys or not named else named)
