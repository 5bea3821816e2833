"""Comparing what the product says with what the simulator knows."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from elevenlabs_sync.simulator import SimulatedWorkspace, Totals

BACKFILL_DAYS = 365


def today() -> date:
    return datetime.now(UTC).date()


def backfilled_totals(workspace: SimulatedWorkspace) -> Totals:
    """The exact sums of the days that an initial sync reads on the workspace's today."""
    end = workspace.today + timedelta(days=1)
    return workspace.totals(end - timedelta(days=BACKFILL_DAYS), end)


def exported_totals(text: str) -> Totals:
    """The sums of what `export_usage` wrote, in the simulator's terms."""
    rows = list(csv.DictReader(io.StringIO(text)))

    def total(column: str) -> Decimal:
        return sum((Decimal(row[column]) for row in rows if row[column]), Decimal(0))

    return Totals(
        credits=total("credits"),
        minutes=total("minutes"),
        requests=int(total("requests")),
        cost=total("cost"),
        unpriced_rows=sum(not row["cost"] for row in rows),
    )
