"""Before anything that moves money: what it would move, on the pages that ask."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from costs.models import ClosedMonth
from providers.models import Assignment, AssignmentChange, Company, Project
from providers.services.assigning import assign_projects
from providers.signals import notify_assignments_changed
from tests.factories import NOW, make_assignment, make_company, make_project, make_rule, make_usage
from tests.pages import text_of

pytestmark = pytest.mark.any_engine


@pytest.fixture
def globex(db: None) -> Company:
    return make_company(name="Globex")


@pytest.fixture
def key(globex: Company) -> Project:
    """Acme's, with a dollar in closed October and three in November."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Acme"))
    make_usage(project=project, day=date(2026, 10, 5), cost=Decimal(1))
    make_usage(project=project, day=date(2026, 11, 5), cost=Decimal(3))
    ClosedMonth.objects.create(month=date(2026, 10, 1), closed_at=NOW)
    return project


def test_who_has_paid_is_asked_with_what_would_move(signed_in: Client, key: Project, globex: Company) -> None:
    """From today on nothing, since nothing was used yet."""
    sent = {"projects": key.pk, "company": globex.pk, "ask": "when"}

    page = text_of(signed_in.post("/keys/assign/", sent, follow=True).content)

    assert "No money moves from that day on." in page
    assert not AssignmentChange.objects.exists()


def test_all_history_is_shown_before_it_moves(signed_in: Client, key: Project, globex: Company) -> None:
    """Per company, with the months that are closed; nothing is saved."""
    sent = {"projects": key.pk, "company": globex.pk, "applies_to": "all"}

    page = signed_in.post("/keys/reassign/", sent)

    text = text_of(page.content)
    assert "What moves in all history" in text
    assert "Globex $0.00 $4.00 +$4.00 Acme $4.00 $0.00 −$4.00" in text
    assert "October 2026 is closed: its statements stay as they are" in text
    assert not AssignmentChange.objects.exists()


def test_a_new_company_is_shown_without_being_made(signed_in: Client, key: Project) -> None:
    """It comes with the assignment."""
    sent = {"projects": key.pk, "company": "new", "new_company": "Lantern", "applies_to": "from"}

    page = text_of(signed_in.post("/keys/reassign/", sent | {"starts_on": "2026-11-01"}).content)

    assert "What moves from 1 Nov 2026" in page
    assert "Lantern $0.00 $3.00 +$3.00" in page
    assert not Company.objects.filter(name="Lantern").exists()


def test_a_split_is_shown_before_it_is_saved(signed_in: Client, key: Project, globex: Company) -> None:
    """By its button of that name; the lines stay."""
    lines = {"company_0": globex.pk, "percent_0": "25", "company_1": Company.objects.get(name="Acme").pk}
    sent = {"projects": key.pk, "show": "1", "applies_to": "all", "percent_1": "75", **lines}

    page = signed_in.post("/keys/split/", sent)

    assert "Globex $0.00 $1.00 +$1.00 Acme $4.00 $3.00 −$1.00" in text_of(page.content)
    assert 'value="25"' in page.content.decode()
    assert not AssignmentChange.objects.exists()


def test_rules_are_shown_with_what_they_would_move(signed_in: Client, key: Project, globex: Company) -> None:
    """Per company, before the button that applies them; October is closed."""
    Assignment.objects.all().delete()
    notify_assignments_changed([key.pk])
    make_rule(company=globex, pattern=key.name)

    page = text_of(signed_in.get("/rules/apply/?applies_to=all").content)

    assert "Globex $0.00 $4.00 +$4.00 Unassigned $4.00 $0.00 −$4.00" in page
    assert "October 2026 is closed" in page


def test_an_undo_of_the_list_is_shown_before_it_is_done(signed_in: Client, key: Project, globex: Company) -> None:
    """With a button that does it, and leads back."""
    change = assign_projects(projects=[key], company=globex, starts_on=None, now=NOW)
    path = f"/assignments/{change.pk}/undo/?next=/keys/changes/"
    assert path in signed_in.get("/keys/changes/").content.decode()

    page = text_of(signed_in.get(path).content)
    done = signed_in.post(path, {"next": "/keys/changes/"})

    assert "Acme $0.00 $4.00 +$4.00 Globex $4.00 $0.00 −$4.00" in page
    assert "October 2026 is closed" in page
    assert done["Location"] == "/keys/changes/"
    change.refresh_from_db()
    assert change.undone_at


def test_an_undo_that_comes_too_late_is_not_offered(signed_in: Client, key: Project, globex: Company) -> None:
    """Something builds on it since."""
    change = assign_projects(projects=[key], company=globex, starts_on=None, now=NOW)
    assign_projects(projects=[key], company=make_company(), now=NOW)

    assert signed_in.get(f"/assignments/{change.pk}/undo/").status_code == 409
