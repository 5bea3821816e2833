"""Adds up what was used beyond one provider, or one of its companies. The only writer of CompanyTotal,
CompanyModelTotal, ModelTotal and ProviderTotal.

Totals are made after the fact, of every span that is marked as changed, so that no workspace's sync waits for that of
another. Until then readers take the sums of such spans: what they find is exact at any moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from django.db import connection, transaction

from core.database import carry_out, is_only_one
from costs.models import FIGURES, TOTALS, AttributedUsage, ChangedSpan, Span, Total
from costs.usage.sums import SUMMED, SUMS_OF_SUMS, SUMS_OF_USAGE, columns_of

# Any number that no other lock of this database uses.
_LOCK = 7_746_712
# So many spans at a time: of 14,000 rows a day, half a second.
_AT_ONCE = 31
# A sum with a larger figure is no part of a total but a row beside it: 32,000 others can't add up to 64 bits.
_LARGE = " OR ".join(f"used.{name} > {2**48}" for name in FIGURES)


def add_up(*, waits: bool = False) -> int:
    """Make the totals of all changed spans anew, some at a time, and return how many there were.

    Where another process is at it, 0 – or what it left, once it has ended, where this one ``waits``.
    """
    found = 0
    for _turn in range(ChangedSpan.objects.spans().count() // _AT_ONCE + 1):  # marks may come as fast as they go
        with transaction.atomic():
            if not is_only_one(_LOCK, waits=waits):
                return found
            found += _add_up_some()
    return found


def _add_up_some() -> int:
    changed: dict[int, set[date]] = defaultdict(set)
    for span, day in ChangedSpan.objects.spans().order_by("-day", "span")[:_AT_ONCE]:
        changed[span].add(day)
    for span, days in changed.items():
        # First the marks: what changes from here on leaves marks of its own, which stay.
        ChangedSpan.objects.filter(span=span, day__in=days).delete()
        for total in TOTALS:
            total.objects.filter(span=span, day__in=days).delete()
            _insert(total, Span(span), days)
    return sum(map(len, changed.values()))


def _insert(total: type[Total], span: Span, days: Collection[date]) -> None:
    which = f"used.day IN ({', '.join(['%s'] * len(days))})"
    into = f"{total._meta.db_table} ({', '.join(columns_of_total(total))})"
    days_given = [connection.ops.adapt_datefield_value(day) for day in sorted(days)]
    carry_out([(f"INSERT INTO {into} {select(total, span, which)}", days_given)])


def columns_of_total(total: type[Total]) -> tuple[str, ...]:
    """Without its number."""
    return ("span", "day", *columns_of(total), "currency", *SUMMED)


def select(total: type[Total], span: Span, which: str) -> str:
    """Selects what the totals of ``span`` come to where ``which`` is true of ``used.day``.

    From the smallest that tells the same: what no sum of days tells is added up from the usage itself.
    """
    if span in total.OF.SPANS:
        sums, source, where, apart = SUMS_OF_SUMS, total.OF._meta.db_table, f"used.span = {span.value} AND ", "used.id"
    else:
        sums, source, where, apart = SUMS_OF_USAGE, AttributedUsage._meta.db_table, "", "used.project_id"
    dimensions = ", ".join(f"used.{column}" for column in (*columns_of(total), "currency"))
    return f"""
        SELECT {span.value} AS span, used.day, {dimensions}, {sums} FROM {source} AS used WHERE {where}{which}
        GROUP BY used.day, {dimensions}, CASE WHEN {_LARGE} THEN {apart} ELSE 0 END
    """
