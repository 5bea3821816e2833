"""Days and clocks: UTC days, none missed and none read twice, whatever the clock does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from costs.models import ReadDay
from providers.models import SyncRun
from tests.elevenlabs_sync.worlds import NOW, Clock, World, milliseconds, world

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
SUCCEEDED = SyncRun.Outcome.SUCCEEDED


@pytest.mark.parametrize(
    ("now", "last", "end"),
    [
        (
            datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC),
            date(2026, 11, 22),
            milliseconds(date(2026, 11, 23)) - 1,
        ),
        (datetime(2026, 11, 23, tzinfo=UTC), date(2026, 11, 23), milliseconds(date(2026, 11, 23))),
        (datetime(2026, 11, 23, 0, 0, 0, 1999, tzinfo=UTC), date(2026, 11, 23), milliseconds(date(2026, 11, 23)) + 1),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), date(2028, 2, 29), milliseconds(date(2028, 2, 29), hours=12)),
        (datetime(2028, 3, 1, tzinfo=UTC), date(2028, 3, 1), milliseconds(date(2028, 3, 1))),
        (datetime(2027, 1, 1, tzinfo=UTC), date(2027, 1, 1), milliseconds(date(2027, 1, 1))),
    ],
    ids=str,
)
def test_days_are_utc_days_up_to_the_moment(now: datetime, last: date, end: int) -> None:
    """The running day is asked for up to now, from its very beginning, and no day is missed or read twice."""
    with world(first_day=now.date() - timedelta(days=3), now=now) as here:
        run = here.sync()

        assert run.window_to == last
        assert here.usage_requests[0]["end_time"] == end
        assert here.stored == here.truth
        assert ReadDay.objects.filter(provider=here.provider).latest("day").day == last


def test_day_that_was_read_before_its_end_is_read_again(here: World) -> None:
    """A day read a microsecond before midnight is not complete."""
    here.clock.now = datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC)
    here.sync()
    here.clock.now = datetime(2026, 11, 23, tzinfo=UTC)

    here.sync()

    assert here.stored == here.truth
    assert ReadDay.objects.get(provider=here.provider, day=TODAY).is_over


@pytest.mark.parametrize("jump", [-1, 1])
def test_clock_that_jumps_by_a_day_and_back_leaves_no_gap_and_no_double(here: World, jump: int) -> None:
    """With our clock wrong for one sync, the next right one has the truth."""
    here.sync()
    here.clock = Clock(here.server_clock() + timedelta(days=jump))
    here.sync()
    here.clock = here.server_clock
    here.clock.move(hours=1)

    here.sync()

    assert here.stored == here.truth


def test_clock_that_jumps_back_behind_a_named_window_is_no_error(here: World) -> None:
    """A window that lies in the future by the time it is read has no usage yet."""
    run = here.run(requested_from=TODAY, requested_to=TODAY)
    here.clock = Clock(NOW - timedelta(days=1))

    ended = here.carry_out(run)

    assert ended is not None
    assert ended.outcome == SUCCEEDED


def test_midnight_in_the_middle_of_a_sync_leaves_no_gap(long: World) -> None:
    """A day that ends while it is read is read to its end by the next sync."""
    long.clock.now = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    run = long.run()
    long.carry_out(run, on_progress=lambda _progress: long.clock.move(seconds=2))
    long.clock.move(hours=1)

    long.sync()

    assert long.stored == long.truth
