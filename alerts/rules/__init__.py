"""What is watched besides budgets: a file per rule, found by itself. See ``rule`` for what one says and returns.

To watch something new, add a file with a ``RULE``; its text stands in Settings, so write it for somebody who wants to
know when they will be told.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from alerts.rules.rule import Rule

_NO_RULES = frozenset({"rule", "world"})


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by its slug."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name not in _NO_RULES]
    found: list[Rule] = [import_module(f"{__name__}.{name}").RULE for name in names]
    return tuple(sorted(found, key=lambda rule: rule.slug))
