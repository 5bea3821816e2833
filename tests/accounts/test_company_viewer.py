"""What a Company viewer can find out: everything that is linked, and what they might try."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl

import pytest
from django.test import Client

from accounts.models import Role
from providers.models import Company
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_split,
    make_usage,
    make_user,
)
from tests.pages import content_of

pytestmark = pytest.mark.any_engine


# None of it may reach a Company viewer of Acme.
HIDDEN = ("Hidden workspace", "Hidden key", "Globex", "Secret notes", "••", "··")


@pytest.fixture
def acme(db: None) -> Company:
    """A company with usage of a key of its own and of one that it shares with another company."""
    acme, globex = make_company(name="Acme", notes="Secret notes"), make_company(name="Globex")
    provider = make_provider(name="Hidden workspace")
    make_read_days(provider=provider, first=TODAY - timedelta(days=60), last=TODAY)
    for number, share in enumerate(({acme: 100}, {acme: 60, globex: 40})):
        project = make_project(provider=provider, name=f"Hidden key {number}", hint="a91f")
        make_split(project=project, shares=share)
        for days in (1, 20, 40):
            make_usage(project=project, day=TODAY - timedelta(days=days))
    others = make_project(provider=provider, name="Hidden key 9")
    make_assignment(project=others, company=globex)
    make_usage(project=others)
    return acme


@pytest.fixture
def reader(client: Client, acme: Company, now: object) -> Client:
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))
    return client


def links(page: str) -> set[str]:
    """The addresses of our own that a page leads to."""
    found = {unescape(link).partition("#")[0] for link in re.findall(r'(?:href|src)="(/[^"]*)"', page)}
    # A link that holds an address would lead to one that holds that, and so on.
    return {link for link in found if not link.startswith("/static/") and "=%2F" not in link}


def choices(link: str) -> set[tuple[str, str, str]]:
    """What is chosen there, to be followed once on each page, not in each combination; any day will do."""
    path, _, query = link.partition("?")
    chosen = parse_qsl(query, keep_blank_values=True)
    return {(path, "", ""), *((path, name, "" if name in {"from", "to"} else value) for name, value in chosen)}


def test_nothing_that_is_linked_tells_of_anything_but_their_company(reader: Client, acme: Company) -> None:
    """Page by page, and every one of them opens: no provider, no key, no other company, no way that is closed."""
    wanted, seen, known = ["/"], {}, set[tuple[str, str, str]]()
    while wanted:
        link = wanted.pop(0)
        response = reader.get(link, follow=True)
        text = content_of(response)
        seen[link] = response.status_code
        assert [word for word in HIDDEN if word in text] == [], link
        if response["Content-Type"].startswith("text/html"):
            for found in sorted(links(text)):
                if not (chosen := choices(found)) <= known:
                    known |= chosen
                    wanted.append(found)

    assert set(seen.values()) == {200}
    assert f"/companies/{acme.pk}/statements/" in seen
    assert len(seen) > 10


@pytest.mark.parametrize(
    "query",
    [
        "?provider=1",
        "?by=key",
        "?by=provider",
        "?csv=keys",
        "?csv=assignments",
        "?csv=models",
        "?csv=days",
        "?provider=1&csv=models",
        "?company=2",
        "?model=x&by=company",
    ],
)
def test_a_guessed_query_tells_nothing_either(reader: Client, acme: Company, query: str) -> None:
    """The tables of keys are not there to be exported."""
    response = reader.get(f"/companies/{acme.pk}/{query}")

    text = b"".join(response).decode()
    assert [word for word in HIDDEN if word in text] == []


def test_their_company_shows_what_it_spent(reader: Client, acme: Company) -> None:
    """By model and day, with a share's part of the shared key."""
    page = reader.get(f"/companies/{acme.pk}/").content.decode()

    # 0.30 of the own key and 60 % of 0.30, on two days of this month.
    assert "$0.96" in page
    assert "eleven_multilingual_v2" in page or "Multilingual v2" in page
