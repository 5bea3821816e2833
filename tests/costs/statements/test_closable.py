"""When a month may be closed, and what it waits for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.months import days_of
from costs.models import (
    ClosedMonth,
    Statement,
    end_of,
)
from costs.pages.closing_words import final_warnings, status_label
from costs.statements.closing import (
    AlreadyClosedError,
    NotClosableError,
    State,
    month_statuses,
)
from tests.costs.worlds import (
    AUGUST,
    HALLOWEEN,
    LATER,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    close,
    lines,
    make_key,
    make_settled,
    not_closable,
    status,
    why,
)
from tests.factories import (
    NOW,
    make_company,
    make_provider,
    make_read_days,
    make_usage,
)

pytestmark = pytest.mark.django_db


def test_settled_month_is_ready() -> None:
    """Every day of it was read seven days after its end or later."""
    make_settled()

    assert (status().state, status_label(status()), status().reasons) == (State.READY, "Ready to close", ())


def test_month_that_is_not_over_is_open() -> None:
    """With the day from which on it can be closed."""
    make_settled()

    assert status(NOVEMBER).state is State.OPEN
    assert why(NOVEMBER) == ["November 2026 is not over yet. It can be closed from 8 Dec 2026 on."]


@pytest.mark.parametrize(
    ("now", "read", "label", "reason"),
    [
        (
            datetime(2026, 11, 6, 12, tzinfo=UTC),
            None,
            "Settling until 8 Nov 2026",
            "Production: 3 days of October 2026 have not settled yet; they settle on 8 Nov 2026.",
        ),
        (
            datetime(2026, 11, 9, tzinfo=UTC),
            None,
            "Waiting for a sync",
            (
                "Production: 3 days of October 2026 have not been read since they settled. The next sync that succeeds "
                "reads them."
            ),
        ),
        (
            datetime(2026, 11, 7, 23, 59, tzinfo=UTC),
            date(2026, 10, 30),
            "Settling until 8 Nov 2026",
            "Production: 1 day of October 2026 has not settled yet; it settles on 8 Nov 2026.",
        ),
        (
            datetime(2026, 11, 8, tzinfo=UTC),
            date(2026, 10, 30),
            "Waiting for a sync",
            (
                "Production: 1 day of October 2026 has not been read since it settled. The next sync that succeeds "
                "reads it."
            ),
        ),
    ],
)
def test_month_with_unsettled_days_says_whose_and_until_when(
    now: datetime, read: date | None, label: str, reason: str
) -> None:
    """Before the moment it waits for time, after it for a sync."""
    provider = make_settled(AUGUST, read or date(2026, 10, 28), name="Production")
    for day in days_of(OCTOBER):
        if day > (read or date(2026, 10, 28)) and day != HALLOWEEN:
            make_read_days(provider=provider, first=day, last=day, read_at=end_of(day) + timedelta(days=6, hours=23))

    assert (status_label(status(now=now)), why(now=now)) == (label, [reason])
    with not_closable("Production: "):
        close(now=now)
    assert not ClosedMonth.objects.exists()


def test_paused_provider_says_what_to_do() -> None:
    """Nothing reads its days by itself."""
    make_settled(AUGUST, date(2026, 10, 30), name="Production", paused_at=NOW)

    (reason,) = why()

    assert reason.endswith("Resume its syncing to read it, or disconnect it to close without.")


def test_month_before_a_providers_history_is_read_before_it_is_closed() -> None:
    """Nobody knows whether the workspace was used then."""
    make_settled(AUGUST)
    make_settled(date(2026, 11, 1), date(2026, 11, 10), name="New")

    assert (status().state, status_label(status())) == (State.WAITING, "Not read")
    (reason,) = why()
    assert reason == (
        "New: 31 days of October 2026 have not been read: its history begins on 1 Nov 2026. "
        "Re-sync them on its page, under Manage."
    )


def test_month_that_a_providers_history_begins_in_is_read_whole_before_it_is_closed() -> None:
    """A statement would be frozen without the usage of days that nobody has read."""
    make_settled(AUGUST)
    make_settled(date(2026, 10, 20), name="New")

    assert status().state is State.WAITING
    (reason,) = why()
    assert reason == (
        "New: 19 days of October 2026 have not been read: its history begins on 20 Oct 2026. "
        "Re-sync them on its page, under Manage."
    )


def test_disconnected_provider_keeps_no_month_open_and_is_warned_of() -> None:
    """What was read of it is final; days after its end are none of its."""
    make_settled(AUGUST, date(2026, 10, 13), name="Old", disconnected_at=datetime(2026, 10, 20, 9, tzinfo=UTC))

    assert status().state is State.READY
    (warning,) = final_warnings(status())
    assert warning == (
        "Old was disconnected on 20 Oct 2026: 7 days of October 2026 were not read after settling. "
        "What was read until then is final."
    )


def test_every_provider_has_to_be_settled() -> None:
    """One is not enough."""
    make_settled()
    make_provider(name="New", history_from=date(2026, 10, 31))

    assert [reason.split(":")[0] for reason in why()] == ["New"]


def test_first_close_may_be_any_month_and_then_they_are_closed_in_order() -> None:
    """A month before the first one is never closed, one after the next has to wait."""
    make_settled(AUGUST, days_of(NOVEMBER).last)
    close(SEPTEMBER)

    assert [status(month, LATER).state for month in (AUGUST, SEPTEMBER, OCTOBER, NOVEMBER)] == [
        State.WAITING,
        State.CLOSED,
        State.READY,
        State.WAITING,
    ]
    assert why(NOVEMBER, LATER) == ["Close October 2026 first: months are closed in order."]
    assert why(AUGUST, LATER) == ["Months are closed in order, and September 2026 is closed already."]
    for month in (AUGUST, NOVEMBER):
        with pytest.raises(NotClosableError):
            close(month, LATER)
    assert ClosedMonth.objects.count() == 1


def test_month_of_which_nothing_is_known_is_not_closed() -> None:
    """Else all that follow would have to be, one by one."""
    make_settled()

    with not_closable("Nothing is known of May 2021"):
        close(date(2021, 5, 1))


def test_nothing_can_be_closed_without_a_provider() -> None:
    """There is nothing to be closed."""
    assert status().state is State.WAITING
    with not_closable("Nothing is known"):
        close()


def test_months_go_on_being_closed_after_a_provider_was_deleted() -> None:
    """Its usage is gone; the next statement says so."""
    acme = make_company()
    key = make_key(acme)
    make_usage(project=key, day=SEPTEMBER, cost=Decimal(3))
    close(SEPTEMBER)
    key.provider.delete()

    close(OCTOBER)

    assert lines(acme, OCTOBER) == [("adjustment", SEPTEMBER, Decimal(-3))]


def test_month_is_closed_once() -> None:
    """The second of two operators is told, and nothing changes."""
    make_usage(project=make_key(make_company()), day=OCTOBER)
    first = close()

    with not_closable("October 2026 is already closed.", AlreadyClosedError):
        close()

    assert ClosedMonth.objects.get() == first
    assert Statement.objects.count() == 1


def test_statuses_of_two_years_cost_few_queries(django_assert_max_num_queries: Any) -> None:
    """However many months and providers."""
    providers = [make_settled(date(2026, 1, 1)) for _ in range(3)]
    close(SEPTEMBER)

    with django_assert_max_num_queries(4):
        month_statuses([OCTOBER, SEPTEMBER, AUGUST, date(2025, 7, 1)], providers=providers, now=NOW)
