"""Names from outside on every page: isolated, so that one in Arabic turns nothing round but itself."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

import pytest
from django.test import Client

from accounts.models import Role
from core.names import isolated_in, isolated_payers
from providers.models import Company, Project, Provider
from providers.services.assigning import assign_projects
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_rule,
    make_split,
    make_usage,
    make_user,
)

ARABIC = re.compile(r"[\u0600-\u06ff]+")
COMPANY, PROVIDER, KEY, MODEL, PERSON, PATTERN = "شركة النور", "مساحة العمل", "مفتاح الدعم", "نموذج", "ليلى", "دعم"
# Where no element can stand, and what is only read aloud.
PLAIN = {"title", "option", "textarea", "script", "caption"}


class Outside(HTMLParser):
    """Collects Arabic text that stands in no <bdi>."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the base class passes it
        if tag not in {"meta", "link", "input", "br", "img", "hr", "path", "rect", "circle"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if ARABIC.search(data) and not {"bdi", *PLAIN} & set(self.open):
            self.found.append(" ".join(data.split()))


def outside(page: bytes) -> list[str]:
    parser = Outside()
    parser.feed(page.decode())
    return parser.found


@pytest.fixture
def provider(db: None) -> Provider:
    """With usage of a company's key and of a split one, unread days, and a rule."""
    provider, company = make_provider(name=PROVIDER), make_company(name=COMPANY)
    make_read_days(provider=provider, first=date(2026, 10, 1), last=date(2026, 11, 20))
    key, split = make_project(provider=provider, name=KEY), make_project(provider=provider, name=f"{KEY} 2")
    make_assignment(project=key, company=company)
    make_split(project=split, shares={company: 60, make_company(name=f"{COMPANY} 2"): 40})
    for day in (date(2026, 10, 5), date(2026, 11, 5)):
        make_usage(project=key, day=day, model=MODEL)
        make_usage(project=split, day=day, model=MODEL)
    make_rule(company=company, pattern=PATTERN, provider=provider)
    return provider


PAGES = (
    "/?by=company",
    "/?by=provider",
    "/?by=model",
    "/providers/",
    "/providers/{provider}/",
    "/providers/{provider}/?metric=credits",
    "/providers/{provider}/rename/",
    "/providers/{provider}/key/",
    "/providers/{provider}/pause/",
    "/providers/{provider}/resync/",
    "/providers/{provider}/delete/",
    "/providers/{provider}/keyless/",
    "/providers/{provider}/credit-rate/",
    "/providers/{provider}/restatements/",
    "/providers/{provider}/split/?projects={key}",
    "/providers/{provider}/reassign/?projects={key}&company={company}",
    "/companies/",
    "/companies/{company}/",
    "/companies/{company}/edit/",
    "/companies/{company}/statements/",
    "/companies/{company}/statements/2026-10/",
    "/models/",
    f"/models/usage/?model={MODEL}",
    "/rules/",
    "/rules/apply/",
    "/rules/apply/?applies_to=all",
    "/statements/",
    "/statements/2026-10/",
    "/statements/2026-10/close/",
    "/settings/",
    "/settings/members/",
    "/settings/members/{person}/",
    "/settings/members/{person}/remove/",
    "/settings/audit/",
    "/settings/about/",
)


@pytest.mark.parametrize("path", PAGES)
def test_names_stand_apart_on_every_page(signed_in: Client, provider: Provider, path: str) -> None:
    """Whoever's they are, in headings, tables, legends and sentences."""
    person = make_user(username=PERSON, role=Role.COMPANY_VIEWER, companies=[Company.objects.get(name=COMPANY)])
    key, company = Project.objects.get(name=KEY), Company.objects.get(name=COMPANY)

    page = signed_in.get(path.format(provider=provider.pk, key=key.pk, company=company.pk, person=person.pk))

    assert page.status_code == 200
    assert outside(page.content) == []


@pytest.mark.parametrize("path", ["/companies/{company}/", "/companies/{company}/statements/", "/settings/"])
def test_names_stand_apart_to_a_company_viewer(client: Client, provider: Provider, path: str) -> None:
    """Who sees fewer of them."""
    company = Company.objects.get(name=COMPANY)
    client.force_login(make_user(username=PERSON, role=Role.COMPANY_VIEWER, companies=[company]))

    page = client.get(path.format(company=company.pk))

    assert ARABIC.search(page.content.decode())
    assert outside(page.content) == []


def test_names_stand_apart_in_what_is_said_of_an_act(signed_in: Client, provider: Provider) -> None:
    """Here of an assignment and of its Undo."""
    key = make_project(provider=provider)
    change = assign_projects(projects=[key], company=Company.objects.get(name=COMPANY), starts_on=TODAY, now=NOW)

    page = signed_in.post(f"/assignments/{change.pk}/undo/", {"next": "/providers/"}, follow=True)

    assert f"Undone: 1 key assigned to <bdi>{COMPANY}</bdi>" in page.content.decode()


def test_sentence_that_mentions_names_stays_escaped() -> None:
    """The longest name wins, and only whole ones count."""
    said = isolated_in("A&B, A and <A&B Ltd> at AB", ["A", "A&B", "A&B Ltd"])

    assert said == "<bdi>A&amp;B</bdi>, <bdi>A</bdi> and &lt;<bdi>A&amp;B Ltd</bdi>&gt; at AB"


def test_a_name_that_is_part_of_an_entity_breaks_none() -> None:
    """A company may be called "amp"; the ampersand of another stays what it is."""
    assert isolated_in("A&B beside amp", ["amp"]) == "A&amp;B beside <bdi>amp</bdi>"


def test_percentages_of_payers_stay_outside_their_names() -> None:
    """As they would turn round with it."""
    assert isolated_payers(f"{COMPANY} 60 % · Acme <1> 40 %") == (
        f"<bdi>{COMPANY}</bdi> 60 % · <bdi>Acme &lt;1&gt;</bdi> 40 %"
    )
