"""Every mode of a workspace, synced by the product's own commands or runs: exports equal the truth, digit for digit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from costs.models import DailyUsage
from elevenlabs_sync.simulator import (
    RESTRICTED_API_KEY,
    SIMULATED_API_KEY,
    Billing,
    Cost,
    Credits,
    Moved,
)
from elevenlabs_sync.simulator.routes import CHARACTER_STATS_PATH, COST_PATH, USAGE_PATH
from providers.models import Project, Provider, SyncRun
from tests.elevenlabs_sync.modes import (
    Simulated,
    account_totals_of,
    exported_rows,
    simulated,
    totals_of,
)
from tests.elevenlabs_sync.worlds import NOW
from tests.simulation import Edit, EditedWorkspace, drift, faults
from tests.simulation.edits import AddUsage, ChangeCurrency, Hide, Reprice, Restate, Unprice
from tests.simulation.key_edits import AddKey, DeleteKey, DisableKey, RenameKey

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

TODAY = NOW.date()
FIRST_DAY = TODAY - timedelta(days=40)
IVR = "northwind-ivr"
FLASH = "eleven_flash_v2_5"
SUCCEEDED, FAILED = SyncRun.Outcome.SUCCEEDED, SyncRun.Outcome.FAILED
BILLINGS = [
    Credits(),
    Cost(),
    Moved(TODAY - timedelta(days=20)),
    Moved(TODAY - timedelta(days=20), end_reaches=True),
    Moved(TODAY - timedelta(days=29)),
    Moved(TODAY),
]
BILLING_NAMES = ["credits", "cost", "moved", "moved, end reaches", "moved at a window's edge", "moved today"]


@pytest.fixture
def here() -> Iterator[Simulated]:
    with simulated(first_day=FIRST_DAY) as made:
        yield made


# --- Billing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("billing", BILLINGS, ids=BILLING_NAMES)
def test_first_sync_and_the_hours_after_it_are_exact(billing: Billing) -> None:
    """The truth, and then one request for usage an hour, or one for each side of a move within the trailing days."""
    with simulated(first_day=FIRST_DAY, billing=billing) as here:
        assert here.sync().outcome == SUCCEEDED
        assert here.exported == here.expected
        assert totals_of(here.exported) == here.totals

        here.server.recording.clear()
        here.clock.move(hours=1)
        run = here.sync()

        days_ago = (TODAY - billing.cost_from).days if isinstance(billing, Moved) else None
        expected = [COST_PATH] if billing.cost_from < TODAY else [USAGE_PATH]
        assert here.asked() == ([COST_PATH, USAGE_PATH] if days_ago == 0 else expected)
        assert (run.rows_inserted, run.rows_changed) == (0, 0)
        assert here.exported == here.expected


@pytest.mark.parametrize("billing", [Cost(), Moved(TODAY - timedelta(days=40))], ids=["cost", "moved"])
def test_named_days_before_all_others_are_found_too(billing: Billing) -> None:
    """A range of years ago is read from whichever endpoint knows it."""
    with simulated(first_day=TODAY - timedelta(days=60), billing=billing) as here:
        here.provider.history_from = TODAY - timedelta(days=5)
        here.provider.save()
        here.sync()

        here.sync(requested_from=here.first_day, requested_to=TODAY)

        here.provider.history_from = here.first_day
        assert here.exported == here.expected


def test_move_while_connected_is_followed() -> None:
    """Credits until the day of the move, cost from then on, and no day twice."""
    with simulated(first_day=FIRST_DAY) as here:
        here.sync()
        workspace = here.server.workspace
        assert callable(workspace)

        def moved() -> EditedWorkspace:
            today = here.clock().date()
            return EditedWorkspace(today, (today - FIRST_DAY).days, billing=Moved(TODAY + timedelta(days=1)))

        here.server.workspace = moved
        for _day in range(3):
            here.clock.move(hours=24)
            assert here.sync().outcome == SUCCEEDED

        assert here.provider.cost_from == TODAY + timedelta(days=1)
        assert here.exported == here.expected


def test_passing_refusal_that_looks_like_the_billing_is_healed_by_the_next_full_reading() -> None:
    """A storm of refusals in the middle may hide days in credits; a reading by hand finds each of them."""
    with simulated(first_day=FIRST_DAY, billing=Moved(TODAY - timedelta(days=3))) as here:
        here.server.faults.add(USAGE_PATH, faults.ErrorStatus(400), times=8)
        here.sync()
        here.server.faults.clear()

        run = here.sync(requested_from=FIRST_DAY, requested_to=TODAY)

        assert run.outcome == SUCCEEDED
        assert here.exported == here.expected


# --- Account totals ---------------------------------------------------------------------------------------------------


def test_provider_with_usage_per_key_never_falls_back_to_account_totals() -> None:
    """Losing the permission fails the sync, naming it: totals beside the keys' usage would count twice."""
    with simulated(first_day=FIRST_DAY) as here:
        here.sync()
        before = here.exported
        here.server.keys[SIMULATED_API_KEY] = here.server.keys[RESTRICTED_API_KEY]

        run = here.sync()

        assert (run.outcome, run.error_code) == (FAILED, "missing_permission")
        assert "workspace_analytics_full_read" in run.error_text
        assert CHARACTER_STATS_PATH not in here.asked()
        assert here.exported == before


