"""Which days are read, and in which pieces."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncing.windows import PIECE_DAYS, Window, due_days, pieces

TODAY = date(2026, 11, 22)
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def test_window_counts_both_ends() -> None:
    """A window of one day has the length 1."""
    assert len(Window(TODAY, TODAY)) == 1
    assert len(Window(date(2028, 2, 28), date(2028, 3, 1))) == 3


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (datetime(2026, 11, 22, 12, 30, tzinfo=UTC), datetime(2026, 11, 22, 12, 30, tzinfo=UTC)),
        (
            datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC),
        ),
        (datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),
        (datetime(2027, 1, 1, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),
    ],
    ids=str,
)
def test_bounds_are_whole_days_up_to_now(now: datetime, end: datetime) -> None:
    """The running day ends now, every other one at midnight UTC."""
    window = Window(date(2026, 11, 20), TODAY)

    assert window.bounds(now=now) == (datetime(2026, 11, 20, tzinfo=UTC), end)


@pytest.mark.parametrize("now", [datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 21, 7, tzinfo=UTC)], ids=str)
def test_bounds_are_never_empty(now: datetime) -> None:
    """At midnight, or with a clock that jumped back, there is still something to ask for."""
    start, end = Window(TODAY, TODAY).bounds(now=now)

    assert end - start == timedelta(milliseconds=1)


@given(DAYS, st.integers(1, 400))
def test_halves_are_the_whole(first: date, length: int) -> None:
    """The two halves follow each other, the later one first, and miss nothing."""
    window = Window(first, first + timedelta(days=length))

    later, earlier = window.halves()

    assert (earlier.first, later.last) == (window.first, window.last)
    assert later.first - earlier.last == timedelta(days=1)
    assert abs(len(later) - len(earlier)) <= 1


@given(st.sets(DAYS, max_size=60))
def test_pieces_cover_every_day_once(days: set[date]) -> None:
    """Pieces are at most 30 days long, newest first, do not overlap, begin and end with a day that is due."""
    found = pieces(days)

    covered = [piece.first + timedelta(days=offset) for piece in found for offset in range(len(piece))]
    assert days <= set(covered)
    assert len(covered) == len(set(covered))
    assert all(len(piece) <= PIECE_DAYS for piece in found)
    assert [piece.first for piece in found] == sorted((piece.first for piece in found), reverse=True)
    assert {piece.first for piece in found} | {piece.last for piece in found} <= days


def test_first_sync_reads_the_whole_history() -> None:
    """With nothing read every day since the first is due, newest first."""
    days = due_days(today=TODAY, history_from=TODAY - timedelta(days=364), trailing_days=7, settled=frozenset())

    assert (days[0], days[-1], len(days)) == (TODAY, TODAY - timedelta(days=364), 365)


def test_settled_days_are_not_read_again() -> None:
    """Only the trailing days are, settled or not."""
    settled = frozenset(TODAY - timedelta(days=offset) for offset in range(365))

    days = due_days(today=TODAY, history_from=TODAY - timedelta(days=364), trailing_days=7, settled=settled)

    assert days == [TODAY - timedelta(days=offset) for offset in range(7)]


def test_unsettled_days_are_read_however_old() -> None:
    """A gap that an outage left is due."""
    gap = TODAY - timedelta(days=100)
    settled = frozenset(TODAY - timedelta(days=offset) for offset in range(365)) - {gap}

    days = due_days(today=TODAY, history_from=TODAY - timedelta(days=364), trailing_days=7, settled=settled)

    assert days[7:] == [gap]


def test_days_before_the_history_are_not_read() -> None:
    """But the trailing days always are, even of a provider whose history begins later."""
    days = due_days(today=TODAY, history_from=TODAY + timedelta(days=5), trailing_days=3, settled=frozenset())

    assert days == [TODAY - timedelta(days=offset) for offset in range(3)]


@given(DAYS, st.integers(0, 800), st.integers(1, 40), st.sets(st.integers(0, 800)))
def test_due_days_are_the_trailing_and_the_unsettled(
    today: date, history: int, trailing: int, settled_ages: set[int]
) -> None:
    """Exactly these, each once."""
    settled = frozenset(today - timedelta(days=age) for age in settled_ages)

    days = due_days(today=today, history_from=today - timedelta(days=history), trailing_days=trailing, settled=settled)

    ages = {(today - day).days for day in days}
    assert ages == set(range(trailing)) | (set(range(history + 1)) - settled_ages)
    assert len(days) == len(ages)
