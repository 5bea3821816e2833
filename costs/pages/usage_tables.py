"""The table of a breakdown: spend, credits, minutes and requests."""

from __future__ import annotations

from collections.abc import Iterable

from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.reports.breakdowns import Breakdown
from costs.reports.metrics import METRICS
from costs.reports.totals import Totals
from costs.usage.coverage import Coverage, Reading

USAGE_COLUMNS = (Column("Spend"), Column("Credits"), Column("Minutes"), Column("Requests"))


def usage_table(
    breakdown: Breakdown,
    heads: Iterable[str],
    *,
    caption: str,
    subject: str,
    currency: str,
    coverage: Coverage,
    csv_url: str = "",
) -> Table:
    """A breakdown's spend, credits, minutes and requests; ``heads`` are the headings of its lines, in their order."""
    return Table(
        caption,
        (Column(subject, is_number=False), *USAGE_COLUMNS),
        tuple(
            Row((head, *figures(line.totals, currency, coverage.row_reading)), is_muted=line.totals.is_idle)
            for head, line in zip(heads, breakdown.lines, strict=True)
        ),
        Row(("Total", *figures(breakdown.total, currency, coverage.reading))),
        csv_url=csv_url,
    )


def figures(totals: Totals, currency: str, reading: Reading) -> tuple[str, ...]:
    """The cells of USAGE_COLUMNS."""
    return tuple(formatters.figure(metric, totals, currency, reading=reading) for metric in METRICS.values())