def test_hourly_account_totals_ask_once_for_each_metric() -> None:
    """Credits, minutes, requests and money: four requests, no analytics."""
    with simulated(
        first_day=FIRST_DAY,
        api_key=RESTRICTED_API_KEY,
        provider={"source": Provider.Source.ACCOUNT_TOTALS},
    ) as here:
        here.sync()
        assert here.exported == account_totals_of(here.workspace, FIRST_DAY, TODAY)

        here.server.recording.clear()
        here.clock.move(hours=1)
        here.sync()

        assert here.asked() == [CHARACTER_STATS_PATH] * 4


# --- Late, restated, vanished -----------------------------------------------------------------------------------------


def test_late_costs_are_unknown_until_they_come(here: Simulated) -> None:
    """An unpriced row is not free; when its price comes it is one row still."""
    here.edit(Unprice(TODAY - timedelta(days=5), until=TODAY + timedelta(days=2)))
    here.sync()
    assert here.exported == here.expected
    assert totals_of(here.exported).unpriced_rows > 0

    for _day in range(3):
        here.clock.move(hours=24)
        here.sync()
        assert here.exported == here.expected
        assert totals_of(here.exported) == here.totals


@pytest.mark.parametrize(
    "edit",
    [
        Restate(TODAY - timedelta(days=6), key=IVR, factor=Decimal("1.237")),
        Restate(TODAY - timedelta(days=30), TODAY - timedelta(days=25), factor=Decimal("0.731")),
        Reprice(TODAY - timedelta(days=30), factor=Decimal("1.1")),
        Reprice(TODAY - timedelta(days=4), cost=Decimal("0.123456")),
        Reprice(TODAY - timedelta(days=4), cost=Decimal(0)),
        Hide(TODAY - timedelta(days=6), key=IVR),
        Hide(TODAY - timedelta(days=6), key=IVR, until=TODAY),
        AddUsage(IVR, TODAY - timedelta(days=20), "a-late-model", credits=Decimal(7), requests=1),
        DisableKey(IVR, on=TODAY - timedelta(days=3)),
        DeleteKey(IVR, on=TODAY - timedelta(days=3)),
        RenameKey(IVR, "=SUM(A1)"),
        AddKey("new-one", "A new one", TODAY - timedelta(days=10)),
    ],
    ids=lambda edit: type(edit).__name__,
)
def test_whatever_changes_is_brought_in_line_by_the_nightly_reading(here: Simulated, edit: Edit) -> None:
    """Rows that change, come late or vanish within 35 days: the export is the truth again, and no row is doubled."""
    here.sync()
    here.edit(edit)

    run = here.sync(trigger=SyncRun.Trigger.NIGHTLY, requested_from=TODAY - timedelta(days=34), requested_to=TODAY)

    assert run.outcome == SUCCEEDED
    assert here.exported == here.expected
    assert totals_of(here.exported) == here.totals


def test_renamed_key_keeps_its_history_under_the_new_name(here: Simulated) -> None:
    """One key, one project, whatever it is called."""
    here.sync()
    before = Project.objects.count()
    here.edit(RenameKey(IVR, "Northwind – phone"))

    here.sync()

    assert Project.objects.count() == before
    assert Project.objects.filter(name="Northwind – phone").count() == 1


def test_deleted_key_keeps_its_history(here: Simulated) -> None:
    """Gone from the list, marked, and every figure still there."""
    here.sync()
    before = here.exported
    here.edit(DeleteKey(IVR, on=TODAY + timedelta(days=1)))
    here.clock.move(hours=24)

    here.sync()

    gone = Project.objects.exclude(deleted_at=None).get()
    assert gone.usage.used().count() == sum(identity[0] == gone.external_id for identity in before)
    assert here.exported == here.expected


