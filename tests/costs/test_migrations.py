"""What an upgrade makes of statements that were closed, and of companies that had a mark-up, before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from costs.models import Statement
from providers.models import Company

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("costs", "0006_statement_lines_tell_what_lacks"), ("providers", "0005_plans_in_one_form")]


@pytest.fixture
def before() -> Iterator[Any]:
    """The models of the release whose statements had no numbers."""
    executor = MigrationExecutor(connection)
    executor.migrate(BEFORE)
    yield MigrationExecutor(connection).loader.project_state(BEFORE).apps
    upgrade()


def upgrade() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_closed_statements_and_companies_with_a_mark_up_go_on_showing_what_they_showed(before: Any) -> None:
    """Statements are numbered by month and company name, without gaps; a company shows both until somebody chooses."""
    companies = [
        before.get_model("providers", "Company").objects.create(name=name, markup_percent=percent)
        for name, percent in (("beta", 20), ("Alpha", None))
    ]
    for month in (date(2026, 10, 1), date(2026, 9, 1)):
        closed = before.get_model("costs", "ClosedMonth").objects.create(
            month=month, closed_at=datetime(2026, 11, 9, tzinfo=UTC)
        )
        for company in companies:
            before.get_model("costs", "Statement").objects.create(
                closed_month=closed, company=company, company_name=company.name
            )

    upgrade()

    assert list(Statement.objects.order_by("serial").values_list("number", "company_name", "amounts", "lines_by")) == [
        ("2026-0001", "Alpha", "cost", "model"),
        ("2026-0002", "beta", "cost", "model"),
        ("2026-0003", "Alpha", "cost", "model"),
        ("2026-0004", "beta", "cost", "model"),
    ]
    shown = Company.objects.order_by("pk").values_list("name", "statement_amounts")
    assert list(shown) == [("beta", "cost"), ("Alpha", "")]
