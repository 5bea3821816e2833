"""How heavy pages are for an agency with 3 workspaces, 300 keys and 60 companies."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from decimal import Decimal
from operator import gt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from providers.models import Assignment, AssignmentShare, Company, Project
from tests.accounts.worlds import OURS, World, address
from tests.accounts.worlds import world as world
from tests.factories import (
    TODAY,
    attributed_together,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_rule,
    make_usage,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

WORKSPACES, KEYS, COMPANIES = 3, 300, 60
MODELS = ("eleven_multilingual_v2", "eleven_flash_v2_5", "eleven_v3", "scribe_v1", "eleven_turbo_v2_5")
MOST = (100_000, 1_500, 15)  # bytes, rows, queries
MONTH = (TODAY - timedelta(days=40)).replace(day=1)


@pytest.fixture
def agency(now: object) -> tuple[Project, Company]:
    """Every key of it has cost something lately; one in ten has no company."""
    providers = [make_provider(name=f"Workspace {number}") for number in range(WORKSPACES)]
    companies = [make_company(name=f"Client company {number:02} GmbH & Co. KG") for number in range(COMPANIES)]
    keys = [
        make_project(
            provider=providers[n % WORKSPACES], name=f"Client company {n % COMPANIES:02} – line {n}", hint=f"{n:04}"
        )
        for n in range(KEYS)
    ]
    with attributed_together():
        for n, key in enumerate(keys):
            for back in (1, 9, 40):
                cost = Decimal(n) / 8 + 1
                make_usage(project=key, day=TODAY - timedelta(days=back), model=MODELS[n % len(MODELS)], cost=cost)
        paid = [(Assignment(project=key), companies[n % COMPANIES]) for n, key in enumerate(keys) if n % 10]
        Assignment.objects.bulk_create([assignment for assignment, _company in paid])
        AssignmentShare.objects.bulk_create([AssignmentShare(assignment=each, company=who) for each, who in paid])
    for provider in providers:
        make_read_days(provider=provider, first=TODAY - timedelta(days=60), last=TODAY)
    for company in companies:
        make_rule(company=company)
    return keys[0], companies[1]


# What an address can ask of a page, beside itself; by the name of the URL.
ASKED = {
    "dashboard": (
        "?by=model",
        "?by=provider",
        "?compare=before&step=week",
        "?from=2026-01-01&to=2026-11-22&table=days",
    ),
    "companies:list": ("?show=all", "?q=client", "?sort=name"),
    "companies:detail": ("?by=key&metric=credits", "?compare=before", "?from=2026-01-01&to=2026-11-22&table=days"),
    "keys:list": ("?q=client", "?unassigned=yes", "?page=3", "?column=share&column=first&column=hint&column=minutes"),
    "keys:detail": ("?metric=requests",),
    "providers:detail": ("?show=unassigned", "?page=2", "?metric=minutes&step=week"),
    "models:detail": (f"?model={MODELS[0]}",),
    "search": ("?q=client",),
}


def test_no_page_is_heavy(world: World, agency: tuple[Project, Company]) -> None:
    """Every address that shows one: compressed as it is sent, rows of tables and lists, and queries."""
    key, company = agency
    places = world.arguments | {
        "providers": {"pk": key.provider_id},
        "keys": {"pk": key.pk},
        "companies": {"pk": company.pk, "month": MONTH},
        "statements": {"month": MONTH},
    }
    agencys = World(world.people, places)
    weights: dict[str, tuple[int, int, int]] = {}
    for name, pattern in OURS.items():
        url = address(agencys, name, pattern)
        for path in (url, *(f"{url}{asked}" for asked in ASKED.get(name, ()))):
            weights |= weight(world.people["admin"], path)

    assert len(weights) > 80
    assert {path: one for path, one in weights.items() if any(map(gt, one, MOST))} == {}


def weight(client: Client, path: str) -> dict[str, tuple[int, int, int]]:
    """Bytes, rows and queries of a page; nothing of what is none."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    if answer.status_code != 200 or answer.streaming or not answer["Content-Type"].startswith("text/html"):
        return {}
    rows = len(re.findall(rb"<(?:tr|li|option)\b", answer.content))
    return {path: (len(gzip.compress(answer.content)), rows, len(queries))}
