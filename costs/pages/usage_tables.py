"""The columns of every table of costs, and the table of a breakdown: spend, credits, minutes and requests."""

from __future__ import annotations

from collections.abc import Iterable

from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.pages.words import PageWords, words_for
from costs.reports.breakdowns import Breakdown
from costs.reports.metrics import METRICS
from costs.reports.totals import Totals
from costs.usage.coverage import Coverage, Reading

# What every table of costs shows of a sum; spend() makes their cells.
SPEND_COLUMNS = (Column("Spend", sort="spend", figure="cost"),)
# What tables of usage show beside it; others() makes their cells.
OTHER_COLUMNS = (
    Column("Credits", figure="credits"),
    Column("Minutes", figure="minutes"),
    Column("Requests", figure="requests"),
)
USAGE_COLUMNS = (*SPEND_COLUMNS, *OTHER_COLUMNS)


def usage_table(
    breakdown: Breakdown,
    heads: Iterable[str],
    *,
    caption: str,
    subject: str,
    currency: str,
    coverage: Coverage,
    csv_url: str = "",
    words: PageWords | None = None,
) -> Table:
    """A breakdown's spend, credits, minutes and requests; ``heads`` are the headings of its lines, in their order."""
    words = words or words_for()
    table = Table(
        caption,
        (Column(subject, is_number=False), *USAGE_COLUMNS),
        tuple(
            Row((head, *figures(line.totals, currency, coverage.row_reading, words)), is_muted=line.totals.is_idle)
            for head, line in zip(heads, breakdown.lines, strict=True)
        ),
        Row(("Total", *figures(breakdown.total, currency, coverage.reading, words))),
        csv_url=csv_url,
    )
    return table.with_figures(words.metrics)


def figures(totals: Totals, currency: str, reading: Reading, words: PageWords | None = None) -> tuple[str, ...]:
    """The cells of USAGE_COLUMNS."""
    return (*spend(totals, currency, reading, words), *others(totals, reading, words))


def spend(totals: Totals, currency: str, reading: Reading, words: PageWords | None = None) -> tuple[str, ...]:
    """The cells of SPEND_COLUMNS."""
    return (formatters.money(totals, currency, reading=reading, words=words),)


def others(totals: Totals, reading: Reading, words: PageWords | None = None) -> tuple[str, ...]:
    """The cells of OTHER_COLUMNS."""
    metrics = (METRICS[column.figure] for column in OTHER_COLUMNS)
    return tuple(formatters.figure(metric, totals, "", reading=reading, words=words) for metric in metrics)
