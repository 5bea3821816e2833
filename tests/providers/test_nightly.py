"""When syncs happen by themselves: the hour's, spread over its first minutes, the night's, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.secrets import ApiKey
from elevenlabs_sync.simulator import SIMULATED_API_KEY
from elevenlabs_sync.simulator.routes import USAGE_PATH
from providers.models import Provider, SyncRun
from providers.registry import KeyRefusedError
from providers.services.managing import replace_key
from providers.services.queueing import (
    NIGHTLY_DAYS,
    SPREAD_SECONDS,
    next_hourly_sync,
    request_hourly_syncs,
    request_nightly_syncs,
)
from tests.conftest import FakeType
from tests.elevenlabs_sync.modes import Simulated, simulated
from tests.elevenlabs_sync.worlds import NOW
from tests.factories import make_provider
from tests.simulation import faults

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

TODAY = NOW.date()
NIGHT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
DAY = timedelta(days=1)


# --- The night --------------------------------------------------------------------------------------------------------


def test_night_reads_35_days(elevenlabs: FakeType) -> None:
    """The running day and the 34 before it."""
    provider = make_provider(nightly_on=TODAY - DAY)

    [run] = request_nightly_syncs(now=NIGHT)

    assert (run.provider, run.trigger) == (provider, SyncRun.Trigger.NIGHTLY)
    assert run.requested_to == TODAY
    assert run.requested_from == TODAY - timedelta(days=34)
    assert NIGHTLY_DAYS == 35
    assert elevenlabs.enqueued == [run.pk]


def test_night_comes_once_a_day(elevenlabs: FakeType) -> None:
    """Ticks that come twice, late, or from two clocks make one run."""
    make_provider(nightly_on=TODAY - DAY)

    runs = [request_nightly_syncs(now=NIGHT + timedelta(minutes=minutes)) for minutes in (0, 0, 1, 600)]

    assert [len(made) for made in runs] == [1, 0, 0, 0]
    assert SyncRun.objects.count() == 1


def test_night_does_not_begin_before_its_time(elevenlabs: FakeType) -> None:
    """Not a microsecond."""
    make_provider(nightly_on=TODAY - DAY)

    assert request_nightly_syncs(now=NIGHT - timedelta(microseconds=1)) == []
    assert len(request_nightly_syncs(now=NIGHT)) == 1


def test_nights_that_were_missed_are_caught_up_by_one(elevenlabs: FakeType) -> None:
    """After a week without a clock the next tick, whenever it comes, makes one run."""
    make_provider(nightly_on=TODAY - 7 * DAY)

    assert len(request_nightly_syncs(now=NOW)) == 1
    assert request_nightly_syncs(now=NOW) == []


def test_paused_provider_is_left_out(elevenlabs: FakeType) -> None:
    """It keeps its night for when it is resumed."""
    make_provider(nightly_on=TODAY - DAY, paused_at=NOW)

    assert request_nightly_syncs(now=NIGHT) == []
    assert Provider.objects.get().nightly_on == TODAY - DAY


def test_night_whose_run_is_unfinished_the_next_day_has_a_run_of_its_own(elevenlabs: FakeType) -> None:
    """The two cover different days."""
    make_provider(nightly_on=TODAY - DAY)

    request_nightly_syncs(now=NIGHT)
    [second] = request_nightly_syncs(now=NIGHT + DAY)

    assert second.requested_to == TODAY + DAY
    assert SyncRun.objects.unfinished().count() == 2


def test_queue_that_is_down_loses_no_night(elevenlabs: FakeType) -> None:
    """The run is a row, and waits for the sweep."""
    make_provider(nightly_on=TODAY - DAY)
    elevenlabs.queue_is_down = True

    [run] = request_nightly_syncs(now=NIGHT)

    run.refresh_from_db()
    assert (run.enqueued_at, run.is_finished) == (None, False)


# --- The hour ---------------------------------------------------------------------------------------------------------


def test_hourly_syncs_are_spread_over_five_minutes(elevenlabs: FakeType) -> None:
    """Each provider has a moment of its own, the same every hour."""
    providers = [make_provider() for _number in range(40)]
    hour = NOW.replace(minute=0)

    moments = [next_hourly_sync(provider, NOW) - hour - timedelta(hours=1) for provider in providers]

    assert all(timedelta() <= moment < timedelta(seconds=SPREAD_SECONDS) for moment in moments)
    assert len(set(moments)) == len(moments)
    assert max(moments) - min(moments) > timedelta(seconds=200)
    later = [next_hourly_sync(provider, NOW + timedelta(hours=5)) for provider in providers]
    assert [moment - hour - timedelta(hours=6) for moment in later] == moments


def test_provider_is_due_once_an_hour_whatever_ticks(elevenlabs: FakeType) -> None:
    """With a tick every ten seconds for three hours, three runs."""
    provider = make_provider(next_due_at=NOW)
    made = 0
    for seconds in range(0, 3 * 3600, 10):
        for _clock in range(2):
            runs = request_hourly_syncs(now=NOW.replace(minute=0) + timedelta(hours=1, seconds=seconds))
            made += len(runs)
            SyncRun.objects.filter(provider=provider).delete()

    assert 3 <= made <= 4  # the first tick also catches up the one that was due before


# --- Not for ever -----------------------------------------------------------------------------------------------------


@pytest.fixture
def here() -> Iterator[Simulated]:
    with simulated(first_day=TODAY - timedelta(days=9)) as made:
        made.sync()
        yield made


def test_refused_key_pauses_its_provider_after_three_days(here: Simulated) -> None:
    """Until then it is tried on; the page's reason says since when, and the hour passes it over."""
    del here.server.keys[SIMULATED_API_KEY]
    here.sync()
    for _day in range(2):
        here.clock.move(hours=24)
        here.sync()
        assert here.provider.paused_at is None

    here.clock.move(hours=24)
    here.sync()

    assert here.provider.paused_at == here.clock()
    assert "refused for three days" in here.provider.pause_reason
    assert "was revoked" in here.provider.pause_reason
    assert request_hourly_syncs(now=here.clock() + timedelta(hours=2)) == []


