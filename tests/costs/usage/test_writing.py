"""The one write path: the stored rows of a window become what the answer says, and nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from costs.models import DailyUsage, ReadDay
from costs.usage.writing import Usage, Written
from providers.models import Project, Provider
from tests.costs.usage.answers import NOW, OLD, TODAY, stored, usage, versions, write
from tests.factories import make_project, make_provider
from tests.properties import tried_by_both
from tests.statements import written_out

pytestmark = pytest.mark.django_db


# --- New, changed, unchanged ------------------------------------------------------------------------------------------


def test_new_rows_are_inserted() -> None:
    """A row is stored with every figure, unknown ones as NULL."""
    project = make_project()
    written = write(project.provider, usage(project), usage(project, model="", cost=None, minutes=None, requests=None))

    assert written == Written(inserted=2, changed=0, unchanged=0)
    assert stored(project.provider) == {
        (project.pk, OLD, "m"): (Decimal(100), Decimal("1.5"), 3, Decimal("0.02"), "usd"),
        (project.pk, OLD, ""): (Decimal(100), None, None, None, ""),
    }


def test_row_says_when_it_was_read() -> None:
    """``updated_at`` is the moment the answer was asked for."""
    project = make_project()

    write(project.provider, usage(project))

    assert DailyUsage.objects.get().updated_at == NOW


def test_largest_figures_are_stored_exactly() -> None:
    """The bounds of the reader fit the columns of both engines."""
    project = make_project()
    largest = usage(
        project,
        credits=Decimal("922337203685477.5807"),
        minutes=Decimal("9223372036854.775807"),
        requests=9_223_372_036_854_775_807,
        cost=Decimal("922337203.6854775807"),
    )

    write(project.provider, largest)

    assert list(stored(project.provider).values()) == [
        (largest.credits, largest.minutes, largest.requests, largest.cost, "usd")
    ]


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "a\rb", "\\N", "\\.", "a\\tb", "名前", "a'b\"c", "100%", " x "])
def test_model_ids_are_stored_as_they_are(text: str) -> None:
    """No character of an id means anything on the way to the table."""
    project = make_project()

    write(project.provider, usage(project, model=text))

    assert DailyUsage.objects.get().model == text


def test_repeated_answer_writes_nothing() -> None:
    """The same figures again are all unchanged, and no row is touched."""
    project = make_project()
    rows = [usage(project), usage(project, model="", cost=None), usage(project, model="x", credits=None)]
    write(project.provider, *rows)
    before = versions(project.provider)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        written = write(project.provider, *rows, read_at=NOW + timedelta(hours=1))

    assert written == Written(inserted=0, changed=0, unchanged=3)
    assert versions(project.provider) == before
    assert not [query for query in queries if "INTO costs_dailyusage" in written_out(query["sql"])]


@pytest.mark.parametrize(
    "change",
    [
        {"credits": Decimal("100.0001")},
        {"credits": None},
        {"minutes": Decimal("1.500001")},
        {"requests": 4},
        {"requests": None},
        {"cost": Decimal("0.0200000001")},
        {"currency": "eur"},
    ],
    ids=str,
)
def test_changed_figure_is_updated(change: dict[str, Any]) -> None:
    """Any figure that differs, by its last digit or from known to unknown, is brought in line."""
    project = make_project()
    write(project.provider, usage(project), usage(project, model="same"))
    later = NOW + timedelta(hours=1)

    written = write(
        project.provider,
        usage(project, **change),
        usage(project, model="same"),
        read_at=later,
        accept_implausible=True,
    )

    assert written == Written(inserted=0, changed=1, unchanged=1)
    assert DailyUsage.objects.get(updated_at=later).model == "m"
    expected = usage(project, **change)
    assert stored(project.provider)[project.pk, OLD, "m"] == (
        expected.credits,
        expected.minutes,
        expected.requests,
        expected.cost,
        expected.currency,
    )


def test_unpriced_row_is_priced_once() -> None:
    """A cost that arrives late updates the row, in its currency, and is then unchanged."""
    project = make_project()
    write(project.provider, usage(project, cost=None))

    priced = write(project.provider, usage(project))
    again = write(project.provider, usage(project))

    assert (priced, again) == (Written(0, 1, 0), Written(0, 0, 1))
    assert [row[3:] for row in stored(project.provider).values()] == [(Decimal("0.02"), "usd")]


def test_change_of_currency_replaces_the_row() -> None:
    """The currency is a fact about the row: usage is never counted in two currencies."""
    project = make_project()
    write(project.provider, usage(project))

    write(project.provider, usage(project, cost=Decimal(5), currency="inr"))

    assert [row[3:] for row in stored(project.provider).values()] == [(Decimal(5), "inr")]


def test_estimate_gives_way_to_a_reported_cost() -> None:
    """A reported cost is not marked as estimated."""
    project = make_project()
    write(project.provider, usage(project, cost=None))
    DailyUsage.objects.update(cost=Decimal("0.01"), currency="usd", estimated=True)

    write(project.provider, usage(project))

    assert DailyUsage.objects.get().estimated is False


# --- Vanished rows ----------------------------------------------------------------------------------------------------


def test_vanished_row_becomes_zero_and_unknown_stays_unknown() -> None:
    """What an answer of the whole window leaves out was not used."""
    project = make_project()
    write(project.provider, usage(project), usage(project, model="gone", minutes=None), usage(project, model="x"))

    written = write(project.provider, usage(project), usage(project, model="x"))

    assert written == Written(inserted=0, changed=1, unchanged=2)
    assert stored(project.provider)[project.pk, OLD, "gone"] == (0, None, 0, 0, "usd")


def test_vanished_unpriced_row_keeps_its_unknown_cost() -> None:
    """A zero that was never priced is no price of zero."""
    project = make_project()
    write(project.provider, usage(project, cost=None), usage(project, model="x"), usage(project, model="y"))

    write(project.provider, usage(project, model="x"), usage(project, model="y"))

    assert stored(project.provider)[project.pk, OLD, "m"] == (0, Decimal(0), 0, None, "")


def test_row_of_zeros_is_not_touched_again() -> None:
    """A row that has become zero is not written at each sync."""
    project = make_project()
    write(project.provider, usage(project), usage(project, model="gone"))
    write(project.provider, usage(project))
    before = versions(project.provider)

    written = write(project.provider, usage(project), read_at=NOW + timedelta(hours=1))

    assert written == Written(inserted=0, changed=0, unchanged=1)
    assert versions(project.provider) == before


def test_row_of_zeros_comes_back() -> None:
    """What vanished and is reported again stands as reported, in one row."""
    project = make_project()
    write(project.provider, usage(project), usage(project, model="gone"))
    write(project.provider, usage(project))

    written = write(project.provider, usage(project), usage(project, model="gone"))

    assert written == Written(inserted=0, changed=1, unchanged=1)
    assert stored(project.provider)[project.pk, OLD, "gone"][0] == 100


def test_days_outside_the_window_stay() -> None:
    """Only the days that were asked for are brought in line."""
    project = make_project()
    days = [OLD - timedelta(days=1), OLD, OLD + timedelta(days=1)]
    write(project.provider, *(usage(project, day=day) for day in days), first=days[0], last=days[2])

    write(project.provider, accept_implausible=True)

    assert [row[0] for _identity, row in sorted(stored(project.provider).items())] == [100, 0, 100]


def test_other_providers_rows_stay() -> None:
    """An answer speaks for its own workspace."""
    mine, other = make_project(), make_project()
    write(mine.provider, usage(mine))
    write(other.provider, usage(other))

    write(mine.provider, accept_implausible=True)

    assert [row[0] for row in stored(other.provider).values()] == [100]


# --- Days -------------------------------------------------------------------------------------------------------------


def test_each_day_of_the_window_counts_as_read() -> None:
    """A day without rows was read as well: its usage is 0, not unknown."""
    provider = make_provider()

    write(provider, first=date(2028, 2, 28), last=date(2028, 3, 1))

    assert list(ReadDay.objects.values_list("day", "read_at")) == [
        (date(2028, 2, 28), NOW),
        (date(2028, 2, 29), NOW),
        (date(2028, 3, 1), NOW),
    ]


def test_day_read_again_says_when_last() -> None:
    """A day has one row that says when it was read last."""
    provider = make_provider()
    write(provider)

    write(provider, read_at=NOW + timedelta(hours=1))

    assert [reading.read_at for reading in ReadDay.objects.all()] == [NOW + timedelta(hours=1)]


def test_days_of_use_follow_the_rows() -> None:
    """First and last use of a key are those of its rows above zero."""
    project = make_project()
    days = [OLD, OLD + timedelta(days=1), OLD + timedelta(days=2)]
    window: dict[str, Any] = {"first": days[0], "last": days[2]}
    write(project.provider, *(usage(project, day=day) for day in days), **window)

    write(project.provider, usage(project, day=days[1]), accept_implausible=True, **window)

    project.refresh_from_db()
    assert (project.first_used_on, project.last_used_on) == (days[1], days[1])


def test_key_whose_rows_all_vanished_was_never_used() -> None:
    """Without a row above zero there is no day of use."""
    project = make_project()
    write(project.provider, usage(project))

    write(project.provider, accept_implausible=True)

    project.refresh_from_db()
    assert (project.first_used_on, project.last_used_on) == (None, None)


# --- All or nothing ---------------------------------------------------------------------------------------------------


def test_refused_row_leaves_the_window_as_it_was() -> None:
    """When one row can't be stored, none is, and no day counts as read."""
    project = make_project()
    write(project.provider, usage(project))
    before = stored(project.provider)

    with pytest.raises(ValueError, match="not exact"), transaction.atomic():
        write(project.provider, usage(project, credits=Decimal(7)), usage(project, model="x", cost=Decimal("1e-11")))

    assert stored(project.provider) == before
    assert ReadDay.objects.count() == 1


