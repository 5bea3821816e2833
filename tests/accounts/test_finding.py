"""The search behind the palette, and saved views: what a person may open, and nothing of what else there is."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role
from accounts.saved_views import MOST, save_view, views_of
from providers.models import Company
from tests.factories import make_company, make_project, make_provider, make_user
from tests.pages import text_of as text_of_html

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]


def text_of(answer: Any) -> str:
    return text_of_html(answer.content)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin() -> Client:
    return client_of(make_user(role=Role.ADMIN))


@pytest.fixture
def harbor() -> Company:
    """With a workspace and a key of the same word."""
    make_project(provider=make_provider(name="Harbor workspace"), name="Harbor – reminders")
    return make_company(name="Harbor Clinic")


@pytest.mark.parametrize(
    ("query", "heading", "label"),
    [
        ("harb clin", "Companies", "Harbor Clinic"),
        ("reminders", "API keys", "Harbor – reminders"),
        ("workspace", "LLM Providers", "Harbor workspace"),
        ("nov 2026", "Statements", "November 2026"),
        ("2026-11", "Statements", "November 2026"),
        ("clients", "Pages", "Companies"),
        ("invite", "Actions", "Invite a member"),
    ],
)
@pytest.mark.usefixtures("harbor")
def test_things_are_found_by_what_people_call_them(admin: Client, query: str, heading: str, label: str) -> None:
    """Under the heading of their kind."""
    found = text_of(admin.get("/search/", {"q": query, "part": "1"}))

    assert heading in found
    assert label in found


@pytest.mark.usefixtures("harbor")
def test_search_reads_each_kind_once(admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    """However many there are."""
    with django_assert_max_num_queries(9):
        admin.get("/search/", {"q": "a"})


def test_nothing_found_is_said(admin: Client) -> None:
    """With the words that were typed, which do no harm."""
    answer = admin.get("/search/", {"q": "<b>nowhere</b>"})

    assert "Nothing is called “<b>nowhere</b>”." in text_of(answer)


def test_page_of_search_lists_the_keys(admin: Client) -> None:
    """Where no script shows the palette, too."""
    assert "g d Dashboard" in text_of(admin.get("/search/"))


def test_company_viewer_finds_its_own_companies_alone(harbor: Company) -> None:
    """No key, no workspace, no month, no other company, and no page that would not open."""
    own = make_company(name="Own GmbH")
    viewer = client_of(make_user(role=Role.COMPANY_VIEWER, companies=[own]))

    everything = text_of(viewer.get("/search/", {"q": "", "part": "1"}))

    assert "Own GmbH" in everything
    assert "Harbor" not in everything
    assert "LLM Providers" not in everything
    assert "Nothing is called" in text_of(viewer.get("/search/", {"q": "harbor", "part": "1"}))


def test_viewer_is_offered_no_act_that_is_refused() -> None:
    """As on every page."""
    viewer = client_of(make_user(role=Role.VIEWER))

    assert "Invite a member" not in text_of(viewer.get("/search/", {"q": "invite", "part": "1"}))


def test_view_is_saved_pinned_and_opened(admin: Client) -> None:
    """With its range; the menu of every page leads to it."""
    answer = admin.post("/settings/views/", {"name": "Last week", "address": "/?from=2026-11-01&to=2026-11-07"})

    assert answer.headers["Location"] == "/?from=2026-11-01&to=2026-11-07"
    assert 'href="/?from=2026-11-01&amp;to=2026-11-07">' in admin.get("/settings/").content.decode()


def test_saved_view_is_unpinned_and_removed(admin: Client) -> None:
    """It leaves the menu, and then the list."""
    admin.post("/settings/views/", {"name": "Models", "address": "/models/"})

    admin.post("/settings/views/change/", {"name": "Models", "act": "unpin"})
    unpinned = text_of(admin.get("/settings/views/"))
    admin.post("/settings/views/change/", {"name": "Models", "act": "remove"})

    assert "No view is pinned yet." in unpinned
    assert "Models /models/ Pin" in unpinned
    assert "/models/ Pin" not in text_of(admin.get("/settings/views/"))


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "nowhere", "/nowhere/", "/\\evil.example", ""],
)
def test_only_pages_of_this_site_are_saved(admin: Client, address: str) -> None:
    """A menu must lead nowhere else."""
    answer = admin.post("/settings/views/", {"name": "Trap", "address": address})

    assert answer.status_code == 422
    assert "No view is pinned yet." in text_of(admin.get("/settings/"))


def test_page_that_the_person_may_not_open_is_not_saved() -> None:
    """Its name would tell that it exists."""
    viewer = client_of(make_user(role=Role.VIEWER))

    assert viewer.post("/settings/views/", {"name": "Log", "address": "/settings/audit/"}).status_code == 422


def test_name_is_replaced_in_any_spelling() -> None:
    """Two of one name could not be told apart."""
    user = make_user(role=Role.ADMIN)
    save_view(user=user, name="Acme", address="/models/")

    save_view(user=user, name="ACME", address="/companies/?csv=companies&from=2026-11-01")
    user.membership.refresh_from_db()

    assert [(view.name, view.address) for view in views_of(user)] == [("ACME", "/companies/?from=2026-11-01")]


def test_number_of_views_is_bounded(admin: Client) -> None:
    """In a sentence; the others stay."""
    for number in range(MOST):
        admin.post("/settings/views/", {"name": f"View {number}", "address": "/models/"})

    answer = admin.post("/settings/views/", {"name": "One more", "address": "/models/"})

    assert "Remove one first." in text_of(answer)
