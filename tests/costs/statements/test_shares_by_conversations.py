"""What was shared by conversations says so wherever it is shown or billed."""

from __future__ import annotations

import pytest
from django.test import Client

from costs.models import StatementLine
from costs.statements.closing import close_month
from providers.models import Project
from tests.costs.worlds import NEXT_YEAR, SEPTEMBER, make_world
from tests.factories import make_usage
from tests.pages import page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Project:
    """Of a company, with a share of September's usage."""
    _acme, _bco, key = make_world()
    Project.objects.filter(pk=key.pk).update(kind=Project.Kind.AGENT, name="Reception", label="", is_allocated=True)
    make_usage(project=key, day=SEPTEMBER, cost=10, allocated=True)
    key.refresh_from_db()
    return key


def test_statement_line_says_it(agent: Project) -> None:
    """Frozen with the statement."""
    close_month(month=SEPTEMBER, now=NEXT_YEAR)

    assert set(StatementLine.objects.values_list("key_name", flat=True)) == {"Reception (allocated by conversations)"}


def test_pages_say_it_beside_the_name(admin_client: Client, agent: Project) -> None:
    """Of the provider and of the company that pays."""
    company = agent.assignments.get().shares.get().company

    for page in (agent.provider.get_absolute_url(), company.get_absolute_url()):
        assert "Reception Agent Allocated by conversations" in page_of(
            admin_client, f"{page}?from=2026-09-01&to=2026-09-30"
        )
