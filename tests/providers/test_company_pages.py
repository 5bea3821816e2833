"""The form of a company: its mark-up, archiving and restoring it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from providers.models import Company
from tests.factories import NOW, make_assignment, make_company, make_project, make_rule, make_user
from tests.providers.listening import Told

pytestmark = pytest.mark.any_engine


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("", None), ("0", Decimal(0)), ("15", Decimal(15)), ("12,5 %", Decimal("12.5")), ("999.99", Decimal("999.99"))],
)
def test_mark_up_is_stored(signed_in: Client, typed: str, stored: Decimal | None) -> None:
    """Blank is none, which is not the same as 0."""
    company = make_company(markup_percent=Decimal(1))

    signed_in.post(f"/companies/{company.pk}/edit/", {"name": "Acme", "notes": "", "markup_percent": typed})

    company.refresh_from_db()
    assert company.markup_percent == stored


@pytest.mark.parametrize("typed", ["-1", "1000", "12.345", "NaN", "1e2", "Infinity", "x", "9" * 100_000])
def test_bad_mark_ups_are_refused(signed_in: Client, typed: str) -> None:
    """422, at the field, nothing stored."""
    response = signed_in.post("/companies/add/", {"name": "Acme", "notes": "", "markup_percent": typed})

    assert response.status_code == 422
    assert "Enter a percentage from 0 to 999.99" in response.content.decode()
    assert not Company.objects.exists()


def test_stored_mark_up_is_shown_as_people_write_it(signed_in: Client) -> None:
    """12.5, not 12.50."""
    company = make_company(markup_percent=Decimal("12.50"))

    assert 'value="12.5"' in signed_in.get(f"/companies/{company.pk}/edit/").content.decode()


def test_name_that_is_taken_is_said_at_its_field_once(signed_in: Client) -> None:
    """Whatever its capitals, in any alphabet."""
    make_company(name="Ärzte")

    page = signed_in.post("/companies/add/", {"name": "ÄRZTE", "notes": ""}).content.decode()

    assert page.count("A company with this name already exists.") == 2  # in the summary and at the field
    assert 'href="#id_name"' in page


def test_company_is_archived_and_restored(signed_in: Client, operator: User, told: Told) -> None:
    """What depends on it is said."""
    company = make_company(name="Acme")
    make_rule(company=company)
    make_assignment(project=make_project(), company=company)
    edit = f"/companies/{company.pk}/edit/"

    before = signed_in.get(edit).content.decode()
    archived = signed_in.post(f"/companies/{company.pk}/archive/", follow=True)
    page = archived.content.decode()
    was_archived = Company.objects.get().archived_at
    restored = signed_in.post(f"/companies/{company.pk}/restore/", follow=True).content.decode()

    assert "what its 1 API key uses goes on counting" in before
    assert archived.redirect_chain[-1][0] == edit
    assert "<bdi>Acme</bdi> was archived. Its history and its keys stay. Its rule is skipped meanwhile." in page
    assert "Restore <bdi>Acme</bdi>" in page
    assert was_archived == NOW
    assert "<bdi>Acme</bdi> was restored." in restored
    assert Company.objects.get().archived_at is None
    assert [(act.action, act.actor) for act in told.acts] == [("company.changed", operator)] * 2


def test_keys_that_have_moved_on_are_not_counted(signed_in: Client) -> None:
    """Only those that it pays for at present."""
    company, key = make_company(), make_project()
    make_assignment(project=key, company=company)
    make_assignment(project=key, company=make_company(), starts_on=NOW.date())

    assert "goes on counting" not in signed_in.get(f"/companies/{company.pk}/edit/").content.decode()


def test_archived_company_is_not_made_anew_while_assigning(signed_in: Client) -> None:
    """The sentence says what to do."""
    key = make_project()
    make_company(name="Acme", archived_at=NOW)

    response = signed_in.post(
        f"/providers/{key.provider_id}/assign/", {"projects": key.pk, "company": "new", "new_company": "acme"}
    )

    assert response.status_code == 422
    assert "Acme is archived. Restore it before keys are assigned to it." in response.content.decode()


@pytest.mark.parametrize("action", ["archive", "restore"])
def test_archiving_is_a_post_of_a_known_company(signed_in: Client, action: str) -> None:
    """A link can't do it."""
    company = make_company()

    assert signed_in.get(f"/companies/{company.pk}/{action}/").status_code == 405
    assert signed_in.post(f"/companies/4711/{action}/").status_code == 404


def test_edit_page_takes_few_queries(signed_in: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """However many keys."""
    company = make_company()
    for _ in range(10):
        make_assignment(project=make_project(), company=company)

    with django_assert_num_queries(5):
        signed_in.get(f"/companies/{company.pk}/edit/")


@pytest.mark.django_db
def test_admin_saves_archives_and_restores_through_the_services(client: Client, now: object, told: Told) -> None:
    """So that the audit log hears of it."""
    staff = make_user(is_staff=True, is_superuser=True)
    client.force_login(staff)
    company = make_company(name="Acme")
    actions = "/admin/providers/company/"

    client.post(f"{actions}{company.pk}/change/", {"name": "Acme Ltd", "notes": "", "markup_percent": "5"})
    for action in ("archive", "restore"):
        client.post(actions, {"action": action, "_selected_action": [company.pk]})
    taken = client.post(f"{actions}add/", {"name": "ACME LTD", "notes": "", "markup_percent": ""})

    assert Company.objects.get().name == "Acme Ltd"
    assert [(act.actor, act.new) for act in told.acts] == [
        (staff, {"name": "Acme Ltd", "markup_percent": "5"}),
        (staff, {"archived": True}),
        (staff, {"archived": False}),
    ]
    assert "A company with this name already exists." in taken.content.decode()


@pytest.mark.django_db
def test_admin_deletes_only_what_nothing_refers_to(client: Client, now: object, told: Told) -> None:
    """A rule is enough to keep a company; of what is deleted the audit log hears."""
    staff = make_user(is_staff=True, is_superuser=True)
    client.force_login(staff)
    used, unused, another = make_rule().company, make_company(name="Unused"), make_company(name="Another")

    for company in (used, unused):
        client.post(f"/admin/providers/company/{company.pk}/delete/", {"post": "yes"})
    client.post(
        "/admin/providers/company/",
        {"action": "delete_selected", "_selected_action": [another.pk], "post": "yes"},
    )

    assert list(Company.objects.all()) == [used]
    assert [(act.action, act.actor, act.old) for act in told.acts] == [
        ("company.deleted", staff, {"name": "Unused"}),
        ("company.deleted", staff, {"name": "Another"}),
    ]