def test_change_of_currency_is_never_mixed(here: Simulated) -> None:
    """What is read again stands in the new currency, what is not in the one it was reported in."""
    here.sync()
    here.edit(ChangeCurrency("eur", Decimal("0.9")))

    run = here.sync()

    assert run.window_from is not None
    currencies = {
        (identity[1] >= run.window_from.isoformat(), row[4]) for identity, row in here.exported.items() if row[4]
    }
    assert currencies == {(False, "usd"), (True, "eur")}

    here.sync(requested_from=FIRST_DAY, requested_to=TODAY)
    assert here.exported == here.expected
    assert {row[4] for row in here.exported.values() if row[4]} == {"eur"}


def test_digits_beyond_the_storage_scale_are_rounded_half_to_even_once(here: Simulated) -> None:
    """Each figure is stored at its scale: credits 4, minutes 6, cost 10 digits after the point."""
    day = TODAY - timedelta(days=1)
    here.edit(
        AddUsage(
            IVR,
            day,
            "long",
            credits=Decimal("1.00005"),
            minutes=Decimal("2.0000015"),
            requests=3,
            cost=Decimal("0.123456789012345678901234567890"),
        )
    )

    here.sync()

    row = DailyUsage.objects.get(day=day, model="long")
    assert row.cost == Decimal("0.123456789012345678901234567890").quantize(Decimal("1e-10"), ROUND_HALF_EVEN)
    assert (row.credits, row.minutes, row.requests) == (Decimal("1.0000"), Decimal("2.000002"), 3)


# --- Drift ------------------------------------------------------------------------------------------------------------

SAME_SUMS = [
    drift.with_added_columns(),
    drift.shuffled_columns(),
    drift.shuffled_rows(),
    drift.split_rows(),
    drift.millisecond_timestamps(),
    drift.without("total_charge_count"),
    drift.without("api_key_name"),
    drift.renamed("total_charge_count", "another_count"),
]


@pytest.mark.parametrize("billing", [Credits(), Cost()], ids=["credits", "cost"])
@pytest.mark.parametrize("number", range(len(SAME_SUMS)))
def test_change_of_form_alone_is_read_exactly(number: int, billing: Billing) -> None:
    """Columns and rows in another order, more of them, or times in milliseconds: the same figures."""
    with simulated(first_day=TODAY - timedelta(days=9), billing=billing) as here:
        here.server.faults.add("/v1/workspace/analytics", SAME_SUMS[number], times=None)

        assert here.sync().outcome == SUCCEEDED
        assert here.exported == here.expected


