"""The latest changes of who pays, each with its Undo."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from providers.models import Project
from providers.services.assigning import assign_projects, undo_assignment
from tests.factories import NOW, make_company, make_project, make_provider
from tests.pages import page_of

pytestmark = pytest.mark.any_engine


@pytest.fixture
def key(db: None) -> Project:
    return make_project(provider=make_provider(), name="Hotline")


def test_every_change_can_be_undone_that_nothing_builds_on(signed_in: Client, key: Project) -> None:
    """Of two changes of one key the later first; a third one of another key is for itself."""
    other = make_project(provider=key.provider)
    for number, project in enumerate([key, other, key]):
        company = make_company(name=f"Company {number}")
        assign_projects(projects=[project], company=company, now=NOW + timedelta(minutes=number))

    page = page_of(signed_in, "/keys/changes/")

    first, second, third = (page.index(f"1 key assigned to Company {number}.") for number in range(3))
    assert third < second < first
    assert page.count("Undo…") == 2
    assert "Later changes build on it" in page[first:]


def test_what_was_undone_says_so(signed_in: Client, key: Project) -> None:
    """And offers nothing."""
    undo_assignment(change=assign_projects(projects=[key], company=make_company(), now=NOW), now=NOW)

    page = page_of(signed_in, "/keys/changes/")

    assert "Undone 22 Nov 2026, 12:30 UTC" in page
    assert "Undo…" not in page


def test_an_undo_that_comes_too_late_is_refused_in_a_sentence(signed_in: Client, key: Project) -> None:
    """Somebody changed the key after the page was opened."""
    change = assign_projects(projects=[key], company=make_company(), now=NOW)
    assign_projects(projects=[key], company=make_company(), now=NOW)

    response = signed_in.post(f"/assignments/{change.pk}/undo/", {"next": "/keys/changes/"})

    assert response.status_code == 409
    assert "assigned anew since; nothing was undone" in response.content.decode()


def test_twenty_changes_take_as_few_queries_as_one(
    signed_in: Client, key: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """The page says that there are more."""
    for number in range(22):
        assign_projects(projects=[key], company=make_company(), now=NOW + timedelta(minutes=number))

    with django_assert_max_num_queries(10):
        page = page_of(signed_in, "/keys/changes/")

    assert page.count("1 key assigned to") >= 20
    assert "Earlier ones are in the audit log." in page
