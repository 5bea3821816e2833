"""How heavy pages are for an agency with 3 workspaces, 300 keys and 60 companies."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from operator import gt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from providers.models import Assignment, AssignmentShare, Company, Project, Provider
from tests.accounts.worlds import OURS, World, address
from tests.accounts.worlds import world as world
from tests.factories import (
    TODAY,
    make_company,
    make_episode,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_rule,
    make_split,
    make_usage,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

WORKSPACES, KEYS, COMPANIES = 3, 300, 60
MODELS = ("eleven_multilingual_v2", "eleven_flash_v2_5", "eleven_v3", "scribe_v1", "eleven_turbo_v2_5")
MOST = (100_000, 1_500, 15)  # bytes, rows, queries
MONTH = (TODAY - timedelta(days=40)).replace(day=1)


@pytest.fixture
def agency(now: object) -> tuple[Project, Company]:
    """All that asks a page for more: every workspace has been read and uses something without a key, prices of the last
    days are missing, a key in ten is not assigned, one is split, and a day is unusual.
    """
    providers = [make_provider(name=f"Workspace {number}") for number in range(WORKSPACES)]
    companies = [make_company(name=f"Client company {number:02} GmbH & Co. KG") for number in range(COMPANIES)]
    keys = [
        make_project(
            provider=providers[n % WORKSPACES], name=f"Client company {n % COMPANIES:02} – line {n}", hint=f"{n:04}"
        )
        for n in range(KEYS)
    ]
    for n, key in enumerate(keys):
        for back in (1, 9, 40):
            cost = Decimal(n) / 8 + 1
            make_usage(
                project=key,
                day=TODAY - timedelta(days=back),
                model=MODELS[n % len(MODELS)],
                cost=None if back == 1 and n % 7 == 0 else cost,
            )
    for provider in providers:
        keyless = make_keyless(provider=provider)
        for back in (1, 9, 40):
            make_usage(project=keyless, day=TODAY - timedelta(days=back))
    pay({key: companies[n % COMPANIES] for n, key in enumerate(keys) if n % 10})
    pay(dict.fromkeys(Project.objects.filter(provider__name="Hidden workspace", kind="key"), companies[0]))
    make_split(project=keys[11], shares={companies[1]: "40", companies[2]: "60"}, starts_on=TODAY)
    for provider in Provider.objects.all():
        make_read_days(provider=provider, first=TODAY - timedelta(days=60), last=TODAY)
    for company in companies:
        make_rule(company=company)
    make_episode(company=companies[1])
    return keys[0], companies[1]


def pay(payers: Mapping[Project, Company]) -> None:
    """Derives nothing."""
    assignments = Assignment.objects.bulk_create([Assignment(project=key) for key in payers])
    shares = zip(assignments, payers.values(), strict=True)
    AssignmentShare.objects.bulk_create([AssignmentShare(assignment=each, company=who) for each, who in shares])


# What an address can ask of a page, beside itself; by the name of the URL.
ASKED = {
    "dashboard": (
        *(
            f"?by={by}&compare={before}&{days}"
            for by in ("company", "provider", "model")
            for before in ("", "before")
            for days in ("", "from=2025-11-23&to=2026-11-22")
        ),
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

    pay(dict.fromkeys(Project.objects.filter(assignments=None, kind="key"), company))
    for path in ("/", *(f"/{asked}" for asked in ASKED["dashboard"])):
        weights |= {f"{path} where every key is assigned": one for one in weight(world.people["admin"], path).values()}

    assert len(weights) > 100
    assert {path: one for path, one in weights.items() if any(map(gt, one, MOST))} == {}


def weight(client: Client, path: str) -> dict[str, tuple[int, int, int]]:
    """Bytes, rows and queries of a page; nothing of what is none."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    if answer.status_code != 200 or answer.streaming or not answer["Content-Type"].startswith("text/html"):
        return {}
    rows = len(re.findall(rb"<(?:tr|li|option)\b", answer.content))
    return {path: (len(gzip.compress(answer.content)), rows, len(queries))}
