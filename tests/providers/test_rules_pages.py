"""The pages of the rules: their list, their form, and applying them after a preview."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from providers.models import Assignment, AssignmentChange, AssignmentRule, Company
from tests.factories import NOW, make_assignment, make_company, make_project, make_provider, make_rule
from tests.providers.listening import Told

pytestmark = pytest.mark.any_engine


@pytest.fixture
def acme(db: None) -> Company:
    return make_company(name="Acme")


def valid(acme: Company) -> dict[str, Any]:
    return {"kind": "starts_with", "pattern": "acme", "company": acme.pk, "provider": ""}


def test_rules_are_linked_from_the_companies(signed_in: Client) -> None:
    """Whoever looks for who belongs to whom finds them."""
    assert 'href="/rules/"' in signed_in.get("/companies/").content.decode()


def test_first_visit_says_what_rules_are_for(signed_in: Client) -> None:
    """And how to make one."""
    page = signed_in.get("/rules/").content.decode()

    assert "Assign new keys by their names" in page
    assert "/rules/apply/" not in page


def test_rules_are_listed_in_their_order(signed_in: Client, acme: Company) -> None:
    """With what is skipped, and why."""
    make_rule(pattern="first <b>", company=acme, provider=make_provider(name="Production"))
    make_rule(kind="matches", pattern="*second*", company=make_company(name="Gone", archived_at=NOW))

    page = signed_in.get("/rules/").content.decode()

    assert page.index("starts with “<bdi>first &lt;b&gt;</bdi>”") < page.index("matches “<bdi>*second*</bdi>”")
    assert page.index("Production") < page.index("Every provider")
    assert page.count("Archived: the rule is skipped") == 1


def test_rule_list_takes_few_queries(
    signed_in: Client, acme: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """However many rules."""
    for _ in range(20):
        make_rule(company=make_company(), provider=make_provider())

    with django_assert_num_queries(3):
        signed_in.get("/rules/")


def test_rule_is_added_and_edited(signed_in: Client, operator: User, acme: Company, told: Told) -> None:
    """One form for both."""
    provider = make_provider()

    added = signed_in.post("/rules/add/", valid(acme))
    rule = AssignmentRule.objects.get()
    signed_in.post(
        f"/rules/{rule.pk}/edit/", valid(acme) | {"kind": "matches", "pattern": " *web* ", "provider": provider.pk}
    )

    rule.refresh_from_db()
    assert added["Location"] == "/rules/"
    assert (rule.kind, rule.pattern, rule.company, rule.provider) == ("matches", "*web*", acme, provider)
    assert [(act.action, act.actor) for act in told.acts] == [("rule.created", operator), ("rule.changed", operator)]


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"kind": ""}, "Choose how the name is compared."),
        ({"kind": "regex"}, "Choose one of the list."),
        ({"pattern": "  "}, "Enter what the name is compared with."),
        ({"pattern": "x" * 201}, "at most 200 characters"),
        ({"pattern": "x" * 1_000_000}, "at most 200 characters"),
        ({"pattern": "a\0b"}, "Null characters are not allowed."),
        ({"company": ""}, "Choose a company."),
        ({"company": "9" * 40}, "This company doesn"),
        ({"company": "archived"}, "This company doesn"),
        ({"provider": "4711"}, "This provider doesn"),
        ({"provider": "x"}, "This provider doesn"),
    ],
)
def test_bad_rules_are_refused_with_a_sentence(
    signed_in: Client, acme: Company, bad: dict[str, Any], sentence: str
) -> None:
    """422, nothing stored."""
    archived = make_company(archived_at=NOW)
    bad = {name: archived.pk if value == "archived" else value for name, value in bad.items()}

    response = signed_in.post("/rules/add/", valid(acme) | bad)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert "<title>Error: Add Rule" in response.content.decode()
    assert not AssignmentRule.objects.exists()


def test_rule_of_an_archived_company_can_be_saved(signed_in: Client) -> None:
    """It is still offered there, and only there."""
    archived = make_company(archived_at=NOW)
    rule = make_rule(company=archived)

    response = signed_in.post(f"/rules/{rule.pk}/edit/", valid(archived) | {"pattern": "changed"})

    rule.refresh_from_db()
    assert (response.status_code, rule.pattern) == (302, "changed")


def test_rules_move_by_their_buttons(signed_in: Client) -> None:
    """And the browser goes back to the rule that was moved."""
    make_rule(pattern="a")
    rule = make_rule(pattern="b")

    response = signed_in.post(f"/rules/{rule.pk}/move/", {"direction": "up"})
    signed_in.post(f"/rules/{rule.pk}/move/", {"direction": "sideways"})

    assert response["Location"] == f"/rules/#rule-{rule.pk}"
    assert [rule.pattern for rule in AssignmentRule.objects.all()] == ["b", "a"]


def test_deleting_asks_first(signed_in: Client) -> None:
    """And says what goes and what stays."""
    rule = make_rule(pattern="acme")

    page = signed_in.get(f"/rules/{rule.pk}/delete/").content.decode()
    asked = AssignmentRule.objects.count()
    signed_in.post(f"/rules/{rule.pk}/delete/")

    assert "Every key that it has assigned" in page
    assert asked == 1
    assert not AssignmentRule.objects.exists()


@pytest.mark.parametrize("action", ["edit", "delete", "move"])
@pytest.mark.parametrize("pk", ["4711", "9" * 40])
def test_unknown_rules_are_not_found(signed_in: Client, action: str, pk: str) -> None:
    """Also ids that no database column can hold."""
    assert signed_in.post(f"/rules/{pk}/{action}/", {"direction": "up"}).status_code == 404


def test_moving_is_a_post(signed_in: Client) -> None:
    """A link can't change anything."""
    assert signed_in.get(f"/rules/{make_rule().pk}/move/").status_code == 405