def test_two_rows_of_one_identity_are_refused() -> None:
    """The reader adds up duplicates; one that gets here would be counted wrongly, so nothing is stored."""
    project = make_project()

    with pytest.raises(DatabaseError), transaction.atomic():
        write(project.provider, usage(project), usage(project))

    assert stored(project.provider) == {}


def test_several_windows_can_be_written_in_one_transaction() -> None:
    """The temporary table does not outlive its write."""
    project = make_project()

    with transaction.atomic():
        write(project.provider, usage(project))
        write(project.provider, usage(project, day=TODAY), first=TODAY, last=TODAY)

    assert len(stored(project.provider)) == 2


# --- Any sequence of answers ------------------------------------------------------------------------------------------

_FIRST = date(2026, 2, 26)
_DAYS = [_FIRST + timedelta(days=offset) for offset in range(5)]


def _is_used(figures: Sequence[Any]) -> bool:
    """A figure above zero, or none that is known."""
    return any(figures) or all(figure is None for figure in figures)


_FIGURES = st.tuples(
    st.none() | st.integers(0, 3).map(Decimal),
    st.none() | st.integers(0, 2).map(Decimal),
    st.none() | st.integers(0, 2),
    st.none() | st.sampled_from([Decimal(0), Decimal("0.0000000001"), Decimal("7.5")]),
).filter(_is_used)
_IDENTITIES = st.tuples(st.integers(0, 1), st.sampled_from(_DAYS), st.sampled_from(["", "m", "n"]))


