"""The simulated usage: deterministic, settled days for ever the same, and a cast with every kind of key."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from elevenlabs_sync.simulator import SimulatedWorkspace, UsageRow
from elevenlabs_sync.simulator.cast import (
    DISABLED,
    MODEL_V3_RELEASED,
    NEVER_USED,
    OWN_KEY_OF_A_PERSON,
    RUNS_INTO_A_LOOP,
    SimulatedKey,
)
from elevenlabs_sync.simulator.workspace import PRICED_A_DAY_LATE
from tests.simulation.calls import TODAY, known

ALL_DAYS = (date(2020, 1, 1), date(2030, 1, 1))
TOMORROW = TODAY + timedelta(days=1)


def key_of(workspace: SimulatedWorkspace, slug: str) -> SimulatedKey:
    return next(key for key in workspace.cast if key.slug == slug)


def days_of(rows: Iterable[UsageRow], key_hash: str | None) -> list[date]:
    return [row.day for row in rows if row.key_hash == key_hash]


def test_the_same_arguments_give_the_same_rows() -> None:
    """Two workspaces made alike hold equal usage."""
    first = list(SimulatedWorkspace(TODAY).rows(*ALL_DAYS))

    second = list(SimulatedWorkspace(TODAY).rows(*ALL_DAYS))

    assert first == second
    assert len(first) > 4000


def test_figures_are_the_same_on_every_machine(workspace: SimulatedWorkspace) -> None:
    """Two months of usage have the digest that was pinned when the data were designed."""
    rows = workspace.rows(date(2026, 5, 1), date(2026, 7, 1))

    digest = hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()

    assert digest == "1d8e4797bcb701e07c8f7fdf33b27287e1ddadd12e60a910dd83daae65420ec8"


def test_another_seed_is_another_workspace(workspace: SimulatedWorkspace) -> None:
    """Workspaces with different seeds share neither keys nor totals."""
    other = SimulatedWorkspace(TODAY, seed="other")

    hashes = {row.key_hash for row in workspace.rows(*ALL_DAYS)} - {None}

    assert hashes.isdisjoint(row.key_hash for row in other.rows(*ALL_DAYS))
    assert other.totals(*ALL_DAYS) != workspace.totals(*ALL_DAYS)


@pytest.mark.parametrize("later", [1, 2, 30, 200])
def test_settled_days_do_not_depend_on_today(workspace: SimulatedWorkspace, later: int) -> None:
    """A workspace asked on a later day tells the same about the days that were settled before."""
    future = SimulatedWorkspace(TODAY + timedelta(days=later), 365 + later)

    rows = list(workspace.rows(workspace.first_day, workspace.settled_until))

    assert rows == list(future.rows(workspace.first_day, workspace.settled_until))


def test_today_is_partial(workspace: SimulatedWorkspace) -> None:
    """Today holds less usage now than tomorrow's view of the same day."""
    whole = SimulatedWorkspace(TOMORROW).totals(TODAY, TOMORROW)

    so_far = workspace.totals(TODAY, TOMORROW)

    assert 0 < known(so_far.credits) < known(whole.credits)
    assert 0 < known(so_far.requests) < known(whole.requests)


def test_today_has_no_cost(workspace: SimulatedWorkspace) -> None:
    """Every row of today is unpriced."""
    rows = list(workspace.rows(TODAY, TOMORROW))

    assert {row.cost for row in rows} == {None}
    assert workspace.totals(TODAY, TOMORROW).unpriced_rows == len(rows) > 0


def test_yesterday_is_priced_except_for_one_late_model() -> None:
    """On the day after, only the model that is priced late has no cost."""
    workspace = SimulatedWorkspace(date(2026, 9, 17))

    unpriced = {row.model for row in workspace.rows(date(2026, 9, 16), date(2026, 9, 17)) if row.cost is None}

    assert unpriced == {PRICED_A_DAY_LATE.model_id}


def test_settled_days_are_priced(workspace: SimulatedWorkspace) -> None:
    """No row of a settled day lacks its cost."""
    totals = workspace.totals(workspace.first_day, workspace.settled_until)

    assert totals.unpriced_rows == 0
    assert totals.cost > 1000


def test_usage_is_bounded_by_history_and_today() -> None:
    """There is no usage before the history begins or after today."""
    workspace = SimulatedWorkspace(TODAY, 10)

    days = {row.day for row in workspace.rows(*ALL_DAYS)}

    assert min(days) == TODAY - timedelta(days=10)
    assert max(days) == TODAY


def test_a_history_of_negative_length_is_refused() -> None:
    """A workspace can't begin after today."""
    with pytest.raises(ValueError, match="history_days"):
        SimulatedWorkspace(TODAY, -1)


def test_rows_are_half_open(workspace: SimulatedWorkspace) -> None:
    """The end of a range is not part of it, so ranges that touch add up."""
    start, middle, end = date(2026, 8, 1), date(2026, 8, 11), date(2026, 8, 21)

    parts = [workspace.totals(start, middle).cost, workspace.totals(middle, end).cost]

    assert sum(parts) == workspace.totals(start, end).cost


