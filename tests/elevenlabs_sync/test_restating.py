"""What changes after it was stored: the restatement log, estimates and their replacement, held answers, remarks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from costs.models import DailyUsage, Restatement
from elevenlabs_sync.simulator import SIMULATED_API_KEY
from elevenlabs_sync.simulator.routes import SERVICE_ACCOUNTS_PATH, USAGE_PATH
from providers.models import SyncRun
from tests.elevenlabs_sync.modes import Simulated, simulated
from tests.elevenlabs_sync.worlds import NOW
from tests.simulation import drift, faults
from tests.simulation.edits import AddUsage, ChangeCurrency, Hide, Reprice, Restate

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
FIRST_DAY = TODAY - timedelta(days=25)
SETTLED = TODAY - timedelta(days=15)
UNSETTLED = TODAY - timedelta(days=5)
IVR = "northwind-ivr"
FLASH = "eleven_flash_v2_5"


@pytest.fixture
def here() -> Iterator[Simulated]:
    """A workspace that is synced, with days that have settled and days that have not."""
    with simulated(first_day=FIRST_DAY) as made:
        made.sync()
        yield made


def nightly(here: Simulated, **request: bool) -> SyncRun:
    return here.sync(
        trigger=SyncRun.Trigger.NIGHTLY,
        requested_from=TODAY - timedelta(days=34),
        requested_to=here.clock().date(),
        **request,
    )


# --- The restatement log ----------------------------------------------------------------------------------------------


def test_change_of_a_settled_day_is_kept_in_the_log(here: Simulated) -> None:
    """What stood, what stands, when, and which run found it – exactly."""
    before = DailyUsage.objects.get(day=SETTLED, project__name__contains="IVR")
    here.edit(Restate(SETTLED, SETTLED + timedelta(days=1), key=IVR, factor=Decimal("1.5")))
    here.clock.move(hours=1)

    run = nightly(here)

    after = DailyUsage.objects.get(pk=before.pk)
    entry = Restatement.objects.get()
    assert (entry.project, entry.day, entry.model, entry.run) == (before.project, SETTLED, FLASH, run)
    assert entry.restated_at == NOW + timedelta(hours=1)
    for name in ("credits", "minutes", "requests", "cost", "currency"):
        assert getattr(entry, f"{name}_before") == getattr(before, name)
        assert getattr(entry, f"{name}_after") == getattr(after, name)
    assert before.credits is not None
    assert after.credits == (before.credits * Decimal("1.5")).quantize(Decimal(1))
    assert run.rows_changed == 1


def test_change_of_a_day_that_has_not_settled_is_no_restatement(here: Simulated) -> None:
    """Provisional figures change as a matter of course."""
    here.edit(Restate(UNSETTLED, key=IVR, factor=Decimal("1.5")))

    assert nightly(here).rows_changed > 0
    assert not Restatement.objects.exists()


def test_row_that_comes_late_on_a_settled_day_is_kept_in_the_log(here: Simulated) -> None:
    """Where nothing stood, nothing is noted as what stood."""
    here.edit(AddUsage(IVR, SETTLED, "late", credits=Decimal(5), requests=1, cost=Decimal("0.5")))

    nightly(here)

    entry = Restatement.objects.get()
    assert (entry.credits_before, entry.cost_before, entry.currency_before) == (None, None, "")
    assert (entry.credits_after, entry.cost_after, entry.currency_after) == (Decimal(5), Decimal("0.5"), "usd")


def test_row_that_vanishes_from_a_settled_day_is_kept_in_the_log(here: Simulated) -> None:
    """It becomes zero, and the log has what stood."""
    before = DailyUsage.objects.get(day=SETTLED, project__name__contains="IVR")
    here.edit(Hide(SETTLED, SETTLED + timedelta(days=1), key=IVR))

    nightly(here)

    entry = Restatement.objects.get()
    assert (entry.credits_before, entry.cost_before) == (before.credits, before.cost)
    assert (entry.credits_after, entry.cost_after) == (Decimal(0), Decimal(0))
    assert here.exported == here.expected


def test_change_of_currency_is_kept_in_the_log(here: Simulated) -> None:
    """Both currencies stand there, each with its own amount."""
    here.edit(ChangeCurrency("eur", Decimal("0.9")))

    nightly(here)

    assert Restatement.objects.count() > 10
    assert set(Restatement.objects.values_list("currency_before", "currency_after")) == {("usd", "eur")}
    assert here.exported == here.expected


def test_log_only_grows(here: Simulated) -> None:
    """A change back is another entry; an unchanged reading is none."""
    edit = Restate(SETTLED, SETTLED + timedelta(days=1), key=IVR, factor=Decimal(2))
    here.edit(edit)
    nightly(here)
    nightly(here)
    assert Restatement.objects.count() == 1

    here.edits.remove(edit)
    nightly(here)

    latest, first = Restatement.objects.order_by("-pk")
    assert (latest.credits_before, latest.credits_after) == (first.credits_after, first.credits_before)


def test_first_reading_of_old_days_is_no_restatement() -> None:
    """A backfill finds out, it does not restate."""
    with simulated(first_day=FIRST_DAY) as here:
        here.sync()
        nightly(here)

        assert not Restatement.objects.exists()


def test_hourly_sync_leaves_settled_days_to_the_night(here: Simulated) -> None:
    """What changes beyond the trailing days is found by the nightly sync, and by none before it."""
    here.edit(Reprice(SETTLED, SETTLED + timedelta(days=1), factor=Decimal(2)))

    here.clock.move(hours=1)
    assert here.sync().rows_changed == 0
    assert nightly(here).rows_changed > 0


# --- Estimates --------------------------------------------------------------------------------------------------------


@pytest.fixture
def unpriced() -> Iterator[Simulated]:
    """A workspace that reports no money at all, and a rate that an operator has set for it."""
    rate = {"credit_rate": Decimal("0.123457"), "credit_rate_currency": "eur"}
    with simulated(first_day=TODAY - timedelta(days=9), provider=rate) as made:
        made.server.faults.add(USAGE_PATH, drift.without_money(), times=None)
        made.sync()
        yield made


def test_unknown_cost_is_estimated_from_the_rate_and_marked(unpriced: Simulated) -> None:
    """Credits times rate, by the thousand, half-even at the digits that are stored."""
    rows = list(DailyUsage.objects.all())

    assert len(rows) == len(unpriced.expected)
    for row in rows:
        assert row.credits is not None
        assert row.cost == (row.credits * Decimal("0.123457") / 1000).quantize(Decimal("1e-10"), ROUND_HALF_EVEN)
        assert (row.currency, row.estimated) == ("eur", True)


@pytest.mark.parametrize(
    ("credits_", "cost"),
    [("0.0001", "0.0000000000"), ("0.0003", "0.0000000002"), ("0.0005", "0.0000000002")],
)
def test_estimate_is_rounded_half_to_even(credits_: str, cost: str) -> None:
    """0.5, 1.5 and 2.5 of the last digit become 0, 2 and 2."""
    rate = {"credit_rate": Decimal("0.0005"), "credit_rate_currency": "usd"}
    with simulated(first_day=TODAY, provider=rate) as here:
        here.edit(AddUsage(IVR, TODAY, "tiny", credits=Decimal(credits_), cost=None))
        here.sync()

        assert DailyUsage.objects.get(model="tiny").cost == Decimal(cost)


def test_reported_cost_replaces_the_estimate(unpriced: Simulated) -> None:
    """As soon as ElevenLabs tells the money, the export holds that and no mark."""
    unpriced.server.faults.clear()

    unpriced.sync(requested_from=unpriced.first_day, requested_to=TODAY)

    reported = DailyUsage.objects.filter(estimated=False)
    assert reported.exists()
    assert {row.currency for row in reported} == {"usd"}
    known = {identity: row for identity, row in unpriced.expected.items() if row[3] is not None}
    assert {identity: row for identity, row in unpriced.exported.items() if row[4] == "usd"} == known


def test_changed_rate_is_taken_over_by_the_next_reading(unpriced: Simulated) -> None:
    """Estimates follow the rate; the figures they are made of stay."""
    unpriced.provider.credit_rate = Decimal(1)
    unpriced.provider.save()

    unpriced.sync(requested_from=unpriced.first_day, requested_to=TODAY)

    assert all(row.credits and row.cost == row.credits / 1000 for row in DailyUsage.objects.all())


# --- Held answers -----------------------------------------------------------------------------------------------------


def test_held_answer_is_applied_once_it_is_accepted(here: Simulated) -> None:
    """Usage that is really gone needs a look; accepted, the export is the truth, and the next sync succeeds."""
    before = here.exported
    edit = Hide(FIRST_DAY, TODAY - timedelta(days=3))
    here.edit(edit)
    held = nightly(here)
    assert held.outcome == SyncRun.Outcome.NEEDS_LOOK
    assert here.exported == before
    assert here.provider.failure_code == "implausible"

    accepted = nightly(here, accepts_implausible=True)

    assert accepted.outcome == SyncRun.Outcome.SUCCEEDED
    assert here.exported == here.expected
    assert Restatement.objects.exists()
    assert here.provider.failure_code == ""
    assert here.sync().outcome == SyncRun.Outcome.SUCCEEDED


def test_held_answer_that_was_a_fault_is_healed_by_the_next_good_one(here: Simulated) -> None:
    """Nobody has to do anything."""
    here.server.faults.add(USAGE_PATH, drift.without_rows())
    assert nightly(here).outcome == SyncRun.Outcome.NEEDS_LOOK

    assert nightly(here).outcome == SyncRun.Outcome.SUCCEEDED
    assert here.exported == here.expected


# --- Remarks ----------------------------------------------------------------------------------------------------------


def test_unknown_column_is_remarked_on_once(here: Simulated) -> None:
    """The first run that meets it says so, the others are silent; another column is another remark."""
    here.server.faults.add(USAGE_PATH, drift.with_added_columns(["carbon_grams"]), times=2)
    first, second = here.sync(), here.sync()
    here.server.faults.add(USAGE_PATH, drift.with_added_columns(["carbon_grams", "shiny"]))
    third = here.sync()

    assert first.notes == ["ElevenLabs' answer has columns that are not read: carbon_grams."]
    assert second.notes == []
    assert third.notes == ["ElevenLabs' answer has columns that are not read: shiny."]
    assert here.provider.noted_columns == ["carbon_grams", "shiny"]


def test_answer_that_can_not_be_understood_leaves_a_redacted_excerpt(here: Simulated) -> None:
    """The operator sees how it began, without the key and without the hash of any."""
    some_hash = here.workspace.key_hash(here.workspace.cast[0]) or ""
    leak = {"columns": [f"{SIMULATED_API_KEY} {some_hash}"], "rows": "lost"}
    here.server.faults.add(USAGE_PATH, faults.Transform(lambda _document: leak))

    run = here.sync()

    assert run.error_code == "unexpected_response"
    assert '"rows"' in run.excerpt
    assert "••••" in run.excerpt
    assert SIMULATED_API_KEY not in run.excerpt
    assert some_hash not in run.excerpt
    assert len(run.excerpt) <= 200


def test_excerpt_of_the_account_is_kept_too(here: Simulated) -> None:
    """Whichever answer it was; a run that succeeds has none."""
    here.server.faults.add(SERVICE_ACCOUNTS_PATH, faults.Transform(lambda _document: {"keys": "moved"}))

    assert here.sync().excerpt == '{"keys":"moved"}'
    assert here.sync().excerpt == ""