@pytest.mark.parametrize(
    ("fault", "unknown"),
    [
        (drift.without_money(), {3}),
        (drift.like_the_reference(), {1, 2, 3}),
        (drift.without("total_minutes"), {1}),
        (drift.without("usage_count"), {2}),
        (drift.without("total_cost"), {3}),
        (drift.renamed("total_cost", "total_price"), {3}),
        (drift.renamed("total_usage", "credits_used"), set()),
        (drift.renamed("total_usage", "credits_in_total"), set()),
        (drift.cells("total_cost", None), {3}),
        (drift.cells("total_minutes", None), {1}),
    ],
    ids=[
        "no money",
        "reference",
        "no minutes",
        "no count",
        "no cost",
        "renamed cost",
        "credits_used",
        "only unit of credits",
        "null cost",
        "null minutes",
    ],
)
def test_figure_that_is_not_told_is_unknown_and_the_others_are_exact(fault: faults.Fault, unknown: set[int]) -> None:
    """What an answer does not hold is never taken for zero."""
    with simulated(first_day=TODAY - timedelta(days=9)) as here:
        here.server.faults.add(USAGE_PATH, fault, times=None)

        assert here.sync().outcome == SUCCEEDED
        assert here.exported == {
            identity: (
                *(None if place in unknown else row[place] for place in range(4)),
                "" if 3 in unknown else row[4],
            )
            for identity, row in here.expected.items()
        }


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (drift.without("timestamp"), "column timestamp is missing"),
        (drift.without("hashed_xi_api_key"), "column hashed_xi_api_key is missing"),
        (drift.without("model"), "column model is missing"),
        (drift.without("total_usage"), "no column can be told to hold credits"),
        (drift.renamed("timestamp", "day"), "column timestamp is missing"),
        (drift.unit("total_usage", "usd"), "column total_usage has the unit usd"),
        (drift.unit("total_usage", None), "column total_usage has the unit none"),
        (drift.unit("total_minutes", "s"), "column total_minutes has the unit s"),
        (drift.unit("total_cost", "chf"), "column total_cost has the unit chf"),
        (drift.unit("total_cost", "credits"), "column total_cost has the unit credits"),
        (drift.unit("usage_count", "ratio"), "column usage_count has the unit ratio"),
        (drift.cells("total_cost", float("nan"), 0), "NaN"),
        (drift.cells("total_cost", float("inf"), 0), "Infinity"),
        (drift.verbatim("total_usage", "1e400000", -1), "column total_usage"),
        (drift.verbatim("total_usage", "1e400", -1), "column total_usage"),
        (drift.cells("total_usage", -1, 0), "column total_usage holds a negative number"),
        (drift.cells("total_minutes", "many", 0), "column total_minutes holds something that is no number"),
        (drift.cells("usage_count", value=True, row=0), "column usage_count holds something that is no number"),
        (drift.cells("usage_count", Decimal("1.5"), 0), "column usage_count"),
        (drift.cells("timestamp", "2026-11-20T00:00:01Z", 0), "column timestamp"),
        (drift.cells("timestamp", "yesterday", 0), "column timestamp"),
        (drift.cells("timestamp", None, 0), "column timestamp"),
        (drift.cells("hashed_xi_api_key", 5, 0), "column hashed_xi_api_key"),
        (drift.cells("model", "a\0b", 0), "column model"),
        (drift.cells("model", "m" * 201, 0), "column model"),
    ],
    ids=str,
)
def test_change_of_meaning_is_refused_with_the_column_named(fault: faults.Fault, named: str) -> None:
    """The run fails with the reason, no row and no day of the window is written, the next good answer is exact."""
    with simulated(first_day=TODAY - timedelta(days=9)) as here:
        here.server.faults.add(USAGE_PATH, fault)

        run = here.sync()

        assert (run.outcome, run.error_code) == (FAILED, "unexpected_response")
        assert named in run.error_text
        assert here.exported == {}
        assert not here.provider.read_days.exists()
        here.sync()
        assert here.exported == here.expected


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: drift.without("total_cost"), "column total_cost is missing"),
        (lambda: drift.unit("total_cost", "credits"), "column total_cost has the unit credits"),
        (lambda: drift.without("model"), "column model is missing"),
    ],
    ids=["no cost", "unit", "no model"],
)
def test_change_of_meaning_at_the_cost_endpoint_is_refused(make: Callable[[], faults.Fault], named: str) -> None:
    """There the cost is what is needed."""
    with simulated(first_day=TODAY - timedelta(days=9), billing=Cost()) as here:
        here.server.faults.add(COST_PATH, make(), times=None)

        run = here.sync()

        assert (run.outcome, run.error_code) == (FAILED, "unexpected_response")
        assert named in run.error_text
        assert exported_rows(here.provider) == {}


@pytest.mark.parametrize("make", [drift.without_rows, drift.with_few_rows], ids=["empty", "few rows"])
@pytest.mark.parametrize("billing", [Credits(), Cost(), Moved(TODAY - timedelta(days=20))], ids=["c", "m", "moved"])
def test_answer_that_lost_its_rows_is_held(billing: Billing, make: Callable[[], faults.Fault]) -> None:
    """Whichever endpoint it comes from: what stands is kept, and the run needs a look."""
    with simulated(first_day=FIRST_DAY, billing=billing) as here:
        here.sync()
        before = here.exported
        here.server.faults.add("/v1/workspace/analytics", make(), times=None)

        run = here.sync(requested_from=FIRST_DAY, requested_to=TODAY)

        assert run.outcome == SyncRun.Outcome.NEEDS_LOOK
        assert here.exported == before


# --- Days -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "first_day"),
    [
        (datetime(2028, 2, 29, 23, 59, 59, 900_000, tzinfo=UTC), date(2028, 1, 25)),
        (datetime(2028, 3, 1, tzinfo=UTC), date(2028, 1, 25)),
        (datetime(2027, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), date(2027, 11, 25)),
    ],
    ids=["leap day", "after the leap day", "year's end"],
)
@pytest.mark.parametrize("billing", [Credits(), Cost()], ids=["credits", "cost"])
def test_edges_of_days_and_years_leave_no_gap_and_no_double(now: datetime, first_day: date, billing: Billing) -> None:
    """An instant before and after midnight, on the odd days too."""
    with simulated(first_day=first_day, now=now, billing=billing) as here:
        here.sync()
        assert here.exported == here.expected

        for seconds in (0.2, 3600, 24 * 3600):
            here.clock.move(seconds=seconds)
            here.sync()
            assert here.exported == here.expected
