"""What an upgrade makes of statements that were closed, and of companies that had a mark-up, before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("costs", "0006_statement_lines_tell_what_lacks"), ("providers", "0005_plans_in_one_form")]


@pytest.fixture
def before() -> Iterator[Any]:
    """The models of the release whose statements had no numbers."""
    executor = MigrationExecutor(connection)
    executor.migrate(BEFORE)
    yield MigrationExecutor(connection).loader.project_state(BEFORE).apps
    upgrade()


def upgrade() -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    return MigrationExecutor(connection).loader.project_state(executor.loader.graph.leaf_nodes()).apps


def test_closed_statements_are_numbered_and_show_what_they_showed(before: Any) -> None:
    """By month and company name, without gaps; cost and mark-up, by model."""
    companies = {name: before.get_model("providers", "Company").objects.create(name=name) for name in ("beta", "Alpha")}
    for month in (date(2026, 10, 1), date(2026, 9, 1)):
        closed = before.get_model("costs", "ClosedMonth").objects.create(
            month=month, closed_at=datetime(2026, 11, 9, tzinfo=UTC)
        )
        for name, company in companies.items():
            before.get_model("costs", "Statement").objects.create(
                closed_month=closed, company=company, company_name=name
            )

    statements = upgrade().get_model("costs", "Statement").objects.order_by("serial")

    assert list(statements.values_list("number", "company_name", "amounts", "lines_by")) == [
        ("2026-0001", "Alpha", "cost", "model"),
        ("2026-0002", "beta", "cost", "model"),
        ("2026-0003", "Alpha", "cost", "model"),
        ("2026-0004", "beta", "cost", "model"),
    ]


def test_companies_with_a_mark_up_go_on_showing_both(before: Any) -> None:
    """Until somebody chooses the price alone; the others have the default."""
    before.get_model("providers", "Company").objects.create(name="Acme", markup_percent=20)
    before.get_model("providers", "Company").objects.create(name="Globex")

    companies = upgrade().get_model("providers", "Company").objects.order_by("name")

    assert list(companies.values_list("name", "statement_amounts")) == [("Acme", "cost"), ("Globex", "")]
