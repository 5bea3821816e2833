"""Charts of long ranges take days together by the week or month, and say what they know of each."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from core.days import DateRange
from costs.models import DailyUsage
from costs.reports.days import Step, mark_days
from costs.usage.coverage import Coverage, Reading, coverage
from tests.factories import (
    NOW,
    TODAY,
    derive,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
)
from tests.pages import download, page_of

MONDAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("length", "step"), [(1, Step.DAY), (92, Step.DAY), (93, Step.WEEK), (371, Step.WEEK), (372, Step.MONTH)]
)
def test_step_follows_the_length_of_the_range(length: int, step: Step) -> None:
    """So that a chart has at most about a hundred bars."""
    assert Step.of(DateRange(TODAY - timedelta(days=length - 1), TODAY)) is step


def test_first_and_last_step_are_cut_where_the_range_is() -> None:
    """The weeks between are whole, from Monday to Sunday."""
    weeks = Step.WEEK.within(DateRange(MONDAY + timedelta(days=2), MONDAY + timedelta(days=15)))

    assert [week.days for week in weeks] == ["4–8 Nov 2026", "9–15 Nov 2026", "16–17 Nov 2026"]


def test_week_is_only_as_known_as_its_days() -> None:
    """Part of the first was read; a day of the second may still be restated; nothing of the third is known."""
    days = [MONDAY + timedelta(days=number) for number in range(21)]
    read = frozenset((*days[:3], *days[7:14]))
    unread = (*days[3:7], *days[14:])
    known = Coverage(read=read, since=days[0], finished=read, provisional=frozenset(days[13:14]), unread=unread)

    weeks = mark_days({}, DateRange(days[0], days[-1]), known, step=Step.WEEK)

    assert [(week.reading, week.is_provisional) for week in weeks] == [
        (Reading.PART, False),
        (Reading.WHOLE, True),
        (Reading.NONE, False),
    ]


def test_first_week_begins_with_the_first_day_that_is_known() -> None:
    """What was before the provider was connected is not missing."""
    read = frozenset(MONDAY + timedelta(days=number) for number in range(3, 7))
    before = tuple(MONDAY + timedelta(days=number) for number in range(3))

    known = Coverage(read=read, since=min(read), finished=read, unread=before)

    (week,) = mark_days({}, Step.WEEK.around(MONDAY), known, step=Step.WEEK)

    assert (week.days.days, week.reading) == ("5–8 Nov 2026", Reading.WHOLE)


@pytest.mark.django_db
def test_week_in_which_a_second_provider_was_connected_is_whole_and_partly_known() -> None:
    """What it lacks is missing: the first provider's days before count in the same sum."""
    first, second = make_provider(), make_provider()
    make_read_days(provider=first, first=MONDAY - timedelta(days=7), last=TODAY)
    make_read_days(provider=second, first=MONDAY + timedelta(days=3), last=TODAY)
    week = Step.WEEK.around(MONDAY)

    (marked,) = mark_days({}, week, coverage([first, second], week, today=TODAY), step=Step.WEEK)

    assert (marked.days, marked.reading) == (week, Reading.PART)


@pytest.fixture
def acme(db: None) -> None:
    """$1 a day from 1 July on."""
    provider = make_provider()
    make_read_days(provider=provider, first=date(2026, 7, 1), last=TODAY)
    key = make_project(provider=provider)
    make_assignment(project=key, company=make_company(name="Acme"))
    DailyUsage.objects.bulk_create(
        DailyUsage(project=key, day=day, cost=Decimal(1), currency="usd", updated_at=NOW)
        for day in DateRange(date(2026, 7, 1), TODAY)
    )
    derive([key.pk])


@pytest.mark.parametrize(
    ("query", "step", "rows"), [("", "week", 21), ("&step=month", "month", 5), ("&step=day", "day", 145)]
)
def test_page_and_file_show_the_same_steps(signed_in: Client, acme: None, query: str, step: str, rows: int) -> None:
    """By the length of the range, or as the address says; they add up to every day."""
    url = f"/?from=2026-07-01&to={TODAY.isoformat()}{query}"

    page, lines = page_of(signed_in, url), download(signed_in, f"{url}&csv=days")

    assert f"Spend per {step}" in page
    assert len({line[step.capitalize()] for line in lines}) == rows
    assert sum(Decimal(line["Total (USD)"]) for line in lines) == 145