def test_costs_are_exact_decimals_with_realistic_digits(workspace: SimulatedWorkspace) -> None:
    """A cost is a Decimal with up to six decimals, and most use more than cents."""
    costs = [row.cost for row in workspace.rows(*ALL_DAYS) if row.cost is not None]

    beyond_cents = [cost for cost in costs if cost != cost.quantize(Decimal("0.01"))]

    assert all(cost == cost.quantize(Decimal("0.000001")) > 0 for cost in costs)
    assert len(beyond_cents) > len(costs) * 0.9


def test_a_listed_key_was_never_used(workspace: SimulatedWorkspace) -> None:
    """One key is listed although nothing was ever done with it."""
    key = key_of(workspace, NEVER_USED)

    days = days_of(workspace.rows(*ALL_DAYS), workspace.key_hash(key))

    assert key in workspace.listed_keys()
    assert days == []


def test_a_disabled_key_has_history_and_stopped(workspace: SimulatedWorkspace) -> None:
    """The disabled key is listed, was used before and not since."""
    key = key_of(workspace, DISABLED)

    days = days_of(workspace.rows(*ALL_DAYS), workspace.key_hash(key))

    assert key in workspace.listed_keys()
    assert key.disabled_on is not None
    assert workspace.first_day <= min(days) <= max(days) < key.disabled_on < TODAY


@pytest.mark.parametrize("today", [date(2026, 3, 1), date(2026, 9, 20), date(2028, 2, 29), date(2030, 12, 31)])
def test_a_deleted_key_is_only_history(today: date) -> None:
    """In every year some key was used within the last year and is not listed any more."""
    workspace = SimulatedWorkspace(today)
    used = {row.key_hash for row in workspace.rows(*ALL_DAYS)}

    deleted = [key for key in workspace.cast if key.deleted_on is not None and key.deleted_on <= today]

    assert any(workspace.key_hash(key) in used for key in deleted)
    assert not set(deleted) & set(workspace.listed_keys())


def test_a_new_key_starts_in_the_middle_of_the_year(workspace: SimulatedWorkspace) -> None:
    """This year's campaign key is listed and has no usage before May."""
    key = key_of(workspace, "juniper-campaign-2026")

    days = days_of(workspace.rows(*ALL_DAYS), workspace.key_hash(key))

    assert key in workspace.listed_keys()
    assert min(days) == date(2026, 5, 15)


def test_a_persons_own_key_is_used_but_never_listed(workspace: SimulatedWorkspace) -> None:
    """A user's own key appears through usage alone."""
    key = key_of(workspace, OWN_KEY_OF_A_PERSON)

    days = days_of(workspace.rows(*ALL_DAYS), workspace.key_hash(key))

    assert key not in workspace.listed_keys()
    assert len(days) > 50


def test_some_usage_has_no_key(workspace: SimulatedWorkspace) -> None:
    """Usage of the web app has neither a hash nor a name."""
    keyless = [row for row in workspace.rows(*ALL_DAYS) if row.key_hash is None]

    assert len(keyless) > 50
    assert {row.key_name for row in keyless} == {None}


def test_a_model_appears_later_in_the_year(workspace: SimulatedWorkspace) -> None:
    """eleven_v3 has usage from its release on and not before."""
    days = [row.day for row in workspace.rows(*ALL_DAYS) if row.model == "eleven_v3"]

    assert MODEL_V3_RELEASED <= min(days) < MODEL_V3_RELEASED + timedelta(days=7)


def test_weekends_are_quieter_and_business_grows(workspace: SimulatedWorkspace) -> None:
    """The figures have the rhythm of the week and are larger at the end of the year than at its beginning."""
    rows = list(workspace.used(*ALL_DAYS))
    weekdays = sum(row.credits for row in rows if row.day.weekday() < 5) / 5
    weekend = sum(row.credits for row in rows if row.day.weekday() >= 5) / 2

    autumn = workspace.totals(date(2025, 10, 1), date(2025, 11, 1)).credits
    summer = workspace.totals(date(2026, 8, 1), date(2026, 9, 1)).credits

    assert float(weekend) < float(weekdays) * 0.7
    assert known(autumn) < known(summer)


def test_an_incident_is_one_keys_use_of_three_days(workspace: SimulatedWorkspace) -> None:
    """It is many times of what the key uses otherwise, whatever the weekday; nothing else is different."""
    struck = SimulatedWorkspace(TODAY, incident_before=TODAY)
    plain = list(workspace.used(*ALL_DAYS))

    more = [(one, other) for one, other in zip(struck.used(*ALL_DAYS), plain, strict=True) if one != other]

    assert [one.day for one, _other in more] == [TODAY - timedelta(days=number) for number in (4, 3, 2)]
    assert {one.slug for one, _other in more} == {RUNS_INTO_A_LOOP}
    assert all(one.credits > 5 * other.credits for one, other in more)


def test_a_past_incident_does_not_depend_on_today() -> None:
    """Its days settle as all others do."""
    then = SimulatedWorkspace(TODAY, 10, incident_before=TODAY)
    later = SimulatedWorkspace(TODAY + timedelta(days=30), 40, incident_before=TODAY)

    rows = list(then.rows(then.first_day, then.settled_until))

    assert rows == list(later.rows(then.first_day, then.settled_until))
