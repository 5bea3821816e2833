"""What an assignment would move is what it then does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from costs.models import ClosedMonth
from costs.reports.moving import Payers, move_of
from costs.reports.totals import all_usage, sums_by
from providers.models import Company, Project, Provider
from providers.moving import Moving, undoing
from providers.services.assigning import assign_projects
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_split,
    make_usage,
)

HALF = Decimal(50)


@pytest.fixture
def acme(db: None) -> Company:
    return make_company(name="Acme")


@pytest.fixture
def globex(db: None) -> Company:
    return make_company(name="Globex")


@pytest.fixture
def key(acme: Company) -> Project:
    """Acme's: 2 dollars in October, 3 in November, of which Acme has another 10."""
    project = make_project()
    make_assignment(project=project, company=acme)
    make_usage(project=project, day=date(2026, 10, 5), cost=Decimal(2))
    make_usage(project=project, day=date(2026, 11, 5), cost=Decimal(3))
    other = make_project(provider=project.provider)
    make_assignment(project=other, company=acme)
    make_usage(project=other, day=date(2026, 11, 5), cost=Decimal(10))
    return project


def moved(projects: Sequence[Project], payers: Payers, starts_on: date | None = None) -> dict[str, tuple[str, str]]:
    found = move_of([Moving(projects, payers, starts_on)], today=TODAY)
    return {
        line.company.name if line.company else "Unassigned": (str(line.before), str(line.after)) for line in found.lines
    }


def test_all_history_moves_to_the_new_payer(key: Project, globex: Company) -> None:
    """Of both companies what they pay in all, before and after."""
    assert moved([key], [(globex, Decimal(100))]) == {"Globex": ("$0.00", "$5.00"), "Acme": ("$15.00", "$10.00")}


def test_from_a_day_on_only_later_usage_moves(key: Project, globex: Company) -> None:
    """Before and after are of the days from then on."""
    found = moved([key], [(globex, Decimal(100))], date(2026, 11, 1))

    assert found == {"Globex": ("$0.00", "$3.00"), "Acme": ("$13.00", "$10.00")}


def test_periods_that_begin_later_stay(key: Project, acme: Company, globex: Company) -> None:
    """As they do when it is saved."""
    make_assignment(project=key, company=acme, starts_on=date(2026, 11, 1))

    found = moved([key], [(globex, Decimal(100))], date(2026, 10, 1))

    assert found == {"Globex": ("$0.00", "$2.00"), "Acme": ("$15.00", "$13.00")}


def test_usage_can_become_nobodys_or_a_new_companys(key: Project) -> None:
    """A company that is not stored yet has paid nothing."""
    assert moved([key], []) == {"Unassigned": ("$0.00", "$5.00"), "Acme": ("$15.00", "$10.00")}
    assert moved([key], [(Company(name="New"), Decimal(100))])["New"] == ("$0.00", "$5.00")


def test_a_split_moves_in_proportion(key: Project, acme: Company, globex: Company) -> None:
    """Whoever keeps a part loses only the rest."""
    found = moved([key], [(acme, HALF), (globex, HALF)])

    assert found == {"Globex": ("$0.00", "$2.50"), "Acme": ("$15.00", "$12.50")}


def test_closed_months_are_named(key: Project, globex: Company) -> None:
    """Those of which something would move, and no others."""
    for month in (date(2026, 9, 1), date(2026, 10, 1)):
        ClosedMonth.objects.create(month=month, closed_at=NOW)

    assert move_of([Moving([key], [(globex, Decimal(100))])], today=TODAY).closed == (date(2026, 10, 1),)
    assert move_of([Moving([key], [(globex, Decimal(100))], date(2026, 11, 1))], today=TODAY).closed == ()


def test_nothing_moves_to_who_pays_already(key: Project, acme: Company) -> None:
    """No line for what stays as it is."""
    assert moved([key], [(acme, Decimal(100))]) == {}


def test_what_was_told_comes_true(key: Project, acme: Company, globex: Company) -> None:
    """To the last digit, with a split before and several keys."""
    split = make_project(provider=key.provider)
    make_split(project=split, shares={acme: "33.33", globex: "66.67"})
    for days in range(40):
        make_usage(project=split, day=TODAY - timedelta(days=days), cost=Decimal("0.0123456789"))
    move = move_of([Moving([key, split], [(globex, Decimal(100))], date(2026, 11, 2))], today=TODAY)

    assign_projects(projects=[key, split], company=globex, starts_on=date(2026, 11, 2), now=NOW)

    after = sums_by(all_usage().between(date(2026, 11, 2), TODAY), "company_id")
    assert {line.company: line.after.amount for line in move.lines} == {
        acme: after[acme.pk].cost_in("usd"),
        globex: after[globex.pk].cost_in("usd"),
    }


def test_sharing_that_depends_on_it_is_told(acme: Company) -> None:
    """Since what that moves is not counted."""
    key = make_project(provider=make_provider(keyless_sharing=Provider.KeylessSharing.EVENLY))

    assert move_of([Moving([key], [(acme, Decimal(100))])], today=TODAY).shares_anew


def test_several_acts_are_added_up(key: Project, acme: Company, globex: Company) -> None:
    """Rules give each company keys of its own."""
    other = Project.objects.exclude(pk=key.pk).get()
    lantern = Company(name="Lantern")

    found = move_of([Moving([key], [(globex, HALF * 2)]), Moving([other], [(lantern, HALF * 2)])], today=TODAY)

    lines = {line.company.name: (str(line.before), str(line.after)) for line in found.lines if line.company}
    assert lines == {"Acme": ("$15.00", "$0.00"), "Globex": ("$0.00", "$5.00"), "Lantern": ("$0.00", "$10.00")}
    assert acme.name == "Acme"


@pytest.mark.parametrize("stretches", [1, 6])
def test_keys_of_other_days_are_read_day_by_day(
    globex: Company, django_assert_max_num_queries: DjangoAssertNumQueries, stretches: int
) -> None:
    """However many stretches of days there are, in as few queries."""
    provider = make_provider()
    keys = [make_project(provider=provider) for _ in range(6)]
    for number, project in enumerate(keys):
        make_assignment(project=project, company=None, starts_on=date(2026, 11, 10 + number % stretches))
        make_usage(project=project, day=date(2026, 11, 9), cost=Decimal(1))
        make_usage(project=project, day=date(2026, 11, 16), cost=Decimal(100))

    with django_assert_max_num_queries(7):
        found = moved(keys, [(globex, HALF * 2)], date(2026, 11, 1))

    assert found == {"Globex": ("$0.00", "$6.00"), "Unassigned": ("$606.00", "$600.00")}


def test_an_undo_moves_what_its_act_moved(key: Project, globex: Company) -> None:
    """The other way round, of the same days."""
    change = assign_projects(projects=[key], company=globex, starts_on=date(2026, 11, 1), now=NOW)

    found = move_of(undoing(change, [key]), today=TODAY)

    lines = {line.company.name: (str(line.before), str(line.after)) for line in found.lines if line.company}
    assert lines == {"Acme": ("$10.00", "$13.00"), "Globex": ("$3.00", "$0.00")}
