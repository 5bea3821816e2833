"""The demo's examples: what every part of the product shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from administrate.demo import arrange_examples
from alerts.models import Budget
from costs.models import ClosedMonth, Statement
from costs.statements.adjustments import closed_months, pending_adjustments
from costs.usage.writing import Usage, write_usage
from elevenlabs_sync.simulator import SimulatedWorkspace
from providers.models import Assignment, AssignmentRule, Company, Project, Provider
from tests.factories import make_company, make_project, make_provider

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    """The simulated workspace's last 80 days, as a sync would have stored them."""
    workspace = SimulatedWorkspace(NOW.date(), 80)
    provider = make_provider(history_from=workspace.first_day)
    projects = {
        key.slug: make_project(provider=provider, name=key.name, external_id=key.slug)
        for key in workspace.cast
        if key.name
    }
    used = workspace.used(workspace.first_day, NOW.date() + timedelta(days=1))
    rows = [
        Usage(
            projects[one.slug].pk,
            one.day,
            one.model,
            one.credits,
            one.minutes,
            one.requests,
            one.cost,
            "usd" if one.cost is not None else "",
        )
        for one in used
        if one.slug in projects
    ]
    write_usage(provider=provider, first=workspace.first_day, last=NOW.date(), rows=rows, read_at=NOW)
    return provider


@pytest.mark.usefixtures("provider")
def test_examples_show_what_the_product_does() -> None:
    """Companies, rules, a split, a mark-up, a closed month with a correction since, and a budget."""
    assert arrange_examples(now=NOW)

    assert {"Harbor Clinic", "Northwind", "Oakfield Bank"} <= set(Company.objects.values_list("name", flat=True))
    assert AssignmentRule.objects.count() >= 5
    assert any(" · " in assignment.payers for assignment in Assignment.objects.all())
    assert Company.objects.get(name="Northwind").markup_percent == 15
    assert str(ClosedMonth.objects.get()) == "October 2026"
    assert Statement.objects.count() >= 5
    closed = closed_months()
    assert closed is not None
    corrected = Company.objects.filter(pk__in=[pk for pk, _line in pending_adjustments(closed)])
    assert {company.name for company in corrected} == {"Northwind", "Oakfield Bank"}
    assert Budget.objects.get().company == Company.objects.get(name="Harbor Clinic")


def test_examples_are_not_mixed_with_what_there_is(provider: Provider) -> None:
    """Whoever has a company has begun already."""
    make_company(name="Acme")

    assert not arrange_examples(now=NOW)
    assert not Assignment.objects.exists()


def test_without_a_closable_month_there_are_companies_alone() -> None:
    """As on the first days of a history."""
    provider = make_provider(history_from=NOW.date())
    make_project(provider=provider, name="Northwind – IVR")

    assert arrange_examples(now=NOW)

    assert not ClosedMonth.objects.exists()
    assert Project.objects.get().assignments.count() == 1
