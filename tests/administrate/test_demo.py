"""The demo's examples: what every part of the product shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from administrate.demo import arrange_examples
from alerts.chart_marks import unusual_days
from alerts.evaluation.watching import evaluate_rules
from alerts.models import Budget, Receipt, SpendEpisode
from alerts.rules.world import World
from core.days import DateRange
from costs.models import ClosedMonth, Statement
from costs.statements.adjustments import closed_months, pending_adjustments
from elevenlabs_sync.simulator.cast import INCIDENT_BEGINS
from providers.models import Assignment, AssignmentRule, Company, Project, Provider
from tests.factories import NOW, make_company, make_project, make_provider
from tests.simulated_world import make_simulated

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.fixture
def provider() -> Provider:
    return make_simulated(now=NOW)


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


@pytest.mark.parametrize("day", ["2026-11-28", "2027-03-01", "2027-10-05"])
def test_the_first_evaluation_finds_the_incident_of_one_company(day: str, admin_user: User) -> None:
    """Whatever day the demo is started on: a loop, seen in its company, its key and the workspace."""
    now = datetime.fromisoformat(f"{day}T09:00").replace(tzinfo=UTC)
    make_simulated(now=now)
    arrange_examples(now=now)

    evaluate_rules(World(now))

    incident = DateRange(now.date() - INCIDENT_BEGINS, now.date() - INCIDENT_BEGINS + timedelta(days=2))
    episodes = SpendEpisode.objects.with_subjects()
    assert {(one.subject, one.days, one.ended) for one in episodes} == {
        (name, incident, "") for name in ("Northwind", "Northwind – support line", "Simulated workspace")
    }
    marks = unusual_days(None, DateRange(now.date() - timedelta(days=29), now.date()))
    assert [(day, mark.text.startswith("Northwind: $")) for day, mark in marks.items()] == [
        (day, True) for day in incident
    ]
    assert Receipt.objects.filter(user=admin_user, alert__title__startswith="Northwind: $").count() == 1