@st.composite
def _answers(draw: st.DrawFn) -> tuple[date, date, dict[tuple[int, date, str], Any]]:
    """A window and all that its answer holds: by key's number, day and model."""
    first, last = sorted(draw(st.tuples(st.sampled_from(_DAYS), st.sampled_from(_DAYS))))
    rows = draw(st.dictionaries(_IDENTITIES, _FIGURES, max_size=8))
    return first, last, {identity: figures for identity, figures in rows.items() if first <= identity[1] <= last}


def _rows(projects: list[Project], found: Mapping[tuple[int, date, str], Any]) -> list[Usage]:
    return [
        usage(
            projects[number],
            day=day,
            model=model,
            credits=figures[0],
            minutes=figures[1],
            requests=figures[2],
            cost=figures[3],
        )
        for (number, day, model), figures in found.items()
    ]


def _nonzero(provider: Provider, projects: list[Project]) -> dict[tuple[int, date, str], Any]:
    numbers = {project.pk: number for number, project in enumerate(projects)}
    return {
        (numbers[pk], day, model): figures
        for (pk, day, model), figures in stored(provider).items()
        if _is_used(figures[:4])
    }


@tried_by_both(60)
@given(st.lists(_answers(), min_size=1, max_size=6))
def test_any_sequence_of_answers_leaves_the_latest_truth(
    answers: list[tuple[date, date, dict[tuple[int, date, str], Any]]],
) -> None:
    """Overlapping answers leave what the latest truth alone gives, the counts add up, and repeats write nothing."""
    provider, fresh = make_provider(), make_provider()
    projects = [make_project(provider=provider) for _ in range(2)]
    twins = [make_project(provider=fresh) for _ in range(2)]
    truth: dict[tuple[int, date, str], Any] = {}

    for number, (first, last, found) in enumerate(answers):
        in_window = {identity for identity in truth if first <= identity[1] <= last}
        moment = NOW + timedelta(hours=number)
        window: dict[str, Any] = {"first": first, "last": last, "accept_implausible": True}
        written = write(provider, *_rows(projects, found), read_at=moment, **window)
        assert written.inserted + written.changed + written.unchanged == len(found.keys() | in_window)
        assert written.unchanged == sum(truth.get(identity) == figures for identity, figures in found.items())
        truth = {identity: figures for identity, figures in truth.items() if identity not in in_window} | found
        before = versions(provider)
        again = write(provider, *_rows(projects, found), read_at=moment + timedelta(minutes=1), **window)
        assert again == Written(inserted=0, changed=0, unchanged=len(found))
        assert versions(provider) == before

    write(fresh, *_rows(twins, truth), first=_DAYS[0], last=_DAYS[-1])
    assert _nonzero(provider, projects) == _nonzero(fresh, twins)
