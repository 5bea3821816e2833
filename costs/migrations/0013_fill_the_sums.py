"""The sums by day, week and month are made from what is stored, one provider after the other.

Each in a transaction of its own: what was ended half-way goes on with the provider that comes next.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta

from django.db import migrations, transaction

logger = logging.getLogger(__name__)

FIGURES = ("credits", "minutes", "requests", "cost")
COUNTERS = ("unpriced_rows", "estimated_rows", "untold_credits", "untold_minutes", "untold_requests")
UNKNOWN = "(used.credits IS NULL AND used.minutes IS NULL AND used.requests IS NULL AND used.cost IS NULL)"
USED = f"(used.credits > 0 OR used.minutes > 0 OR used.requests > 0 OR used.cost > 0 OR {UNKNOWN})"
COUNTED = (
    f"used.currency = '' AND {USED}",
    "used.estimated AND used.cost > 0",
    f"used.credits IS NULL AND {USED}",
    f"used.minutes IS NULL AND {USED}",
    f"used.requests IS NULL AND {USED}",
)
OF_USAGE = ", ".join([*(f"SUM(used.{name})" for name in FIGURES), *(f"COUNT(CASE WHEN {x} THEN 1 END)" for x in COUNTED)])
OF_DAYS = ", ".join(f"SUM(used.{name})" for name in (*FIGURES, *COUNTERS))
# What might pass 64 bits together stays in rows of its own.
LARGE = " OR ".join(f"used.{name} > {2**58}" for name in FIGURES)
TARGETS = """
    WITH target (span, first, last) AS (
        VALUES (CAST(NULL AS smallint), CAST(NULL AS date), CAST(NULL AS date)){targets}
    )
"""


def insert(table: str, dimensions: str) -> str:
    columns = ", ".join((*FIGURES, *COUNTERS))
    return f"INSERT INTO costs_{table} (provider_id, span, day, {dimensions}, currency, {columns})"


def of_used(dimensions: str) -> str:
    return ", ".join(f"used.{name}" for name in dimensions.split(", "))


def days(table: str, dimensions: str, apart: str, projects: str) -> str:
    return f"""
        {insert(table, dimensions)}
        SELECT CAST(%s AS bigint), 1, used.day, {of_used(dimensions)}, used.currency, {OF_USAGE}
        FROM costs_attributedusage AS used WHERE used.project_id IN ({projects})
        GROUP BY used.day, {of_used(dimensions)}, used.currency,
            CASE WHEN {LARGE} THEN {apart} ELSE '' END
    """


def spans(table: str, dimensions: str, targets: str) -> str:
    return f"""
        {insert(table, dimensions)}
        {TARGETS.format(targets=targets)}
        SELECT used.provider_id, target.span, target.first, {of_used(dimensions)}, used.currency, {OF_DAYS}
        FROM target JOIN costs_{table} AS used ON used.day BETWEEN target.first AND target.last
        WHERE used.provider_id = %s AND used.span = 1 AND used.day BETWEEN %s AND %s
        GROUP BY used.provider_id, target.span, target.first, {of_used(dimensions)}, used.currency,
            CASE WHEN {LARGE} THEN used.id ELSE 0 END
    """


def spans_of_keys(targets: str, projects: str) -> str:
    dimensions = "project_id, company_id, model"
    return f"""
        {insert("keysum", dimensions)}
        {TARGETS.format(targets=targets)}
        SELECT CAST(%s AS bigint), target.span, target.first, {of_used(dimensions)}, used.currency, {OF_USAGE}
        FROM target JOIN costs_attributedusage AS used ON used.day BETWEEN target.first AND target.last
        WHERE used.day BETWEEN %s AND %s AND used.project_id IN ({projects})
        GROUP BY target.span, target.first, {of_used(dimensions)}, used.currency,
            CASE WHEN {LARGE} THEN CAST(used.day AS varchar(10)) ELSE '' END
    """


def months_of(first: date, last: date):
    """By month: itself, and the weeks that begin in it; the first one also begins before."""
    monday = first - timedelta(days=first.weekday())
    month = first.replace(day=1)
    while month <= last:
        following = (month + timedelta(days=31)).replace(day=1)
        found = [(3, month, following - timedelta(days=1))]
        while monday < following:
            found.append((2, monday, monday + timedelta(days=6)))
            monday += timedelta(days=7)
        yield found
        month = following


def fill(apps, schema_editor):
    Provider, CompanySum = apps.get_model("providers", "Provider"), apps.get_model("costs", "CompanySum")
    Project, AttributedUsage = apps.get_model("providers", "Project"), apps.get_model("costs", "AttributedUsage")
    connection = schema_editor.connection
    providers = list(Provider.objects.order_by("pk").values_list("pk", "name"))
    for number, (pk, name) in enumerate(providers, start=1):
        with transaction.atomic(), connection.cursor() as cursor:
            ids = list(Project.objects.filter(provider=pk).values_list("pk", flat=True))
            projects = ", ".join(map(str, ids))
            mine = AttributedUsage.objects.filter(project__in=ids)
            if CompanySum.objects.filter(provider=pk).exists() or not mine.exists():
                continue
            logger.info("Adding up usage: %s, %s of %s", name, number, len(providers))
            for table, dimensions, apart in (
                ("companysum", "company_id", "used.model"),
                ("modelsum", "model", "CAST(used.project_id AS varchar(20))"),
            ):
                cursor.execute(days(table, dimensions, apart, projects), [pk])
            cursor.execute("SELECT MIN(day), MAX(day) FROM costs_companysum WHERE provider_id = %s", [pk])
            first, last = (day if isinstance(day, date) else date.fromisoformat(day) for day in cursor.fetchone())
            if connection.vendor == "postgresql":
                cursor.execute("ANALYZE costs_companysum, costs_modelsum")
            adapt = connection.ops.adapt_datefield_value
            for targets in months_of(first, last):
                lines = ", (%s, %s, %s)" * len(targets)
                params = [part for span, start, end in targets for part in (span, adapt(start), adapt(end))]
                bounds = [pk, adapt(min(start for _, start, _ in targets)), adapt(max(end for _, _, end in targets))]
                for statement in (
                    spans("companysum", "company_id", lines),
                    spans("modelsum", "model", lines),
                    spans_of_keys(lines, projects),
                ):
                    cursor.execute(statement, [*params, *bounds])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("costs", "0012_sums"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
