"""Which of the chart's colours a series has: the same wherever it is drawn, as far as a chart's series are told apart.

A company, API key or provider asks for the colour of its id, a model for that of its name. Of two in one chart that ask
for the same one, the later takes the next that is free; no two of twelve share one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from zlib import crc32

from costs.reports.series import Series

SLOTS: Final = 12  # as many as the style sheet has, from .series--1 on
UNASSIGNED: Final = "unassigned"
OTHER: Final = "other"


def colours(series: Iterable[Series]) -> list[str]:
    """For each of ``series`` the end of its class: "1" to "12", or that of a neutral colour."""
    each = list(series)
    slots = slots_of(one.group for one in each if not one.is_rest and one.group is not None)
    return [OTHER if one.is_rest else UNASSIGNED if one.group is None else str(slots[one.group]) for one in each]


def slots_of(groups: Iterable[Any]) -> dict[Any, int]:
    """A slot for each of ``groups``, ids or texts; more than there are slots begin anew."""
    found: dict[Any, int] = {}
    for group in sorted(groups):
        wanted = (crc32(group.encode()) if isinstance(group, str) else group - 1) % SLOTS
        taken = set(found.values())
        free = ((wanted + step) % SLOTS + 1 for step in range(SLOTS))
        found[group] = next((slot for slot in free if slot not in taken), wanted + 1)
    return found