@pytest.mark.parametrize("fault", [faults.ErrorStatus(503), faults.Html(200)], ids=["down", "drift"])
def test_other_failures_never_pause(here: Simulated, fault: faults.Fault) -> None:
    """What is not the key's fault may end by itself."""
    here.server.faults.add(USAGE_PATH, fault, times=None)

    for _day in range(5):
        here.clock.move(hours=24)
        here.sync()

    assert here.provider.paused_at is None


def test_success_in_between_begins_the_three_days_anew(here: Simulated) -> None:
    """Three days of refusal, not three refusals."""
    permissions = here.server.keys.pop(SIMULATED_API_KEY)
    here.sync()
    here.clock.move(hours=60)
    here.server.keys[SIMULATED_API_KEY] = permissions
    here.sync()
    del here.server.keys[SIMULATED_API_KEY]

    here.clock.move(hours=24)
    here.sync()

    assert here.provider.paused_at is None
    assert here.provider.refused_since == here.clock()


def test_good_key_ends_the_pause_and_the_gap(here: Simulated) -> None:
    """Tried before it is stored; then the missed days come in, and no day twice."""
    replacement = ApiKey("sk_" + "ab12" * 12)
    permissions = here.server.keys.pop(SIMULATED_API_KEY)
    here.sync()
    here.clock.move(hours=4 * 24)
    here.sync()
    assert here.provider.paused_at is not None
    with pytest.raises(KeyRefusedError):
        replace_key(provider=here.provider, api_key=replacement, now=here.clock())
    here.provider.refresh_from_db()
    assert here.provider.api_key.reveal() == SIMULATED_API_KEY

    here.server.keys[replacement.reveal()] = permissions
    run = replace_key(provider=here.provider, api_key=replacement, now=here.clock(), confirmed_same_workspace=True)
    ended = here.carry_out(run)

    assert ended is not None
    assert ended.outcome == SyncRun.Outcome.SUCCEEDED
    here.provider.refresh_from_db()
    assert here.provider.status(here.clock()) == Provider.Status.CONNECTED
    assert here.provider.pause_reason == ""
    assert here.exported == here.expected


def test_pause_of_a_person_outlives_a_new_key(here: Simulated) -> None:
    """Only the pause that the refusals caused ends with them."""
    here.provider.paused_at = NOW
    here.provider.save()
    replacement = "sk_" + "ab12" * 12
    here.server.keys[replacement] = here.server.keys[SIMULATED_API_KEY]

    replace_key(provider=here.provider, api_key=ApiKey(replacement), now=here.clock(), confirmed_same_workspace=True)

    here.provider.refresh_from_db()
    assert here.provider.paused_at == NOW
