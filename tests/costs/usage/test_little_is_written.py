"""What a write and a reassignment leave alone, so that their cost grows with what changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from costs.models import AttributedUsage, DailyUsage
from providers.services.assigning import assign_projects
from tests.costs.usage.attributing import usage, write
from tests.factories import NOW, TODAY, make_assignment, make_company, make_project, make_split
from tests.statements import written_out

pytestmark = pytest.mark.django_db


def rows_updated(act: Callable[[], object]) -> int:
    """How many rows of usage ``act`` updated."""
    counts = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        result = execute(sql, params, many, context)
        if sql.lstrip().startswith(f"UPDATE {DailyUsage._meta.db_table}"):
            counts.append(context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(note):
        act()
    return sum(counts)


def test_reassigning_from_a_day_on_rewrites_the_rows_since() -> None:
    """Those of before keep their company."""
    key, globex = make_project(), make_company()
    make_assignment(project=key, company=make_company())
    write(key.provider, [usage(key, TODAY - timedelta(days=n)) for n in range(10)], days=10)
    since = TODAY - timedelta(days=2)

    updated = rows_updated(lambda: assign_projects(projects=[key], company=globex, starts_on=since, now=NOW))

    assert updated == 3
    assert AttributedUsage.objects.filter(company=globex).count() == 3


def test_assigning_again_to_the_same_company_rewrites_nothing() -> None:
    """It pays already."""
    key, acme = make_project(), make_company()
    make_assignment(project=key, company=acme)
    write(key.provider, [usage(key, TODAY)])

    assert rows_updated(lambda: assign_projects(projects=[key], company=acme, now=NOW)) == 0


def test_first_reading_of_days_compares_nothing() -> None:
    """Nothing is stored of them."""
    key = make_project()

    with CaptureQueriesContext(connection) as queries:
        write(key.provider, [usage(key, TODAY)])

    assert not [query for query in queries if "LEFT JOIN costs_dailyusage" in written_out(query["sql"])]


def test_row_that_is_split_names_no_company() -> None:
    """Its parts do, and allocated usage stays so in each."""
    key = make_project()
    make_split(project=key, shares={make_company(): 60, make_company(): 40})

    write(key.provider, [usage(key, TODAY, cost=Decimal(1), allocated=True)])

    row = DailyUsage.objects.get()
    assert (row.company, row.split, row.allocated) == (None, True, True)
    assert list(AttributedUsage.objects.values_list("allocated", flat=True)) == [True, True]
