"""Nothing that somebody has paid for moves to somebody else unless a person has said so."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from providers.models import Assignment, AssignmentChange, Company, Project, Provider
from tests.factories import (
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_rule,
    make_split,
)

CHECKED = re.compile(r'name="applies_to" value="(\w+)" checked')


@pytest.fixture
def provider(db: None) -> Provider:
    return make_provider()


@pytest.fixture
def acme(db: None) -> Company:
    return make_company(name="Acme")


@pytest.fixture
def globex(db: None) -> Company:
    return make_company(name="Globex")


def bulk(page: str, **chosen: Any) -> dict[str, Any]:
    """What the bulk bar of the provider's ``page`` sends: its hidden fields, what stands checked, what is chosen."""
    bar = page[page.index('id="bulk"') :]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', bar[: bar.index("</form>")]))
    checked = [("applies_to", value) for value in CHECKED.findall(bar)]
    return hidden | dict(checked) | {"next": "/providers/"} | chosen


def periods_of(project: Project) -> list[tuple[str, str]]:
    return [(period.starts_on.isoformat(), period.payers) for period in Assignment.objects.filter(project=project)]


def page_of(client: Client, provider: Provider) -> str:
    return client.get(f"/providers/{provider.pk}/").content.decode()


def test_bulk_bar_chooses_nothing_beforehand(signed_in: Client, provider: Provider, acme: Company) -> None:
    """Neither all history nor a date; and it asks to be asked."""
    make_assignment(project=make_project(provider=provider), company=acme)

    sent = bulk(page_of(signed_in, provider))

    assert "applies_to" not in sent
    assert sent["ask"] == "when"


def test_bulk_bar_moves_all_history_of_keys_that_were_nobodys(
    signed_in: Client, provider: Provider, acme: Company
) -> None:
    """There is nothing to ask about."""
    key = make_project(provider=provider)
    sent = bulk(page_of(signed_in, provider), projects=[key.pk], company=acme.pk)

    signed_in.post(f"/providers/{provider.pk}/assign/", sent)

    assert periods_of(key) == [("1970-01-01", "Acme")]


@pytest.mark.parametrize("new_company", [False, True])
def test_bulk_bar_asks_where_a_key_was_paid_for(
    signed_in: Client, provider: Provider, acme: Company, globex: Company, *, new_company: bool
) -> None:
    """One of many is enough; nothing is written before the answer, and today is what is offered."""
    keys = [make_project(provider=provider), make_project(provider=provider)]
    make_assignment(project=keys[0], company=acme)
    named = {"company": "new", "new_company": "Initech & Co"} if new_company else {"company": globex.pk}
    sent = bulk(page_of(signed_in, provider), projects=[key.pk for key in keys], **named)

    answer = signed_in.post(f"/providers/{provider.pk}/assign/", sent)
    page = signed_in.get(answer["Location"]).content.decode()

    assert [periods_of(key) for key in keys] == [[("1970-01-01", "Acme")], []]
    assert CHECKED.findall(page) == ["from"]
    assert f"will belong to <strong><bdi>{'Initech &amp; Co' if new_company else 'Globex'}</bdi></strong>" in page
    assert page.count('name="projects"') == 2


def test_question_names_who_pays_today(signed_in: Client, provider: Provider, acme: Company, globex: Company) -> None:
    """Key by key, so that the person knows what would move."""
    web, phone = make_project(provider=provider, name="Web"), make_project(provider=provider, name="Phone")
    make_split(project=web, shares={acme: 60, globex: 40})
    query = f"projects={web.pk}&projects={phone.pk}&company=none"

    page = signed_in.get(f"/providers/{provider.pk}/reassign/?{query}").content.decode()

    assert '<li class="badge"><bdi>Web</bdi> – <bdi>Acme</bdi> 60 % · <bdi>Globex</bdi> 40 %</li>' in page
    assert '<li class="badge"><bdi>Phone</bdi> – <bdi>Unassigned</bdi></li>' in page


def test_new_company_of_the_answer_is_made(signed_in: Client, provider: Provider, acme: Company) -> None:
    """The question remembers its name until it is answered."""
    key = make_project(provider=provider)
    make_assignment(project=key, company=acme)
    sent = bulk(page_of(signed_in, provider), projects=[key.pk], company="", new_company="Initech")
    question = signed_in.get(signed_in.post(f"/providers/{provider.pk}/assign/", sent)["Location"]).content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(company|new_company|projects)" value="([^"]*)"', question))

    signed_in.post(
        f"/providers/{provider.pk}/assign/", hidden | {"applies_to": "from", "starts_on": "2026-11-15", "next": "/"}
    )

    assert periods_of(key) == [("1970-01-01", "Acme"), ("2026-11-15", "Initech")]


@pytest.mark.parametrize("applies_to", ["all", "from"])
def test_who_has_said_from_when_on_is_not_asked_again(
    signed_in: Client, provider: Provider, acme: Company, globex: Company, applies_to: str
) -> None:
    """Choosing in the bulk bar is an answer."""
    key = make_project(provider=provider)
    make_assignment(project=key, company=acme)
    chosen = {"projects": [key.pk], "company": globex.pk, "applies_to": applies_to, "starts_on": "2026-11-15"}

    signed_in.post(f"/providers/{provider.pk}/assign/", bulk(page_of(signed_in, provider), **chosen))

    moved = ("1970-01-01", "Globex"), ("2026-11-15", "Globex")
    assert periods_of(key) == ([moved[0]] if applies_to == "all" else [("1970-01-01", "Acme"), moved[1]])


@pytest.mark.parametrize("sharing", [Provider.KeylessSharing.NONE, Provider.KeylessSharing.EVENLY])
def test_keyless_usage_that_is_shared_asks(signed_in: Client, acme: Company, sharing: str) -> None:
    """Companies pay for it by the provider's setting, without any period."""
    provider = make_provider(keyless_sharing=sharing)
    keyless = make_keyless(provider=provider)
    sent = bulk(page_of(signed_in, provider), projects=[keyless.pk], company=acme.pk)

    answer = signed_in.post(f"/providers/{provider.pk}/assign/", sent)

    assert ("/reassign/" in answer["Location"]) == (sharing != Provider.KeylessSharing.NONE)
    assert AssignmentChange.objects.exists() == (sharing == Provider.KeylessSharing.NONE)


@pytest.mark.parametrize("paid", [True, False])
def test_split_offers_today_where_a_key_was_paid_for(
    signed_in: Client, provider: Provider, acme: Company, globex: Company, *, paid: bool
) -> None:
    """All history only where it was nobody's."""
    key = make_project(provider=provider)
    if paid:
        make_assignment(project=key, company=acme)

    page = signed_in.get(f"/providers/{provider.pk}/split/", {"projects": key.pk}).content.decode()

    assert CHECKED.findall(page) == ["from" if paid else "all"]


@pytest.mark.parametrize("paid", [True, False])
def test_rules_offer_today_where_a_key_was_paid_for(
    signed_in: Client, provider: Provider, acme: Company, globex: Company, *, paid: bool
) -> None:
    """The preview is then of today as well."""
    key = make_project(provider=provider, name="globex hotline")
    make_rule(company=globex, pattern="globex")
    if paid:
        make_assignment(project=key, company=acme)
        Assignment.objects.update(source=Assignment.Source.RULE)

    page = signed_in.get("/rules/apply/").content.decode()

    assert CHECKED.findall(page) == ["from" if paid else "all"]
    assert ("All history moves." in page) == (not paid)
    assert ("From 22 Nov 2026 on (UTC)" in page) == paid
