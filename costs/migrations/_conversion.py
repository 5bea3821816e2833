"""From a table of usage and one of its parts, each with a number of its own for every row, to rows that name their payer.

Filled project by project, each piece in a transaction of its own, so that it goes on where it was interrupted. Whoever
still works with the old tables meanwhile changes them, not these: before the new ones take their place they are
compared, and the projects that differ are done once more.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction

ROWS_A_PIECE = 200_000

logger = logging.getLogger(__name__)

FIGURES = "credits, minutes, requests, cost"
FILL_ROWS = f"""
    INSERT INTO costs_convertedusage
        (project_id, day, model, {FIGURES}, currency, estimated, allocated, company_id, split, updated_at)
    SELECT used.project_id, used.day, used.model, used.credits, used.minutes, used.requests, used.cost, used.currency,
        used.estimated, FALSE, CASE WHEN part.parts = 1 THEN part.company_id END, COALESCE(part.parts, 0) > 1,
        used.updated_at
    FROM costs_dailyusage AS used LEFT JOIN (
        SELECT project_id, day, model, COUNT(*) AS parts, MIN(company_id) AS company_id
        FROM costs_attributedusage WHERE project_id BETWEEN %(first)s AND %(last)s GROUP BY project_id, day, model
    ) AS part ON part.project_id = used.project_id AND part.day = used.day AND part.model = used.model
    WHERE used.project_id BETWEEN %(first)s AND %(last)s
    ORDER BY used.project_id, used.day, used.model
"""
FILL_PARTS = """
    INSERT INTO costs_usagepart
        (project_id, day, model, company_id, credits, minutes, requests, cost, currency, estimated, allocated)
    SELECT part.project_id, part.day, part.model, part.company_id, part.credits, part.minutes, part.requests,
        part.cost, part.currency, part.estimated, FALSE
    FROM costs_attributedusage AS part JOIN costs_convertedusage AS used
        ON used.project_id = part.project_id AND used.day = part.day AND used.model = part.model AND used.split
    WHERE part.project_id BETWEEN %(first)s AND %(last)s
"""
# What stands for each company on each day, in halves: SQLite adds up 64 bits at most.
HALVES = ", ".join(f"SUM({name} >> 32), SUM({name} & 4294967295)" for name in FIGURES.split(", "))
STOOD = f"""
    SELECT project_id, day, company_id, COUNT(*), {HALVES} FROM costs_attributedusage
    GROUP BY project_id, day, company_id
"""
STANDS = f"""
    SELECT project_id, day, company_id, COUNT(*), {HALVES} FROM (
        SELECT project_id, day, company_id, {FIGURES} FROM costs_convertedusage WHERE NOT split
        UNION ALL SELECT project_id, day, company_id, {FIGURES} FROM costs_usagepart
    ) AS part GROUP BY project_id, day, company_id
"""
ROWS_STOOD = "SELECT project_id, day, COUNT(*), MAX(updated_at) FROM costs_dailyusage GROUP BY project_id, day"
ROWS_STAND = "SELECT project_id, day, COUNT(*), MAX(updated_at) FROM costs_convertedusage GROUP BY project_id, day"


def fill(apps: Any, schema_editor: Any) -> None:
    """Every project that is not filled yet."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(project_id), 0) FROM costs_convertedusage")
        (done,) = cursor.fetchone()
        cursor.execute("SELECT project_id, COUNT(*) FROM costs_dailyusage GROUP BY project_id ORDER BY project_id")
        counts = cursor.fetchall()
        total, converted = sum(rows for _pk, rows in counts), sum(rows for pk, rows in counts if pk <= done)
        for first, last, rows in pieces([(pk, rows) for pk, rows in counts if pk > done]):
            with transaction.atomic(using=connection.alias):
                fill_projects(cursor, first, last)
            converted += rows
            if total > ROWS_A_PIECE:
                logger.info("Converting usage: %s of %s rows", f"{converted:,}", f"{total:,}")


def settle(apps: Any, schema_editor: Any) -> None:
    """Under a lock on the old tables: every project of which not the same stands in the new ones is filled anew."""
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE costs_dailyusage, costs_attributedusage IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"SELECT 1 FROM costs_convertedusage LIMIT 1 OFFSET {ROWS_A_PIECE}")
        if cursor.fetchone():
            logger.info("Converting usage: comparing it with what stood")
        for project_id in sorted(differing(cursor)):
            cursor.execute("DELETE FROM costs_usagepart WHERE project_id = %s", [project_id])
            cursor.execute("DELETE FROM costs_convertedusage WHERE project_id = %s", [project_id])
            fill_projects(cursor, project_id, project_id)
        if schema_editor.connection.vendor == "postgresql":
            # Or the tables can't be altered in this transaction any more.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def differing(cursor: Any) -> set[int]:
    found: set[int] = set()
    for one, other in ((STOOD, STANDS), (STANDS, STOOD), (ROWS_STOOD, ROWS_STAND), (ROWS_STAND, ROWS_STOOD)):
        cursor.execute(
            f"SELECT DISTINCT project_id FROM (SELECT * FROM ({one}) AS a EXCEPT SELECT * FROM ({other}) AS b) AS c"
        )
        found |= {project_id for (project_id,) in cursor.fetchall()}
    return found


def fill_projects(cursor: Any, first: int, last: int) -> None:
    cursor.execute(FILL_ROWS, {"first": first, "last": last})
    cursor.execute(FILL_PARTS, {"first": first, "last": last})


def pieces(counts: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Ranges of project ids with the number of their rows; none holds many more than ROWS_A_PIECE."""
    held: list[int] = []
    rows = 0
    for pk, count in counts:
        held.append(pk)
        rows += count
        if rows >= ROWS_A_PIECE:
            yield held[0], held[-1], rows
            held, rows = [], 0
    if held:
        yield held[0], held[-1], rows
