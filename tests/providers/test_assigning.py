"""Assigning projects to companies from a day on, and undoing it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from providers.models import Assignment, Company, Project
from providers.services.assigning import UndoConflictError, assign_projects, get_or_create_company, undo_assignment
from tests.factories import NOW, make_assignment, make_company, make_project, make_user

pytestmark = pytest.mark.django_db

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 15)


def periods(project: Project) -> list[tuple[date, list[str]]]:
    return [
        (period.starts_on, [share.company.name for share in period.shares.all()])
        for period in Assignment.objects.filter(project=project)
    ]


BEGINNING = date(1970, 1, 1)


def test_all_history_moves() -> None:
    """Every period is replaced by one from the beginning."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"))
    make_assignment(project=project, company=None, starts_on=FIRST)

    assign_projects(projects=[project], company=make_company(name="New"), now=NOW)

    assert periods(project) == [(BEGINNING, ["New"])]


def test_assignment_from_a_day_leaves_earlier_and_later_periods() -> None:
    """A period starts there; it ends where the next one starts."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"))
    make_assignment(project=project, company=make_company(name="Later"), starts_on=SECOND)

    assign_projects(projects=[project], company=make_company(name="New"), starts_on=FIRST, now=NOW)

    assert periods(project) == [(BEGINNING, ["Old"]), (FIRST, ["New"]), (SECOND, ["Later"])]


def test_assignment_from_the_same_day_replaces_that_period() -> None:
    """A day begins one period."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"), starts_on=FIRST)

    assign_projects(projects=[project], company=make_company(name="New"), starts_on=FIRST, now=NOW)

    assert periods(project) == [(FIRST, ["New"])]


@pytest.mark.parametrize(("starts_on", "expected"), [(None, []), (FIRST, [(BEGINNING, ["Old"]), (FIRST, [])])])
def test_nobody_can_be_assigned(starts_on: date | None, expected: list[tuple[date, list[str]]]) -> None:
    """Unassigning all history leaves nothing; from a day on it begins a period without a company."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"))

    assign_projects(projects=[project], company=None, starts_on=starts_on, now=NOW)

    assert periods(project) == expected


def test_many_projects_are_assigned_at_once_and_others_stay() -> None:
    """The change tells how many, to whom and from when."""
    projects, other = [make_project() for _ in range(3)], make_project()
    acme, user = make_company(name="Acme"), make_user()

    change = assign_projects(projects=projects, company=acme, starts_on=FIRST, now=NOW, made_by=user)

    assert [periods(project) for project in projects] == [[(FIRST, ["Acme"])]] * 3
    assert periods(other) == []
    assert (change.summary, change.made_by, change.made_at) == ("3 keys assigned to Acme from 2026-11-01.", user, NOW)


def test_undo_puts_back_what_stood_before() -> None:
    """Every period with its company."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"))
    make_assignment(project=project, company=None, starts_on=SECOND)
    before = periods(project)
    change = assign_projects(projects=[project], company=make_company(), now=NOW)

    undo_assignment(change=change, now=NOW)

    assert periods(project) == before


def test_undo_removes_the_company_that_was_made_for_it() -> None:
    """Unless something else uses it by now."""
    project, other = make_project(), make_project()
    company, _is_new = get_or_create_company(name="Acme")
    change = assign_projects(projects=[project], company=company, now=NOW, created_company=True)
    second = assign_projects(projects=[other], company=company, now=NOW, created_company=True)

    undo_assignment(change=second, now=NOW)
    assert Company.objects.filter(name="Acme").exists()
    undo_assignment(change=change, now=NOW)

    assert not Company.objects.filter(name="Acme").exists()


def test_undo_happens_once() -> None:
    """A second click is told so."""
    project = make_project()
    change = assign_projects(projects=[project], company=make_company(), now=NOW)
    undo_assignment(change=change, now=NOW)

    with pytest.raises(UndoConflictError):
        undo_assignment(change=change, now=NOW)


def test_undo_of_what_has_been_changed_since_is_refused() -> None:
    """The later decision stays, and the change may still be looked at."""
    project = make_project()
    change = assign_projects(projects=[project], company=make_company(), now=NOW)
    assign_projects(projects=[project], company=make_company(name="Later"), now=NOW)

    with pytest.raises(UndoConflictError):
        undo_assignment(change=change, now=NOW + timedelta(minutes=1))

    assert periods(project) == [(BEGINNING, ["Later"])]
    change.refresh_from_db()
    assert change.undone_at is None


@pytest.mark.parametrize("name", ["Acme", "ACME", "  acme "])
def test_company_is_found_whatever_its_capitals(name: str) -> None:
    """One company of a name."""
    acme = make_company(name="Acme")

    assert get_or_create_company(name=name) == (acme, False)


@pytest.mark.parametrize("name", ["", "  ", "c" * 121])
def test_company_without_a_fitting_name_is_not_made(name: str) -> None:
    """Blank or too long."""
    with pytest.raises(ValidationError):
        get_or_create_company(name=name)

    assert Company.objects.count() == 0