# --- Applying ---------------------------------------------------------------------------------------------------------


def fingerprint(page: str) -> str:
    found = re.search(r'name="fingerprint" value="(\w+)"', page)
    assert found
    return found[1]


def test_preview_is_applied_as_it_was_shown_and_undone(signed_in: Client, operator: User, acme: Company) -> None:
    """From a date on, here."""
    make_rule(company=acme)
    key = make_project(name="acme hotline")
    make_project(name="globex")
    query = {"applies_to": "from", "starts_on": "2026-11-15"}

    page = signed_in.get("/rules/apply/", query).content.decode()
    applied = signed_in.post("/rules/apply/", query | {"fingerprint": fingerprint(page)}, follow=True)
    change = AssignmentChange.objects.get()
    periods = [(period.project, period.starts_on, period.payers) for period in Assignment.objects.all()]
    signed_in.post(f"/assignments/{change.pk}/undo/", {"next": "/rules/"})

    assert "1 key would change" in page
    assert "From 15 Nov 2026 on (UTC)" in page
    assert "globex" not in page
    assert "1 key assigned by rules from 15 Nov 2026." in applied.content.decode()
    assert f"/assignments/{change.pk}/undo/" in applied.content.decode()
    assert periods == [(key, date(2026, 11, 15), "Acme")]
    assert change.made_by == operator
    assert not Assignment.objects.exists()


@pytest.mark.parametrize("sent", ["seen", "", "x" * 64])
def test_anything_else_than_what_was_shown_changes_nothing(signed_in: Client, acme: Company, sent: str) -> None:
    """The new preview is shown with a sentence."""
    make_rule(company=acme)
    make_project(name="acme one")
    seen = fingerprint(signed_in.get("/rules/apply/").content.decode())
    make_project(name="acme two")

    response = signed_in.post("/rules/apply/", {"fingerprint": seen if sent == "seen" else sent})

    page = response.content.decode()
    assert response.status_code == 409
    assert "Nothing was changed." in page
    assert "2 keys would change" in page
    assert fingerprint(page) != seen
    assert not AssignmentChange.objects.exists()


def test_applying_twice_changes_nothing_the_second_time(signed_in: Client, acme: Company) -> None:
    """A double click, or the browser's reload."""
    make_rule(company=acme)
    make_project(name="acme")
    form = {"fingerprint": fingerprint(signed_in.get("/rules/apply/").content.decode())}
    signed_in.post("/rules/apply/", form)

    response = signed_in.post("/rules/apply/", form)

    assert response.status_code == 409
    assert AssignmentChange.objects.count() == 1


def test_preview_counts_what_a_person_has_decided(signed_in: Client, acme: Company) -> None:
    """Those keys stay, and the page says so."""
    make_rule(company=acme)
    make_assignment(project=make_project(name="acme"), company=make_company())

    page = signed_in.get("/rules/apply/").content.decode()

    assert "Nothing would change" in page
    assert "1 key that a rule fits was assigned by hand and stays as it is." in page


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"applies_to": "sometimes"}, "Choose “All history” or “From a date”."),
        ({"applies_to": "from"}, "Enter the date from which on it applies."),
        ({"applies_to": "from", "starts_on": "soon"}, "Write it as YYYY-MM-DD."),
        ({"fingerprint": "x" * 100_000}, "at most 64 characters"),
    ],
)
def test_bad_previews_are_refused_with_a_sentence(
    signed_in: Client, acme: Company, bad: dict[str, str], sentence: str
) -> None:
    """422, asked for and applied."""
    make_rule(company=acme)
    make_project(name="acme")

    for response in (signed_in.get("/rules/apply/", bad), signed_in.post("/rules/apply/", bad)):
        assert response.status_code == 422
        assert sentence in response.content.decode()
    assert not AssignmentChange.objects.exists()


def test_preview_page_takes_few_queries(
    signed_in: Client, acme: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """However many keys, all of which it lists."""
    make_rule(company=acme)
    for number in range(120):
        make_project(provider=make_provider() if number % 40 == 0 else None, name=f"acme {number}")

    with django_assert_num_queries(10):
        page = signed_in.get("/rules/apply/").content.decode()

    assert page.count("<strong><bdi>Acme</bdi></strong>") == 120
