"""How many queries the pages of statements take where everything that a statement can say is to be said."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from costs.models import DailyUsage
from providers.models import Company
from providers.services.assigning import assign_projects
from tests.costs.worlds import AUGUST, HALLOWEEN, OCTOBER, SEPTEMBER, close, make_acme, make_key, path_of, restate
from tests.factories import NOW, make_company, make_project, make_restatement, make_usage, make_user

pytestmark = pytest.mark.django_db

MOST_QUERIES = 15


def make_everything() -> Company:
    """August and September are closed. Since then a price was taken back, another was restated, the rate of an estimate
    was changed, and keys were assigned anew, to a company without a statement.
    """
    acme, key = make_acme()
    keys = [key, *(make_key(acme, provider=key.provider) for _ in range(3))]
    for each in keys:
        for day in (AUGUST, SEPTEMBER, OCTOBER):
            make_usage(project=each, day=day, estimated=True)
            make_usage(project=each, day=day + timedelta(days=3), model="other")
    taken_back, changed = keys[0].usage.get(day=SEPTEMBER + timedelta(days=3)), keys[1].usage.get(day=SEPTEMBER)
    close(AUGUST)
    close(SEPTEMBER)
    later = NOW + timedelta(hours=1)
    restate(taken_back, None)
    restate(changed, Decimal(7))
    make_restatement(project=changed.project, day=SEPTEMBER, restated_at=later)
    restate(keys[2].usage.get(day=SEPTEMBER), Decimal(9))
    DailyUsage.objects.filter(project=keys[2]).update(updated_at=later)
    assign_projects(projects=keys[2:], company=make_company(name="Bluebird"), starts_on=None, now=later)
    make_usage(project=make_project(provider=key.provider), day=OCTOBER)
    make_company(name="Quiet")
    make_usage(project=keys[0], day=HALLOWEEN, model="third", cost=None)
    return acme


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200, path
    return len(asked)


@pytest.fixture
def acme(db: None) -> Company:
    return make_everything()


def test_pages_of_all_companies_stay_within_fifteen_queries(signed_in: Client, acme: Company) -> None:
    """Lists, closed months, the next to be closed, and their files."""
    months = [f"/statements/{month}/" for month in ("2026-08", "2026-09", "2026-10")]
    files = [f"{months[1]}statements.pdf", f"{months[2]}statements.zip", f"{months[2]}accounting.csv"]
    paths = ["/statements/", "/statements/?csv=months", *months, f"{months[2]}close/", *files]

    asked = {path: queries(signed_in, path) for path in paths}

    assert {path: number for path, number in asked.items() if number > MOST_QUERIES} == {}, asked


@pytest.mark.parametrize("role", [Role.ADMIN, Role.COMPANY_VIEWER])
def test_pages_of_a_company_stay_within_fifteen_queries(client: Client, acme: Company, role: Role) -> None:
    """Whoever reads them; a company's own viewer is also asked about, and shown the letterhead's name."""
    client.force_login(make_user(role=role, companies=[acme] if role == Role.COMPANY_VIEWER else []))
    months = ("2026-07", "2026-08", "2026-09", "2026-10", "2026-11")
    paths = [f"/companies/{acme.pk}/statements/", *(path_of(acme, month) for month in months)]

    asked = {path: queries(client, path) for path in paths}

    assert {path: number for path, number in asked.items() if number > MOST_QUERIES} == {}, asked
