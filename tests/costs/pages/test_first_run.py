"""The first run: from the names of keys to companies with their spend, in a few steps and unasked in none."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from providers.models import Assignment, AssignmentChange, AssignmentRule, Company, Project, Provider
from providers.services.assigning import undo_assignment
from tests.factories import NOW, make_assignment, make_company, make_project, make_provider, make_usage
from tests.pages import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]

URL = "/companies/suggested/"


@pytest.fixture
def provider() -> Provider:
    return make_provider(last_synced_at=NOW)


@pytest.fixture
def keys(provider: Provider) -> list[Project]:
    """Of two clients, the agency's own, and one that says nothing."""
    names = ("Harbor Clinic – reminders", "harbor-clinic-ivr", "acme_prod_tts", "Internal – sandbox", "Dana's laptop")
    found = [make_project(provider=provider, name=name) for name in names]
    for number, project in enumerate(found, start=1):
        make_usage(project=project, day=date(2026, 11, 3), cost=Decimal(number))
    return found


def answers(page: Any, **changed: Any) -> dict[str, Any]:
    """What a browser sends of the form as it stands, with some changes."""
    sent: dict[str, Any] = {}
    for field in page.context["form"]:
        value = field.value()
        if value not in (None, False, []):
            sent[field.html_name] = "on" if value is True else value
    return {**sent, **changed}


def applied(client: Client, **changed: Any) -> Any:
    return client.post(URL, answers(client.get(URL), act="apply", **changed))


def test_clients_are_listed_with_their_money(signed_in: Client, keys: list[Project]) -> None:
    """The agency's own last, and what says nothing apart."""
    page = text_of(signed_in.get(URL).content)

    assert "We see 2 client names in your API keys" in page
    assert "2 keys" in page
    assert "$3.00" in page
    assert "Names that say no client" in page
    assert page.index("Acme") < page.index("Harbor Clinic") < page.index("Internal")


def test_nothing_happens_before_it_is_applied(signed_in: Client, keys: list[Project]) -> None:
    """Neither by looking nor by the preview."""
    preview = signed_in.post(URL, answers(signed_in.get(URL), act="preview"))

    text = text_of(preview.content)
    assert "Harbor Clinic $3.00 2 New" in text
    assert "Total $6.00 3" in text
    assert not Company.objects.exists()
    assert not Assignment.objects.exists()


def test_preview_carries_the_list_on(signed_in: Client, keys: list[Project]) -> None:
    """Its Apply does what it showed."""
    sent = answers(signed_in.get(URL), act="preview")

    html = signed_in.post(URL, sent).content.decode()

    for name in sent.keys() - {"act"}:
        assert f'name="{name}"' in html


def test_applying_makes_companies_assigns_and_adds_rules(signed_in: Client, keys: list[Project]) -> None:
    """All history of each key, in one act."""
    answer = applied(signed_in)

    assert answer.headers["Location"] == "/companies/"
    assert set(Company.objects.values_list("name", flat=True)) == {"Acme", "Harbor Clinic"}
    payers = {
        assignment.project.name: assignment.payers
        for assignment in Assignment.objects.select_related("project")
        if assignment.is_from_the_beginning
    }
    assert payers == {
        "Harbor Clinic – reminders": "Harbor Clinic",
        "harbor-clinic-ivr": "Harbor Clinic",
        "acme_prod_tts": "Acme",
    }
    assert list(AssignmentRule.objects.values_list("pattern", "company__name")) == [("acme_", "Acme")]


def test_all_of_it_is_undone_at_once(signed_in: Client, keys: list[Project]) -> None:
    """As one change."""
    applied(signed_in)

    undo_assignment(change=AssignmentChange.objects.get(), now=NOW)

    assert not Assignment.objects.exists()


def test_list_can_be_edited(signed_in: Client, keys: list[Project]) -> None:
    """Another name, fewer keys, no rule, and a client left out."""
    acme, harbor = (f"{project.pk}" for project in (keys[2], keys[0]))
    sent = answers(signed_in.get(URL), act="apply")
    del sent[f"use-{acme}"]
    sent |= {f"name-{harbor}": "Harbour", f"keys-{harbor}": [keys[1].pk]}

    signed_in.post(URL, sent)

    assert list(Company.objects.values_list("name", flat=True)) == ["Harbour"]
    assert list(Assignment.objects.values_list("project__name", flat=True)) == ["harbor-clinic-ivr"]


def test_two_clients_of_one_name_are_one_company(signed_in: Client, keys: list[Project]) -> None:
    """In any spelling, also of one that there is."""
    make_company(name="ACME")
    harbor = keys[0].pk

    applied(signed_in, **{f"name-{harbor}": "acme"})

    assert list(Company.objects.values_list("name", flat=True)) == ["ACME"]
    assert Assignment.objects.count() == 3


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Enter a name, or leave this client out."),
        ("keys", [], "Choose at least one key, or leave this client out."),
        ("name", "sk_" + "5a" * 24, "API key"),
    ],
)
def test_bad_list_is_refused_in_a_sentence(
    signed_in: Client, keys: list[Project], field: str, value: Any, sentence: str
) -> None:
    """Nothing is written."""
    answer = applied(signed_in, **{f"{field}-{keys[0].pk}": value})

    assert answer.status_code == 422
    assert sentence in text_of(answer.content)
    assert not Assignment.objects.exists()


def test_key_that_was_assigned_meanwhile_is_left_alone(signed_in: Client, keys: list[Project]) -> None:
    """By somebody else, between the list and the act: it is on the list no more."""
    sent = answers(signed_in.get(URL), act="apply")
    make_assignment(project=keys[2], company=make_company(name="Globex"))

    signed_in.post(URL, sent)

    assert list(Assignment.objects.filter(project=keys[2]).values_list("shares__company__name", flat=True)) == [
        "Globex"
    ]


def test_archived_company_is_refused(signed_in: Client, keys: list[Project]) -> None:
    """With its name."""
    make_company(name="Acme", archived_at=NOW)

    answer = applied(signed_in)

    assert answer.status_code == 422
    assert "Acme" in text_of(answer.content)


def test_dashboard_leads_there_until_a_month_is_closed(signed_in: Client, keys: list[Project]) -> None:
    """With the number of names, and on to the first statement."""
    before = text_of(signed_in.get("/").content)
    applied(signed_in)

    after = text_of(signed_in.get("/").content)

    assert "We see 2 client names in your API keys" in before
    assert "Getting started" in after
    assert "(2 left)" in after


def test_list_asks_as_often_for_many_keys(
    signed_in: Client, provider: Provider, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Nothing is asked key by key."""
    for number in range(30):
        make_project(provider=provider, name=f"Client {number} – line")

    with django_assert_max_num_queries(10):
        signed_in.get(URL)
