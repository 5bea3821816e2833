"""Changing one period of a key: its first day, or whether it is there at all."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from providers.models import BEGINNING, Assignment, Company, Project
from providers.services.assigning import undo_assignment
from providers.services.timeline import move_period, remove_period
from tests.factories import NOW, make_assignment, make_company, make_project

SECOND, THIRD = date(2026, 10, 10), date(2026, 11, 10)


@pytest.fixture
def key(db: None) -> Project:
    """Acme's from the beginning, then Globex's, then Initech's."""
    project = make_project(name="Hotline")
    for name, starts_on in (("Acme", BEGINNING), ("Globex", SECOND), ("Initech", THIRD)):
        make_assignment(project=project, company=make_company(name=name), starts_on=starts_on)
    return project


def timeline(project: Project) -> list[tuple[date, str]]:
    found = Assignment.objects.filter(project=project).order_by("starts_on").prefetch_related("shares__company")
    return [(period.starts_on, period.payers) for period in found]


def test_a_change_moves_to_another_day(key: Project) -> None:
    """With who pays from then on; the other ones stay, and it can be undone."""
    before = timeline(key)

    change = move_period(project=key, starts_on=SECOND, to=date(2026, 9, 1), now=NOW)

    assert timeline(key) == [(BEGINNING, "Acme"), (date(2026, 9, 1), "Globex"), (THIRD, "Initech")]
    assert change.summary == "“Hotline”: the change of 10 Oct 2026 moved to 1 Sep 2026."
    undo_assignment(change=change, now=NOW)
    assert timeline(key) == before


@pytest.mark.parametrize(
    ("starts_on", "to", "sentence"),
    [
        (SECOND, THIRD, "It must begin before 10 Nov 2026"),
        (THIRD, SECOND, "It must begin after 10 Oct 2026"),
        (BEGINNING, SECOND, "What holds from the beginning has no day to be moved."),
        (date(2026, 1, 1), SECOND, "does not exist any more"),
    ],
)
def test_a_change_stays_between_its_neighbours(key: Project, starts_on: date, to: date, sentence: str) -> None:
    """Refused in a sentence; nothing is written."""
    before = timeline(key)

    with pytest.raises(ValidationError, match=sentence):
        move_period(project=key, starts_on=starts_on, to=to, now=NOW)

    assert timeline(key) == before


def test_without_a_change_the_one_before_goes_on(key: Project) -> None:
    """It can be undone, too."""
    remove_period(project=key, starts_on=SECOND, now=NOW)

    assert timeline(key) == [(BEGINNING, "Acme"), (THIRD, "Initech")]


def test_without_the_first_company_nobody_has_decided(key: Project) -> None:
    """Its days are unassigned until somebody or a rule assigns them."""
    remove_period(project=key, starts_on=BEGINNING, now=NOW)

    assert timeline(key) == [(SECOND, "Globex"), (THIRD, "Initech")]
    assert Company.objects.filter(name="Acme").exists()
