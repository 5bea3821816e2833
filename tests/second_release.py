"""`python -m tests.second_release`: the database that the environment names, as the second release left it, with data.

What the first release left, brought up to the second, and what came with that: a closed month with a frozen statement,
a rule, a plan as ElevenLabs' fields, sessions in tables of Django and django-allauth. Printed is the CSV that
`export_usage` has to make of it, now and after every upgrade.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.first_release import FIRST, HEADER, fill, migrated_to, order

SECOND = {
    "administrate": "0002_heartbeats",
    "accounts": "0003_audit_log",
    "providers": "0003_assignment_rules",
    "costs": "0003_statements",
}
JANUARY = date(2026, 1, 1)
MARKUP_PERCENT = Decimal(20)
# In January 2026, at Acme: two lines, 10.02 and 0.01, with the mark-up 12.036.
FROZEN = (Decimal("10.0200000001"), Decimal("0.0099999999"))
FROZEN_TOTAL = "$12.04"
PLAN = {
    "tier": "scale",
    "status": "active",
    "character_count": 412_000,
    "character_limit": 500_000,
    "next_character_count_reset_unix": 1_900_000_000,
    "currency": "usd",
}
SESSION_TABLES = ("django_session", "usersessions_usersession")


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "administrate.settings")
    django.setup()
    lines = fill(migrated_to(FIRST))
    close_january(migrated_to(SECOND))
    keep_sessions()
    sys.stdout.write("\n".join([HEADER, *sorted(lines, key=order)]) + "\n")


def close_january(apps: Any) -> None:
    """Freeze a statement, leave a rule and a plan."""
    model = apps.get_model
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    acme = model("providers", "Company").objects.get(name="Acme")
    acme.markup_percent = MARKUP_PERCENT
    acme.save()
    model("providers", "Provider").objects.filter(name="Production").update(
        subscription=PLAN, subscription_read_at=moment
    )
    model("providers", "AssignmentRule").objects.create(
        position=1, kind="contains", pattern="acme", company=acme, created_at=moment
    )
    closed = model("costs", "ClosedMonth").objects.create(month=JANUARY, closed_at=moment)
    statement = model("costs", "Statement").objects.create(
        closed_month=closed, company=acme, company_name="Acme", markup_percent=MARKUP_PERCENT
    )
    for number, cost in enumerate(FROZEN):
        model("costs", "StatementLine").objects.create(
            statement=statement,
            kind="usage",
            month=JANUARY,
            provider_name="Production",
            key_name="Hotline",
            model=f"model_{number}",
            model_name=f"Model {number}",
            credits=Decimal(5),
            requests=1,
            cost=cost,
            currency="usd",
        )


def keep_sessions() -> None:
    """The tables in which the keys of sessions lay readable."""
    from django.db import connection

    with connection.cursor() as cursor:
        for table in SESSION_TABLES:
            cursor.execute(f"CREATE TABLE {table} (session_key varchar(40) NOT NULL)")


if __name__ == "__main__":
    main()
