"""Splitting keys between companies, and the setting for usage without a key, as people do it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from providers.models import Assignment, AssignmentChange, Company, Project, Provider
from providers.services.assigning import split_projects
from tests.factories import (
    NOW,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_user,
)
from tests.providers.listening import Told

pytestmark = pytest.mark.any_engine


def payers(project: Project) -> list[tuple[str, str]]:
    periods = Assignment.objects.filter(project=project)
    return [(period.starts_on.isoformat(), period.payers) for period in periods]


# --- Splitting --------------------------------------------------------------------------------------------------------


@pytest.fixture
def key(db: None) -> Project:
    return make_project(name="Hotline")


@pytest.fixture
def acme(db: None) -> Company:
    return make_company(name="Acme")


@pytest.fixture
def globex(db: None) -> Company:
    return make_company(name="Globex")


def split_url(project: Project) -> str:
    return f"/providers/{project.provider_id}/split/"


def lines(*pairs: tuple[object, str]) -> dict[str, Any]:
    return {
        f"{name}_{number}": value
        for number, (company, percent) in enumerate(pairs)
        for name, value in (("company", company), ("percent", percent))
    }


def test_chosen_keys_open_a_page_with_two_lines(
    signed_in: Client, key: Project, acme: Company, globex: Company
) -> None:
    """The bulk bar posts its keys here; nothing is written yet."""
    other = make_project(provider=key.provider, name="Web")

    response = signed_in.post(split_url(key), {"projects": [key.pk, other.pk], "company": "", "next": "/providers/"})

    page = response.content.decode()
    assert response.status_code == 200
    assert "Split 2 keys between companies" in page
    assert page.count('name="percent_') == 2
    assert f'name="projects" value="{key.pk}"' in page
    assert f'name="projects" value="{other.pk}"' in page
    assert 'name="next" value="/providers/"' in page
    assert not AssignmentChange.objects.exists()


def test_page_can_be_opened_by_its_address(signed_in: Client, key: Project, acme: Company, globex: Company) -> None:
    """The keys stand in the query."""
    response = signed_in.get(split_url(key), {"projects": key.pk})

    assert response.status_code == 200
    assert "Hotline" in response.content.decode()


def test_lines_are_added_and_removed_without_scripts(
    signed_in: Client, key: Project, acme: Company, globex: Company
) -> None:
    """What was typed stays, however wrong; nothing is checked before it is saved."""
    typed = {"projects": key.pk, "applies_to": "from", "starts_on": "2026-11-03"} | lines((acme.pk, "60"), ("", "x"))

    more = signed_in.post(split_url(key), typed | {"add": "1"}).content.decode()
    fewer = signed_in.post(split_url(key), typed | lines(("", "1"), (acme.pk, "2"), (globex.pk, "3")) | {"remove": "0"})

    page = fewer.content.decode()
    assert more.count('name="percent_') == 3
    assert 'name="percent_0" value="60"' in more
    assert 'name="percent_1" value="x"' in more
    assert 'value="2026-11-03"' in more
    assert "There is a problem" not in more
    assert page.count('name="percent_') == 2
    assert 'name="percent_0" value="2"' in page
    assert f'<option value="{globex.pk}" selected>' in page


def test_split_is_saved_and_undone(
    signed_in: Client, operator: User, key: Project, acme: Company, globex: Company
) -> None:
    """With a comma as with a point; the message says it and its button takes it back."""
    make_assignment(project=key, company=acme)
    form = {"projects": key.pk, "applies_to": "from", "starts_on": "2026-11-15", "save": "1"}
    form |= lines((acme.pk, "33,33"), ("", ""), (globex.pk, "66.67 %"))

    response = signed_in.post(split_url(key), form, follow=True)
    saved = payers(key)
    change = AssignmentChange.objects.get()
    signed_in.post(f"/assignments/{change.pk}/undo/")

    assert response.redirect_chain[-1][0] == key.provider.get_absolute_url()
    assert (
        "split between <bdi>Globex</bdi> 66.67 % · <bdi>Acme</bdi> 33.33 % from 15 Nov 2026."
        in response.content.decode()
    )
    assert saved == [("1970-01-01", "Acme"), ("2026-11-15", "Globex 66.67 % · Acme 33.33 %")]
    assert change.made_by == operator
    assert payers(key) == [("1970-01-01", "Acme")]


def test_page_begins_with_how_the_keys_are_split_already(
    signed_in: Client, key: Project, acme: Company, globex: Company
) -> None:
    """Where they are split alike; else with blank lines."""
    other = make_project(provider=key.provider)
    split_projects(projects=[key], shares={acme: Decimal("12.5"), globex: Decimal("87.5")}, now=NOW)

    same = signed_in.get(split_url(key), {"projects": key.pk}).content.decode()
    different = signed_in.get(split_url(key), {"projects": [key.pk, other.pk]}).content.decode()

    assert 'name="percent_0" value="12.5"' in same
    assert f'<option value="{globex.pk}" selected>' in same
    assert "12.5" not in different


@pytest.mark.parametrize(
    ("percents", "sentence"),
    [
        (("60", "39.99"), "add up to 99.99; they must add up to exactly 100"),
        (("100", "0"), "more than 0 and less than 100"),
        (("60", "-40"), "Enter a percentage with at most two decimals"),
        (("60", "NaN"), "Enter a percentage with at most two decimals"),
        (("60", "4e1"), "Enter a percentage with at most two decimals"),
        (("60", "1e5"), "Enter a percentage with at most two decimals"),
        (("60", "40.001"), "Enter a percentage with at most two decimals"),
        (("60", "٤٠"), "Enter a percentage with at most two decimals"),
        (("60", "4" * 100_000), "Enter a percentage with at most two decimals"),
        (("60", "40\0"), "Null characters are not allowed."),
        (("60", "400"), "more than 0 and less than 100"),
        (("60", ""), "Enter how many percent Globex pays."),
        (("", ""), "Enter how many percent Acme pays."),
    ],
)
def test_bad_percentages_are_refused_with_a_sentence(
    signed_in: Client, key: Project, acme: Company, globex: Company, percents: tuple[str, str], sentence: str
) -> None:
    """422, at the field, nothing written."""
    form = {"projects": key.pk, "save": "1"} | lines((acme.pk, percents[0]), (globex.pk, percents[1]))

    response = signed_in.post(split_url(key), form)

    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert 'href="#id_percent_' in page
    assert "<title>Error: Split between companies" in page
    assert not AssignmentChange.objects.exists()


@pytest.mark.parametrize(
    ("companies", "sentence"),
    [
        (("acme", "acme"), "Acme is chosen twice."),
        (("acme", ""), "Choose a company."),
        (("", ""), "Choose a company."),
        (("acme", "archived"), "This company doesn&#x27;t exist any more."),
        (("acme", "9" * 100), "This company doesn&#x27;t exist any more."),
        (("acme", "x\0"), "This company doesn&#x27;t exist any more."),
    ],
)
def test_bad_companies_are_refused_with_a_sentence(
    signed_in: Client, key: Project, acme: Company, globex: Company, companies: tuple[str, str], sentence: str
) -> None:
    """422, at the field, nothing written."""
    archived = make_company(archived_at=NOW)
    known = {"acme": acme.pk, "archived": archived.pk}
    form = {"projects": key.pk, "save": "1"} | lines(*((known.get(company, company), "50") for company in companies))

    response = signed_in.post(split_url(key), form)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert 'href="#id_company_' in response.content.decode()
    assert not AssignmentChange.objects.exists()


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"company_1": "", "percent_1": ""}, "Choose at least two companies."),
        ({"applies_to": "sometimes"}, "Choose “All history” or “From a date”."),
        ({"applies_to": "from", "starts_on": ""}, "Enter the date from which on it applies."),
        ({"applies_to": "from", "starts_on": "2026-02-30"}, "Write it as YYYY-MM-DD."),
        ({"applies_to": "from", "starts_on": "1969-01-01"}, "The date must be between"),
        ({"projects": []}, "Choose at least one key."),
        ({"projects": ["x"]}, "Some of these keys don"),
        ({"projects": ["9" * 30]}, "Some of these keys don"),
        ({"projects": [str(number) for number in range(1, 2600)]}, "Choose at most 2000 keys at a time."),
    ],
)
def test_other_bad_splits_are_refused_with_a_sentence(
    signed_in: Client, key: Project, acme: Company, globex: Company, bad: dict[str, Any], sentence: str
) -> None:
    """422, nothing written."""
    form = {"projects": key.pk, "save": "1"} | lines((acme.pk, "50"), (globex.pk, "50")) | bad

    response = signed_in.post(split_url(key), form)

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not AssignmentChange.objects.exists()


def test_another_providers_keys_are_not_split(signed_in: Client, key: Project, acme: Company, globex: Company) -> None:
    """A page is about the keys of one provider."""
    form = {"projects": [key.pk, make_project().pk], "save": "1"} | lines((acme.pk, "50"), (globex.pk, "50"))

    response = signed_in.post(split_url(key), form)

    assert response.status_code == 422
    assert not AssignmentChange.objects.exists()


def test_more_lines_than_the_page_offers_are_not_read(
    signed_in: Client, key: Project, acme: Company, globex: Company
) -> None:
    """Twenty companies are the most."""
    typed = {"projects": key.pk} | lines(*((acme.pk, "1") for _ in range(400)))

    page = signed_in.post(split_url(key), typed | {"add": "1"}).content.decode()

    assert page.count('name="percent_') == 20
    assert 'name="add"' not in page


def test_who_has_one_company_is_told_what_is_missing(signed_in: Client, key: Project, acme: Company) -> None:
    """With the way there."""
    page = signed_in.get(split_url(key), {"projects": key.pk}).content.decode()

    assert "there must be at least two companies" in page


def test_split_page_takes_few_queries(
    signed_in: Client, key: Project, acme: Company, globex: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """However many keys and companies."""
    keys = [key, *(make_project(provider=key.provider) for _ in range(40))]
    for _ in range(40):
        make_company()
    split_projects(projects=keys, shares={acme: Decimal(50), globex: Decimal(50)}, now=NOW)

    with django_assert_num_queries(6):
        signed_in.post(split_url(key), {"projects": [key.pk for key in keys]})


# --- Usage without a key ----------------------------------------------------------------------------------------------


def keyless_url(provider: Provider) -> str:
    return f"/providers/{provider.pk}/keyless/"


def test_keyless_page_explains_its_choices(signed_in: Client) -> None:
    """The stored one is chosen."""
    provider = make_provider(keyless_sharing=Provider.KeylessSharing.EVENLY)

    page = signed_in.get(keyless_url(provider)).content.decode()

    for words in ("Left unassigned", "Shared evenly", "Shared by usage", "Days on which no company qualifies"):
        assert words in page
    assert page.count(" checked") == 1
    assert page.index('value="evenly"') < page.index(" checked") < page.index('value="by_usage"')


def test_keyless_setting_is_saved(signed_in: Client, operator: User, told: Told) -> None:
    """With who did it, and told to whoever attributes usage."""
    provider = make_provider(name="Production")

    response = signed_in.post(keyless_url(provider), {"sharing": "by_usage"})

    provider.refresh_from_db()
    assert response["Location"] == provider.get_absolute_url()
    assert provider.keyless_sharing == "by_usage"
    assert (told.sharing, told.acts[0].actor) == (["Production"], operator)


@pytest.mark.parametrize("bad", [{}, {"sharing": ""}, {"sharing": "everything"}, {"sharing": "x" * 1_000_000}])
def test_bad_keyless_settings_are_refused(signed_in: Client, bad: dict[str, str]) -> None:
    """422 with a sentence, nothing stored."""
    provider = make_provider()

    response = signed_in.post(keyless_url(provider), bad)

    assert response.status_code == 422
    assert "Choose one of the three." in response.content.decode()
    assert Provider.objects.get().keyless_sharing == "none"


def test_assignment_by_hand_is_named_beside_the_setting_and_can_be_given_up(
    signed_in: Client, operator: User, acme: Company
) -> None:
    """It beats the setting; giving it up can be undone."""
    provider = make_provider()
    keyless = make_keyless(provider=provider)
    make_assignment(project=keyless, company=acme)

    page = signed_in.get(keyless_url(provider)).content.decode()
    given_up = signed_in.post(keyless_url(provider), {"forget": "1"}, follow=True).content.decode()
    after = payers(keyless)
    change = AssignmentChange.objects.get()
    signed_in.post(f"/assignments/{change.pk}/undo/")

    assert "is assigned by hand" in page
    assert "Acme" in page
    assert "is assigned by hand" not in given_up
    assert f"/assignments/{change.pk}/undo/" in given_up
    assert after == []
    assert payers(keyless) == [("1970-01-01", "Acme")]


def test_giving_up_nothing_changes_nothing(signed_in: Client) -> None:
    """A form from another tab."""
    provider = make_provider()

    response = signed_in.post(keyless_url(provider), {"forget": "1"})

    assert response["Location"] == keyless_url(provider)
    assert not AssignmentChange.objects.exists()


def test_account_totals_have_nothing_to_share(signed_in: Client) -> None:
    """The page says so."""
    provider = make_provider(source=Provider.Source.ACCOUNT_TOTALS)

    assert "there is no usage without a key to share" in signed_in.get(keyless_url(provider)).content.decode()


# --- Access -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["split/", "keyless/"])
@pytest.mark.parametrize("pk", ["4711", "9" * 40])
def test_unknown_providers_are_not_found(signed_in: Client, action: str, pk: str) -> None:
    """Also ids that no database column can hold."""
    assert signed_in.get(f"/providers/{pk}/{action}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/providers/1/split/", "/providers/1/keyless/", "/rules/", "/rules/apply/"])
def test_every_page_asks_for_a_sign_in(client: Client, path: str) -> None:
    """Nobody sees or changes anything before."""
    for response in (client.get(path), client.post(path, {"save": "1"})):
        assert response["Location"].startswith("/accounts/login/?next=")


def test_admin_shows_assignments_and_rules_and_changes_none(client: Client, now: object, key: Project) -> None:
    """Whatever changes them goes through the services, which remember, lock and tell."""
    client.force_login(make_user(is_staff=True, is_superuser=True))
    assignment = make_assignment(project=key, company=make_company(name="Acme"))

    for model, pk in (("assignment", assignment.pk), ("assignmentchange", None), ("assignmentrule", None)):
        assert client.get(f"/admin/providers/{model}/").status_code == 200
        assert client.get(f"/admin/providers/{model}/add/").status_code == 403
        if pk:
            assert "Acme" in client.get(f"/admin/providers/{model}/{pk}/change/").content.decode()
            assert client.post(f"/admin/providers/{model}/{pk}/change/", {"starts_on": "2026-01-01"}).status_code == 403
            assert client.post(f"/admin/providers/{model}/{pk}/delete/", {"post": "yes"}).status_code == 403


# --- Reassigning from a row -------------------------------------------------------------------------------------------


def row(project: Project, company: object) -> dict[str, Any]:
    """What the row of a key sends: whose it is to be, and nothing of when."""
    return {"projects": [project.pk], "company": company, "next": "/providers/", "ask": "when"}


def test_row_of_a_key_that_was_nobodys_assigns_all_history(signed_in: Client, key: Project, acme: Company) -> None:
    """Nobody has paid for anything of it yet."""
    answer = signed_in.post(f"/providers/{key.provider_id}/assign/", row(key, acme.pk))

    assert (answer.status_code, answer["Location"]) == (302, "/providers/")
    assert payers(key) == [("1970-01-01", "Acme")]


def test_row_of_a_key_that_a_company_pays_asks_from_when_on(
    signed_in: Client, key: Project, acme: Company, globex: Company
) -> None:
    """Nothing is changed before the answer; today is offered, and what was attributed stays."""
    make_assignment(project=key, company=acme)

    answer = signed_in.post(f"/providers/{key.provider_id}/assign/", row(key, globex.pk))

    assert payers(key) == [("1970-01-01", "Acme")]
    page = signed_in.get(answer["Location"]).content.decode()
    assert "will belong to <strong><bdi>Globex</bdi></strong>" in page
    assert 'value="from" checked' in page
    assert 'value="2026-11-22"' in page
    assert 'name="next" value="/providers/"' in page


def test_answer_moves_what_it_says(signed_in: Client, key: Project, acme: Company, globex: Company) -> None:
    """From the day on; the days before keep their company."""
    make_assignment(project=key, company=acme)
    answer = {"projects": [key.pk], "company": globex.pk, "applies_to": "from", "starts_on": "2026-11-15"}

    signed_in.post(f"/providers/{key.provider_id}/assign/", answer)

    assert payers(key) == [("1970-01-01", "Acme"), ("2026-11-15", "Globex")]


def test_rows_of_assigned_keys_ask(signed_in: Client, key: Project, acme: Company) -> None:
    """The row's form says so, as the bulk bar does."""
    make_assignment(project=key, company=acme)

    page = signed_in.get(f"/providers/{key.provider_id}/").content.decode()

    assert page.count('name="ask" value="when"') == 2


@pytest.mark.parametrize("query", ["", "projects=1&company=9999", "projects=x&company=none", "company=none"])
def test_question_about_nothing_is_refused_in_a_sentence(signed_in: Client, key: Project, query: str) -> None:
    """Keys or a company that don't exist."""
    assert signed_in.get(f"/providers/{key.provider_id}/reassign/?{query}").status_code == 422
