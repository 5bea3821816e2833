"""A simulated workspace in any of its modes, and what an export of it must hold, digit for digit."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.test import override_settings

from costs.exports.usage import usage_csv
from costs.models import AttributedUsage
from elevenlabs_sync.simulator import SIMULATED_API_KEY, Agents, Billing, SimulatedWorkspace, Totals, UsageRow
from elevenlabs_sync.simulator.routes import CHARACTER_STATS_PATH, COST_PATH, USAGE_PATH
from providers.models import Project, Provider
from tests.elevenlabs_sync.worlds import NOW, Clock, World
from tests.factories import make_provider
from tests.simulation import Edit, EditedWorkspace, FaultySimulator, WorkspaceEdits

USAGE_PATHS = (USAGE_PATH, COST_PATH, CHARACTER_STATS_PATH)
TODAY = NOW.date()

# By key (empty: used without one), day and model: credits, minutes, requests, cost, currency; unknown is None.
Figures = tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None, str]
Rows = dict[tuple[str, str, str], Figures]


@dataclass
class Simulated(World):
    """A world whose truth may be edited while it runs."""

    edits: WorkspaceEdits = field(default_factory=WorkspaceEdits)

    def edit(self, *edits: Edit) -> None:
        self.edits.add(*edits)

    @property
    def workspace(self) -> EditedWorkspace:
        return self.server.current_workspace()

    @property
    def expected(self) -> Rows:
        """The truth of every day from the provider's first one up to now."""
        return rows_of(self._truth(), currency=self.workspace.currency)

    @property
    def totals(self) -> Totals:
        return known_totals(self._truth())

    @property
    def exported(self) -> Rows:
        return exported_rows(self.provider)

    def _truth(self) -> list[UsageRow]:
        return list(self.workspace.rows(self.provider.history_from, self.server_clock().date() + timedelta(days=1)))

    def asked(self, *paths: str) -> list[str]:
        """The paths of the requests for usage so far, or of those for ``paths``."""
        return [request.path for request in self.server.requests if request.path in (paths or USAGE_PATHS)]


@contextmanager
def simulated(
    *,
    first_day: date,
    now: datetime = NOW,
    billing: Billing | None = None,
    agents: Agents = Agents.NONE,
    edits: Iterable[Edit] = (),
    api_key: str = SIMULATED_API_KEY,
    provider: dict[str, Any] | None = None,
    **server_options: Any,
) -> Iterator[Simulated]:
    """A running workspace whose usage begins on ``first_day``, and a provider that has read nothing of it yet."""
    clock = Clock(now)
    truth = WorkspaceEdits(*edits)

    def workspace() -> EditedWorkspace:
        today = clock().date()
        history_days = max(0, (today - first_day).days)
        return EditedWorkspace(today, history_days, billing=billing, agents=agents, edits=truth)

    fields: dict[str, Any] = {"api_key": api_key, "history_from": first_day, "last_synced_at": None, "currency": ""} | (
        provider or {}
    )
    with FaultySimulator(workspace, **server_options) as server, override_settings(ELEVENLABS_BASE_URL=server.base_url):
        yield Simulated(
            server=server,
            provider=make_provider(**fields),
            clock=clock,
            server_clock=clock,
            first_day=first_day,
            edits=truth,
        )


def totals_by_model(rows: Rows) -> dict[tuple[str, str], tuple[tuple[Decimal, bool], ...]]:
    """Of each day and model over all keys and agents: the sum of what is known of a figure, and whether it is all."""
    found: dict[tuple[str, str], list[Figures]] = defaultdict(list)
    for (_key, day, model), figures in rows.items():
        found[day, model].append(figures)
    return {
        place: tuple(
            (sum((amount or Decimal(0) for amount in of_figure), Decimal(0)), None not in of_figure)
            for of_figure in list(zip(*of_place, strict=True))[:4]
        )
        for place, of_place in found.items()
    }


def rows_of(truth: Iterable[UsageRow], *, currency: str) -> Rows:
    """What an export of ``truth`` holds: rows of one key, day and model as one, a sum with an unknown part unknown."""
    parts: dict[tuple[str, str, str], list[UsageRow]] = defaultdict(list)
    for row in truth:
        parts[row.key_hash or "", row.day.isoformat(), row.model].append(row)
    expected: Rows = {}
    for identity, rows in parts.items():
        cost = _sum(row.cost for row in rows)
        figures = (
            _sum(row.credits for row in rows),
            _sum(row.minutes for row in rows),
            _sum(None if row.requests is None else Decimal(row.requests) for row in rows),
            cost,
            "" if cost is None else currency,
        )
        if _is_used(figures[:4]):
            expected[identity] = figures
    return expected


def known_totals(truth: Iterable[UsageRow]) -> Totals:
    """The sums of the rows that are not nothing but zeros."""
    return Totals.of(row for row in truth if _is_used((row.credits, row.minutes, row.requests, row.cost)))


def _is_used(figures: Iterable[Decimal | int | None]) -> bool:
    """A figure above zero, or none that is known: usage that waits for its price."""
    each = list(figures)
    return any(each) or all(figure is None for figure in each)


def exported_rows(provider: Provider) -> Rows:
    """The provider's rows as `export_usage` writes them."""
    return parsed("".join(usage_csv(AttributedUsage.objects.for_provider(provider))))


def parsed(text: str) -> Rows:
    """The rows of an export, of which none may be there twice."""
    found: Rows = {}
    for row in csv.DictReader(io.StringIO(text)):
        identity = row["project_id"], row["date"], row["model"]
        assert identity not in found
        found[identity] = (
            _number(row["credits"]),
            _number(row["minutes"]),
            _number(row["requests"]),
            _number(row["cost"]),
            row["currency"],
        )
    return found


def totals_of(rows: Rows) -> Totals:
    """The sums of exported rows, in the simulator's terms."""
    metered = [row for row in rows.values() if row[0] is not None]
    known = bool(metered) or not rows
    return Totals(
        credits=sum((row[0] or Decimal(0) for row in metered), Decimal(0)) if known else None,
        minutes=sum((row[1] or Decimal(0) for row in metered), Decimal(0)) if known else None,
        requests=int(sum((row[2] or Decimal(0) for row in metered), Decimal(0))) if known else None,
        cost=sum((row[3] for row in rows.values() if row[3] is not None), Decimal(0)),
        unpriced_rows=sum(row[3] is None for row in rows.values()),
        unmetered_rows=len(rows) - len(metered),
    )


def account_totals_of(workspace: SimulatedWorkspace, first: date, last: date, *, own_alone: bool = False) -> Rows:
    """What the old endpoint tells: sums per day and model, in which what is unknown does not count."""
    own = {key.slug for key in workspace.cast if key.account is None}
    sums: dict[tuple[str, str, str], list[Decimal]] = {}
    for row in workspace.used(first, last + timedelta(days=1)):
        if own_alone and row.slug not in own:
            continue
        is_metered = row.day < workspace.billing.cost_from
        sum_ = sums.setdefault((Project.ACCOUNT_ID, row.day.isoformat(), row.model), [Decimal(0)] * 4)
        for place, figure in enumerate((row.credits, row.minutes, Decimal(row.requests))):
            sum_[place] += figure if is_metered else 0
        sum_[3] += row.cost or 0
    return {
        identity: (credits_, minutes, requests, cost, workspace.currency)
        for identity, (credits_, minutes, requests, cost) in sums.items()
    }


def _sum(numbers: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None
