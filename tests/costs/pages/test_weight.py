"""How heavy pages are for an agency with 3 workspaces, 300 keys and 60 companies."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from providers.models import Assignment, AssignmentShare, Company, Project
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
MOST_BYTES, MOST_ROWS = 100_000, 1_500
MONTH = f"{TODAY - timedelta(days=40):%Y-%m}"


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


def test_no_page_is_heavy(signed_in: Client, agency: tuple[Project, Company]) -> None:
    """Compressed as it is sent; rows are those of tables and lists."""
    key, company = agency
    pages = [
        *("/", "/?by=model", "/?show=all", "/companies/", "/companies/?show=all", "/companies/suggested/"),
        *(company.get_absolute_url(), f"{company.get_absolute_url()}statements/{MONTH}/"),
        *("/keys/", f"/keys/{key.pk}/", "/keys/changes/", "/providers/", key.provider.get_absolute_url()),
        *("/statements/", f"/statements/{MONTH}/", "/models/", f"/models/usage/?model={MODELS[0]}"),
        *("/rules/", "/rules/add/", "/budgets/", "/budgets/add/", "/alerts/", "/search/?q=client"),
        *("/settings/", "/settings/members/", "/settings/members/invite/", "/settings/audit/"),
    ]
    weights = {path: weight(signed_in, path) for path in pages}

    assert {path: one for path, one in weights.items() if one[0] > MOST_BYTES or one[1] > MOST_ROWS} == {}, weights


def weight(client: Client, path: str) -> tuple[int, int]:
    """Bytes and rows."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return len(gzip.compress(answer.content)), len(re.findall(rb"<(?:tr|li|option)\b", answer.content))
