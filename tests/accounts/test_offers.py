"""Nothing is offered that would be refused: every link and form on every page, for each role."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import Resolver404, resolve

from accounts.access import may_open
from accounts.models import Role
from providers.models import Company, Provider, SyncRun
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_rule,
    make_run,
    make_usage,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.fixture
def acme() -> Company:
    """Something of everything that pages offer buttons for: providers in every state, rules, usage, a held answer."""
    acme = make_company(name="Acme")
    make_company(name="Old", archived_at=NOW)
    make_rule(company=acme)
    healthy = make_provider(name="Healthy")
    make_read_days(provider=healthy, first=TODAY - timedelta(days=60), last=TODAY)
    for project in (make_project(provider=healthy), make_keyless(provider=healthy), make_project(provider=healthy)):
        make_usage(project=project, day=TODAY - timedelta(days=40))
        make_usage(project=project, cost=None)
    make_assignment(project=project, company=acme)
    make_run(provider=healthy, outcome=SyncRun.Outcome.SUCCEEDED, finished_at=NOW)
    held = make_provider(name="Held")
    make_run(provider=held, outcome=SyncRun.Outcome.NEEDS_LOOK, finished_at=NOW)
    failed = make_provider(name="Failed")
    make_run(provider=failed, outcome=SyncRun.Outcome.FAILED, error_code="key_refused", finished_at=NOW)
    make_provider(name="Paused", paused_at=NOW)
    make_provider(name="Gone", disconnected_at=NOW)
    return acme


def offers(page: str, address: str) -> tuple[set[str], set[str]]:
    """Where links lead, and where else forms and buttons send something; addresses of our own."""
    page = re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL)
    links = re.findall(r'<a\b[^>]*?\shref="([^"]+)"', page)
    acts = re.findall(r'<form\b[^>]*?\saction="([^"]+)"', page)
    acts += re.findall(r'\b(?:formaction|hx-get|hx-post)="([^"]+)"', page)
    found = ({urljoin(address, unescape(link)) for link in group} for group in (links, acts))
    links_to, sends_to = ({link.partition("#")[0] for link in group if link.startswith("/")} for group in found)
    return links_to, sends_to


def refused(user: User, address: str) -> bool:
    """The start leads everybody to where they belong."""
    path = urlsplit(address).path
    try:
        return path != "/" and not may_open(user, resolve(path))
    except Resolver404:
        return True


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("empty", [False, True])
def test_whatever_a_page_offers_may_be_done(
    client: Client, acme: Company, now: object, role: Role, *, empty: bool
) -> None:
    """Page by page, from the first one on; each address once, whatever its query."""
    if empty:
        Provider.objects.all().delete()
    user = make_user(role=role, companies=[acme] if role == Role.COMPANY_VIEWER else [])
    client.force_login(user)
    wanted, seen, dead = {"/"}, set(), set()
    while wanted:
        address = wanted.pop()
        seen.add(urlsplit(address).path)
        response = client.get(address, follow=True)
        assert response.status_code == 200, address
        if not response["Content-Type"].startswith("text/html"):
            continue
        links, acts = offers(response.content.decode(), address)
        dead |= {f"{urlsplit(address).path} → {offer}" for offer in links | acts if refused(user, offer)}
        new = {link for link in links if urlsplit(link).path not in seen and not link.startswith("/admin/")}
        wanted |= {link for link in new if not refused(user, link)}

    assert "\n".join(sorted(dead)) == ""
    assert len(seen) > 3
