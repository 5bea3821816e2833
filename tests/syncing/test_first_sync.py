"""The first sync, and what the next ones read: what is stored is the truth of the simulated workspace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from costs.models import DailyUsage, ReadDay
from elevenlabs_sync.simulator.routes import USAGE_PATH
from providers.models import Provider, SyncRun
from syncing.engine import run_sync
from tests.elevenlabs_sync.worlds import NOW, World, milliseconds, world
from tests.simulation import faults

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
SUCCEEDED = SyncRun.Outcome.SUCCEEDED
TWO_PIECES = TODAY - timedelta(days=33)  # a window of 30 days and one of 4


def figures(document: dict[str, Any], column: str, value: Any) -> dict[str, Any]:
    """The document with ``value`` in one row's cell of a column."""
    document["rows"][0][document["columns"].index(column)] = value
    return document


def without_rows(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"rows": []}


# --- The first sync ---------------------------------------------------------------------------------------------------


def test_first_sync_stores_the_truth(here: World) -> None:
    """Every figure of every key, day and model is stored to the last digit, and no other row."""
    here.sync()

    assert here.stored == here.truth
    assert DailyUsage.objects.count() == len(here.truth)


def test_numbers_as_strings_are_the_same_numbers() -> None:
    """An answer with decimal strings gives the same rows."""
    with world(decimal_strings=True) as here:
        here.sync()

        assert here.stored == here.truth


def test_history_of_several_pieces_is_read_newest_first(long: World) -> None:
    """The pieces are of 30 days, cover each day once, and what is shown advances with them."""
    run = long.sync()

    assert [(body["start_time"], body["end_time"]) for body in long.usage_requests] == [
        (milliseconds(TODAY - timedelta(days=29)), milliseconds(TODAY, hours=12, minutes=30)),
        (milliseconds(TWO_PIECES), milliseconds(TODAY - timedelta(days=29))),
    ]
    assert long.progress == [(0, 34), (30, 34), (34, 34)]
    assert (run.days_done, run.days_total, run.window_from, run.window_to) == (34, 34, TWO_PIECES, TODAY)
    assert long.stored == long.truth


def test_run_tells_what_it_did(here: World) -> None:
    """Rows read and inserted, keys found and the times are recorded."""
    run = here.sync()

    assert (run.outcome, run.error_code, run.error_text) == (SUCCEEDED, "", "")
    assert run.rows_read == run.rows_inserted == len(here.truth)
    assert (run.rows_changed, run.rows_unchanged) == (0, 0)
    assert run.keys_found == len(here.server.current_workspace().listed_keys())
    assert (run.started_at, run.finished_at, run.attempts) == (NOW, NOW, 1)


def test_provider_is_up_to_date_and_free_afterwards(here: World) -> None:
    """The provider's state follows the run and its claim has ended."""
    here.sync()

    assert here.provider.last_synced_at == NOW
    assert (here.provider.failure_code, here.provider.failing_since) == ("", None)
    assert (here.provider.claimed_by, here.provider.claimed_until) == ("", None)


def test_every_day_of_the_history_counts_as_read(here: World) -> None:
    """Days without usage are read as well."""
    here.sync()

    days = [here.first_day + timedelta(days=offset) for offset in range(11)]
    assert list(ReadDay.objects.for_provider(here.provider).values_list("day", flat=True)) == days


def test_account_is_kept_beside_the_usage(here: World) -> None:
    """Plan, currency and the models' names are stored."""
    here.sync()

    assert (here.provider.subscription or {})["name"] == "scale"
    assert here.provider.currency == "usd"
    assert here.provider.model_names["eleven_flash_v2_5"] == "Eleven Flash v2.5"


def test_request_identifies_the_product(here: World) -> None:
    """ElevenLabs can tell who asks."""
    here.sync()

    assert {request.headers["user-agent"].split("/")[0] for request in here.server.requests} == {"Administrate"}


def test_empty_workspace_is_synced() -> None:
    """A workspace without usage succeeds with no rows."""
    with world(first_day=TODAY + timedelta(days=1)) as here:
        Provider.objects.update(history_from=TODAY)
        here.server.faults.add(USAGE_PATH, faults.Transform(without_rows))

        run = here.sync()

    assert (run.outcome, run.rows_read) == (SUCCEEDED, 0)


# --- Again and later --------------------------------------------------------------------------------------------------


def test_repeated_sync_changes_nothing(here: World) -> None:
    """The same figures again are unchanged, row by row."""
    here.sync()
    before = list(DailyUsage.objects.order_by("pk").values())

    run = here.sync()

    assert (run.rows_inserted, run.rows_changed) == (0, 0)
    assert run.rows_unchanged == run.rows_read > 0
    assert list(DailyUsage.objects.order_by("pk").values()) == before


def test_hourly_sync_is_one_usage_request(here: World) -> None:
    """Settled days are not read again."""
    here.sync()
    here.clock.move(hours=1)
    before = len(here.usage_requests)

    here.sync(trigger=SyncRun.Trigger.HOURLY)

    [body] = here.usage_requests[before:]
    assert body["start_time"] == milliseconds(TODAY - timedelta(days=7))
    assert body["end_time"] == milliseconds(TODAY, hours=13, minutes=30)


def test_next_day_completes_and_prices_the_day_before(here: World) -> None:
    """Part of a day without a price becomes the whole day with one."""
    here.sync()
    here.clock.move(days=2)

    run = here.sync()

    assert run.rows_changed > 0
    assert here.stored == here.truth
    costs = [cost for (_key, day, _model), (*_rest, cost) in here.stored.items() if day == TODAY]
    assert costs
    assert None not in costs


def test_outage_longer_than_the_trailing_days_leaves_no_gap(here: World) -> None:
    """After three weeks without a sync every missed day is read."""
    here.sync()
    here.clock.move(days=21)

    here.sync()

    assert here.stored == here.truth
    assert ReadDay.objects.for_provider(here.provider).count() == 11 + 21


def test_named_window_is_read_and_nothing_else(here: World) -> None:
    """A person may have any days read again; how current the provider is follows only when they reach today."""
    first, last = TODAY - timedelta(days=6), TODAY - timedelta(days=4)

    here.sync(requested_from=first, requested_to=last)

    assert {day for _key, day, _model in here.stored} == {first, first + timedelta(days=1), last}
    assert here.stored == {identity: row for identity, row in here.truth.items() if first <= identity[1] <= last}
    assert here.provider.last_synced_at is None


def test_ended_run_is_not_carried_out_again(here: World) -> None:
    """A message that is delivered twice does its work once."""
    run = here.sync()
    asked = len(here.server.requests)

    again = here.carry_out(run)

    assert again == run
    assert len(here.server.requests) == asked


def test_unknown_run_is_ignored() -> None:
    """A run that was deleted with its provider leaves nothing to do."""
    assert run_sync(10**9) is None
