"""Costs that an answer leaves open: null is not zero, whichever endpoint says it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from core.amounts import COST
from costs.models import DailyUsage
from elevenlabs_sync.payloads import read_costs, read_stats
from elevenlabs_sync.simulator.billing import Cost
from elevenlabs_sync.simulator.routes import COST_PATH
from providers.models import SyncRun
from syncing.reader import UsageRow
from tests.elevenlabs_sync.modes import TODAY, simulated
from tests.elevenlabs_sync.tables import UNITS, answer, cells
from tests.simulation import drift

pytestmark = pytest.mark.any_engine


DAY = date(2026, 9, 20)
METERED = ("total_usage", "total_minutes", "usage_count")
MIDNIGHT = 1789862400000


def read(*rows: Mapping[str, Any]) -> list[UsageRow]:
    return read_costs(answer(rows, units=UNITS, without=METERED), first=DAY, last=DAY)


def test_null_cost_alone_is_usage_of_which_nothing_is_known() -> None:
    """The key used the model; no figure says how much."""
    [row] = read(cells(total_cost=None))

    assert (row.credits, row.minutes, row.requests, row.cost, row.currency) == (None, None, None, None, "")


def test_cost_of_zero_alone_is_an_empty_bucket() -> None:
    """Every key has a bucket for every day."""
    assert read(cells(total_cost=0)) == []


def test_part_of_unknown_cost_makes_the_sum_unknown() -> None:
    """Rows of one key, day and model are one."""
    [row] = read(cells(total_cost="2"), cells(total_cost=None))

    assert row.cost is None


@pytest.mark.parametrize("numbers", [[None], [0, None]], ids=["alone", "beside a zero"])
def test_null_of_the_account_totals_is_unknown(numbers: list[int | None]) -> None:
    """As everywhere."""
    times = [MIDNIGHT - 86_400_000, MIDNIGHT][-len(numbers) :]
    document = {"time": times, "usage": {"m": numbers}}

    assert read_stats(document, COST, first=DAY - timedelta(days=1), last=DAY) == {(DAY, "m"): None}


@pytest.mark.django_db
def test_workspace_billed_by_cost_whose_costs_are_taken_back_is_unpriced() -> None:
    """What stood at a price stands without one, and is priced again by a later answer."""
    first_day = TODAY - timedelta(days=9)
    window: dict[str, Any] = {
        "requested_from": first_day,
        "requested_to": TODAY,
        "trigger": SyncRun.Trigger.MANUAL,
    }
    with simulated(first_day=first_day, billing=Cost()) as here:
        here.sync()
        priced = DailyUsage.objects.filter(cost__gt=0).count()
        here.server.faults.add(COST_PATH, drift.cells("total_cost", None), times=None)
        here.sync(**window)
        still_priced = DailyUsage.objects.filter(cost__gt=0).count()
        here.server.faults.clear()

        assert here.sync(**window).outcome == SyncRun.Outcome.SUCCEEDED
        assert (priced > 0, still_priced) == (True, 0)
        assert here.exported == here.expected
