"""How the series of a chart look: colours that stay, and stripes where two in one chart would look alike.

A company has the colour of its id on every page, whatever else is drawn. There are more companies than colours that
people tell apart: where several of one chart have the same, each next one is striped otherwise. API keys, providers and
models, which are few in a chart, ask for the colour of their id or name; where it is taken, they get the next free one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from costs.reports.series import Series

SLOTS: Final = 12  # as many as the style sheet has, from .series--1 on
STRIPES: Final = ("", "thin", "wide")  # in the order in which they are taken; none first
UNASSIGNED: Final = "unassigned"
OTHER: Final = "other"


@dataclass(frozen=True)
class Look:
    colour: str  # the end of its class: "1" to "12", or that of a neutral colour
    stripes: str = ""  # one of STRIPES


def looks(series: Iterable[Series], field: str) -> list[Look]:
    """For each of ``series``, which are of values of ``field``."""
    each = list(series)
    named = [one.group for one in each if not one.is_rest and one.group is not None]
    slots = {pk: _slot(pk) for pk in named} if field == "company_id" else slots_of(named)
    before: Counter[int] = Counter()
    found = []
    for one in each:
        if one.is_rest or one.group is None:
            found.append(Look(OTHER if one.is_rest else UNASSIGNED))
            continue
        slot = slots[one.group]
        found.append(Look(str(slot), STRIPES[before[slot] % len(STRIPES)]))
        before[slot] += 1
    return found


def slots_of(groups: Iterable[Any]) -> dict[Any, int]:
    """A slot for each of ``groups``, ids or texts, of its own as long as there are any left."""
    found: dict[Any, int] = {}
    for group in sorted(groups):
        wanted, taken = _slot(group), set(found.values())
        free = ((wanted - 1 + step) % SLOTS + 1 for step in range(SLOTS))
        found[group] = next((slot for slot in free if slot not in taken), wanted)
    return found


def _slot(group: int | str) -> int:
    return (crc32(group.encode()) if isinstance(group, str) else group - 1) % SLOTS + 1
