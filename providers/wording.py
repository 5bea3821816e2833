"""How numbers of things are said, API keys above all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from providers.models import Project


def count(number: int, noun: str) -> str:
    """ "1 key", "12 keys", "1,204 keys"; for nouns whose plural adds an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def joined(parts: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *firsts, last = parts
    return f"{', '.join(firsts)} and {last}" if firsts else last


def chosen_keys(projects: Sequence[Project]) -> str:
    """ "1 key", "3 keys and “No API key (web app)”": what is no API key is not counted as one."""
    others = [project for project in projects if project.kind != Project.Kind.KEY]
    keys = len(projects) - len(others)
    named = [f"“{project.display_name}”" for project in others]
    return joined([count(keys, "key"), *named] if keys or not named else named)
