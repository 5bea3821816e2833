"""What an act would change of who pays, told before it is done. What that costs is known to the apps above."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from operator import itemgetter
from typing import Any, Protocol

from django.utils.safestring import SafeString

from core.days import EARLIEST_DAY
from providers.models import BEGINNING, AssignmentChange, Company, Periods, Project


@dataclass(frozen=True)
class Moving:
    """Keys whose usage of some days would get other payers."""

    projects: Sequence[Project]
    # With how many percent each; empty: nobody. A company that is not stored yet has no id.
    payers: Sequence[tuple[Company, Decimal]]
    starts_on: date | None = None  # None: all history
    ends_on: date | None = None  # None: until a period begins that is later


class DrawsMoving(Protocol):
    """Draws what an act would move; the URLs of the apps above hand it in."""

    def __call__(self, moving: Sequence[Moving], /) -> SafeString: ...


def nothing_moves(_moving: Sequence[Moving]) -> SafeString:
    """Where nobody tells."""
    return SafeString("")


def undoing(change: AssignmentChange, projects: Collection[Project]) -> list[Moving]:
    """What taking ``change`` of ``projects`` back would move, as far as nothing has changed them since; one query."""
    pieces: dict[tuple[date, date | None, Any], list[Project]] = defaultdict(list)
    for project in projects:
        then, now = (_periods(snapshot.get(str(project.pk), ())) for snapshot in (change.before, change.after))
        for first, last in _differing(then, now):
            pieces[first, last, then.payers_on(first)].append(project)
    companies = Company.objects.in_bulk({pk for _first, _last, payers in pieces for pk, _percent in payers})
    return [
        Moving(
            of_piece,
            [(companies[pk], percent) for pk, percent in payers if pk in companies],
            None if (first, last) == (BEGINNING, None) else max(first, EARLIEST_DAY),
            last,
        )
        for (first, last, payers), of_piece in pieces.items()
    ]


def _periods(entries: Sequence[Sequence[Any]]) -> Periods:
    """Of a change's snapshot; see providers.services.periods.as_entry."""
    return Periods.of(
        (date.fromisoformat(starts_on), source, tuple((pk, Decimal(percent)) for pk, percent in shares))
        for starts_on, source, shares in sorted(entries, key=itemgetter(0))
    )


def _differing(one: Periods, other: Periods) -> Iterator[tuple[date, date | None]]:
    """The first and the last days of the pieces of time in which they have other payers."""
    starts = sorted({BEGINNING, *(period.starts_on for periods in (one, other) for period in periods.in_order)})
    for first, following in pairwise([*starts, None]):
        if first and one.payers_on(first) != other.payers_on(first):
            yield first, following and following - timedelta(days=1)
