"""The bulk bar below the keys: assigning them to a company, and taking that back."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from providers.models import AssignmentChange, AssignmentShare, Company, Provider
from tests.factories import (
    make_assignment,
    make_company,
    make_project,
    make_provider,
)

pytestmark = pytest.mark.any_engine


def assign_url(provider: Provider) -> str:
    return reverse("providers:assign", args=[provider.pk])


def companies_of(provider: Provider) -> dict[str, str]:
    shares = AssignmentShare.objects.filter(assignment__project__provider=provider)
    return dict(shares.values_list("assignment__project__name", "company__name"))


def test_several_keys_are_assigned_at_once_and_undone(signed_in: Client) -> None:
    """The flash says what happened and its button takes it back."""
    provider, acme = make_provider(), make_company(name="Acme")
    keys = [make_project(provider=provider, name=name) for name in ("a", "b", "c")]
    url = assign_url(provider)

    page = signed_in.post(url, {"projects": [key.pk for key in keys], "company": acme.pk}, follow=True)
    assigned = companies_of(provider)
    change = AssignmentChange.objects.get()
    undone = signed_in.post(f"/assignments/{change.pk}/undo/", {"next": provider.get_absolute_url()})

    assert "3 keys assigned to <bdi>Acme</bdi>." in page.content.decode()
    assert f'action="/assignments/{change.pk}/undo/"' in page.content.decode()
    assert assigned == {"a": "Acme", "b": "Acme", "c": "Acme"}
    assert undone["Location"] == provider.get_absolute_url()
    assert companies_of(provider) == {}


def test_a_company_that_is_named_while_assigning_is_made_and_unmade(signed_in: Client) -> None:
    """Undo also removes the company that the act made."""
    key = make_project()

    signed_in.post(assign_url(key.provider), {"projects": key.pk, "company": "new", "new_company": " New  Co "})
    made = Company.objects.get().name
    signed_in.post(f"/assignments/{AssignmentChange.objects.get().pk}/undo/")

    assert made == "New Co"
    assert not Company.objects.exists()


def test_from_a_date_leaves_what_was_before(signed_in: Client) -> None:
    """A period is added, none is replaced."""
    key, acme, other = make_project(), make_company(), make_company()
    make_assignment(project=key, company=acme)

    signed_in.post(
        assign_url(key.provider),
        {"projects": key.pk, "company": other.pk, "applies_to": "from", "starts_on": "2026-11-15"},
    )

    periods = key.assignments.order_by("starts_on").values_list("starts_on", "shares__company")
    assert [pair[1] for pair in periods] == [acme.pk, other.pk]
    assert list(periods)[1][0] == date(2026, 11, 15)


def test_a_key_can_be_unassigned(signed_in: Client) -> None:
    """ "Unassigned" is a choice like any company."""
    key = make_project()
    make_assignment(project=key, company=make_company())

    signed_in.post(assign_url(key.provider), {"projects": key.pk, "company": "none"})

    assert companies_of(key.provider) == {}


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"projects": []}, "Choose at least one key."),
        ({"projects": ["x"]}, "Some of these keys don"),
        ({"projects": ["9" * 30]}, "Some of these keys don"),
        ({"projects": [str(number) for number in range(10_000)]}, "Choose at most 2000 keys at a time."),
        ({"company": ""}, "Choose a company."),
        ({"company": "987654"}, "This company doesn"),
        ({"company": "9" * 5000}, "Choose a company."),
        ({"company": "new", "new_company": ""}, "Enter the new company"),
        ({"company": "new", "new_company": "x" * 1_000_000}, "at most 120 characters"),
        ({"company": "new", "new_company": "a\0b"}, "Null characters are not allowed."),
        ({"applies_to": "sometimes"}, "Choose “All history” or “From a date”."),
        ({"applies_to": "from", "starts_on": ""}, "Enter the date from which on it applies."),
        ({"applies_to": "from", "starts_on": "2026-02-30"}, "Write it as YYYY-MM-DD."),
        ({"applies_to": "from", "starts_on": "0001-01-01"}, "The date must be between"),
    ],
)
def test_bad_assignments_are_refused_with_a_sentence(signed_in: Client, bad: dict[str, object], sentence: str) -> None:
    """422, the reason in words, nothing written."""
    key, acme = make_project(), make_company()

    response = signed_in.post(assign_url(key.provider), {"projects": [key.pk], "company": acme.pk} | bad)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not AssignmentChange.objects.exists()
    assert Company.objects.count() == 1


def test_more_fields_than_any_form_has_are_refused(signed_in: Client) -> None:
    """The limit of the whole body, with a page of our own."""
    key = make_project()

    response = signed_in.post(assign_url(key.provider), {"projects": ["1"] * 20_000})

    assert response.status_code == 400
    assert "This request can't be read" in response.content.decode()


def test_another_providers_keys_are_refused(signed_in: Client) -> None:
    """A form assigns the keys of the provider that it names."""
    mine, foreign, acme = make_project(), make_project(), make_company()

    response = signed_in.post(assign_url(mine.provider), {"projects": [mine.pk, foreign.pk], "company": acme.pk})

    assert response.status_code == 422
    assert not AssignmentShare.objects.exists()


def test_undoing_twice_is_refused_in_words(signed_in: Client) -> None:
    """The second undo finds nothing to take back."""
    key, acme = make_project(), make_company()
    signed_in.post(assign_url(key.provider), {"projects": key.pk, "company": acme.pk})
    url = f"/assignments/{AssignmentChange.objects.get().pk}/undo/"
    signed_in.post(url)

    response = signed_in.post(url)

    assert response.status_code == 409
    assert "nothing was undone" in response.content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "x" * 5000])
def test_next_never_leads_to_another_site(signed_in: Client, target: str) -> None:
    """An unsafe address is ignored."""
    key, acme = make_project(), make_company()

    response = signed_in.post(assign_url(key.provider), {"projects": key.pk, "company": acme.pk, "next": target})

    assert response["Location"] == key.provider.get_absolute_url()
