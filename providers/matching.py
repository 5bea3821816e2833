"""Whether a key or an agent fits a rule, by its name or its tags: case-insensitively, never by a regular expression.

What a rule may say is small on purpose, so that no pattern, however it is written, takes long.
"""

from __future__ import annotations

import unicodedata
from fnmatch import fnmatchcase

from providers.models import AssignmentRule, Project

Kind = AssignmentRule.Kind


def shown_name(project: Project) -> str:
    """What people see and rules go by: the own label, else the reported name; empty while there is neither."""
    return project.label or project.name


def fits(project: Project, rule: AssignmentRule) -> bool:
    """Whether ``rule`` speaks of ``project``; whose provider's it is, is not asked."""
    if rule.kind == Kind.TAGGED:
        return any(_folded(tag) == _folded(rule.pattern) for tag in project.tags)
    return matches(rule.kind, rule.pattern, shown_name(project))


def matches(kind: str, pattern: str, name: str) -> bool:
    """Whether ``name`` starts with or contains ``pattern``, or as a whole matches it with its wildcards.

    In a pattern of the kind MATCHES, * stands for any characters, also none, and ? for exactly one; nothing else is
    special. A key without a name fits no rule.
    """
    if not name:
        return False
    name, pattern = _folded(name), _folded(pattern)
    match kind:
        case Kind.STARTS_WITH:
            return name.startswith(pattern)
        case Kind.CONTAINS:
            return pattern in name
        case Kind.MATCHES:
            # A bracket would begin a set of characters. Every * is matched for good as early as it can be, which takes
            # at most the product of the two lengths.
            return fnmatchcase(name, pattern.replace("[", "[[]"))
    return False


def _folded(text: str) -> str:
    """Without capitals, every character still being one, so that ? counts what people see."""
    if text.isascii():
        return text.lower()
    return "".join(map(_folded_character, unicodedata.normalize("NFC", text)))


def _folded_character(character: str) -> str:
    """ "ß" would fold into two characters, and "ẞ" with it."""
    for folded in (character.casefold(), character.lower()):
        if len(folded) == 1:
            return folded
    return character
