"""The database joins rows with their payers as providers.models.Periods names them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs.models import AttributedUsage
from costs.usage.attribution import attribute
from providers.models import BEGINNING, Assignment, Company, Periods, Provider
from tests.factories import make_assignment, make_company, make_project, make_usage

SECOND = date(2026, 11, 15)
days = st.dates(SECOND - timedelta(days=5), SECOND + timedelta(days=5))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(starts=st.dictionaries(st.one_of(st.just(BEGINNING), days), st.integers(0, 2), max_size=4), day=days)
def test_row_goes_to_the_payer_that_its_periods_name(db: None, starts: dict[date, int], day: date) -> None:
    """So that attribution by the database and every page agree."""
    key, companies = make_project(), [make_company(), make_company(), None]
    for starts_on, number in starts.items():
        make_assignment(project=key, company=companies[number], starts_on=starts_on)
    make_usage(project=key, day=day)

    attribute([key.pk])

    periods = Assignment.objects.filter(project=key).by_project().get(key.pk, Periods())
    (attributed,) = AttributedUsage.objects.all()
    payer = attributed.company_id
    assert periods.payers_on(day) == (((payer, Decimal(100)),) if payer else ())
    Provider.objects.all().delete()
    Company.objects.all().delete()


def test_many_projects_are_attributed_at_once(db: None) -> None:
    """Each row once."""
    company = make_company()
    keys = [make_project() for _number in range(5)]
    for key in keys:
        make_assignment(project=key, company=company)
        make_usage(project=key, day=SECOND)

    attribute([key.pk for key in keys])

    attributed = AttributedUsage.objects.values_list("project_id", "company_id")
    assert sorted(attributed) == [(key.pk, company.pk) for key in keys]
