"""Names that want to be more than text, on every page that shows them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import Role
from costs.statements.closing import close_month
from providers.models import Company, SyncRun
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
    make_split,
    make_usage,
    make_user,
)
from tests.pages import content_of

pytestmark = pytest.mark.django_db


def hostile(kind: str, length: int = 120) -> str:
    """Ends an attribute, an element and a script, and would be a formula."""
    return f"={kind}\"'><img/src=x onerror={kind}()></script><script>{kind}()"[:length]


@pytest.fixture
def hostile_names(now: object) -> Company:
    """Everything that others can name – at the provider, in forms, in errors – named like this; one month is closed."""
    owner = make_user(username="owner", first_name=hostile("first"), last_name=hostile("last"), role=Role.ADMIN)
    provider = make_provider(
        name=hostile("provider"),
        failure_code="unexpected",
        failure_text=hostile("failure"),
        subscription={"name": hostile("tier"), "status": hostile("status"), "included": 10},
        model_names={"m": hostile("model")},
        noted_columns=[hostile("column")],
    )
    make_read_days(provider=provider, first=TODAY - timedelta(days=80), last=TODAY)
    companies = [make_company(name=hostile(f"company{number}"), notes=hostile("notes")) for number in range(2)]
    keys = [
        make_project(
            provider=provider,
            name=hostile(f"key{number}"),
            label=hostile("label") if number else "",
            hint="<b>\"'",
            external_id=hostile(f"id{number}"),
            disabled_reason=hostile("reason", 60),
        )
        for number in range(3)
    ]
    make_assignment(project=keys[0], company=companies[0])
    make_split(project=keys[1], shares={companies[0]: 60, companies[1]: 40})
    for project in (*keys, make_keyless(provider=provider)):
        for days in (1, 25, 40):
            make_usage(project=project, day=TODAY - timedelta(days=days), model=hostile(f"model{days}"))
    make_rule(company=companies[0], provider=provider, pattern=hostile("rule"))
    ended: dict[str, Any] = {"provider": provider, "started_at": NOW, "finished_at": NOW, "excerpt": hostile("excerpt")}
    for outcome in (SyncRun.Outcome.FAILED, SyncRun.Outcome.NEEDS_LOOK):
        make_run(outcome=outcome, error_text=hostile("error"), notes=[hostile("note")], **ended)
    close_month(month=date(2026, 10, 1), closed_by=owner, now=NOW)
    return companies[0]


def crawl(visitor: Client, *beginnings: str) -> Iterator[tuple[str, str, str]]:
    """Address, content type and text of every page and file that is linked, each once whatever its figures."""
    wanted, seen = list(beginnings), set[str]()
    while wanted:
        address = wanted.pop(0)
        kind = re.sub(r"\d+", "1", address.partition("?")[0]) + "".join(re.findall("csv=[^&]*|by=[^&]*", address))
        if kind in seen or kind.startswith("/static/") or "logout" in kind:
            continue
        seen.add(kind)
        response = visitor.get(address, follow=True)
        text = content_of(response)
        assert response.status_code == 200, address
        yield address, response["Content-Type"], text
        links = [unescape(link).partition("#")[0] for link in re.findall(r'(?:href|src)="([^"]*)"', text)]
        wanted += [
            link if link.startswith("/") else f"{address.partition('?')[0]}{link}" for link in links if link[:1] in "/?"
        ]


@pytest.mark.any_engine
def test_names_are_only_text(hostile_names: Company, client: Client) -> None:
    """On every page, the Django admin's included, in every attribute, and inert in every file."""
    client.force_login(User.objects.get(username="owner"))
    client.post("/companies/add/", {"name": hostile("new"), "notes": hostile("new")})
    kinds = []

    for address, kind, text in crawl(
        client, "/", "/admin/", "/exports/focus.csv", f"{hostile_names.get_absolute_url()}"
    ):
        kinds.append(kind)
        if kind.startswith("text/html"):
            assert "<img/src" not in text, address
            assert not re.search(r"<script(?![^>]*application/json)[^>]*>\s*[^<\s]", text), address
            assert not re.search(r'="[^"<]*<[^"]*"', text), address
        elif kind.startswith("text/csv"):
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
            assert not [cell for cell in cells if re.match(r"[=+@\t\r]|-[^\d.]", cell)], address

    assert kinds.count("text/csv; charset=utf-8") > 10
    assert len(kinds) > 60


def test_names_are_only_text_to_a_company_viewer(hostile_names: Company, client: Client) -> None:
    """Who sees their own company's."""
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[hostile_names]))

    pages = list(crawl(client, "/"))

    assert len(pages) > 5
    assert [address for address, kind, text in pages if kind.startswith("text/html") and "<img/src" in text] == []
    assert [address for address, _kind, text in pages if "company1" in text or "provider(" in text] == []
