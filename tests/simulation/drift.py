"""Ready-made changes of a tabular answer: what the API may one day send, or sends to keys that may see less.

Each function gives a fault that answers with the changed table:

    server.faults.add("/v1/workspace/analytics", drift.unit("total_cost", "gbp"), times=None)

A column that the answer does not have is a mistake of the test and answered with 500. Changes that leave the sums as
they are (`with_added_columns`, `shuffled_columns`, `shuffled_rows`, `split_rows`, `millisecond_timestamps`) say so.
"""

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from elevenlabs_sync.simulator import jsontext
from tests.simulation.faults import Fault, Transform, Verbatim

Table = dict[str, Any]
DESCRIPTIONS = ("columns", "column_types", "column_units")
NOT_MONEY = (None, "ms", "s", "min", "duration", "credits", "ratio", "rating")
MEASURES_TO_SPLIT = ("total_usage", "total_minutes", "total_cost", "usage_count", "total_charge_count")
CREDITS = "total_usage"


def without_money() -> Transform:
    """What a key without `view_fiat_balance` may see: no column whose unit is a currency, no billed quantity."""
    return Transform(
        lambda table: _keeping(
            table,
            [
                at
                for at, (name, unit) in enumerate(zip(table["columns"], table["column_units"], strict=True))
                if unit in NOT_MONEY and name != "total_charge_count"
            ],
        )
    )


def like_the_reference() -> Transform:
    """The shape of the reference page's own sample: the groups, the time and `credits_used`, numbers as strings."""

    def change(table: Table) -> Table:
        at = _at(table, CREDITS)
        groups = range(_at(table, "timestamp") + 1)
        table = _keeping(table, [*groups, at])
        table["columns"][-1] = "credits_used"
        for row in table["rows"]:
            row[-1] = jsontext.plain(row[-1])
        return table

    return Transform(change)


def without(column: str) -> Transform:
    """One column is missing."""
    return Transform(
        lambda table: _keeping(table, [at for at in range(len(table["columns"])) if at != _at(table, column)])
    )


def renamed(column: str, to: str) -> Transform:
    """One column has another name."""

    def change(table: Table) -> Table:
        table["columns"][_at(table, column)] = to
        return table

    return Transform(change)


def unit(column: str, unit: str | None) -> Transform:
    """One column is in another unit; its numbers stay."""

    def change(table: Table) -> Table:
        table["column_units"][_at(table, column)] = unit
        return table

    return Transform(change)


def cells(column: str, value: object, row: int | None = None) -> Transform:
    """The cells of one column are `value`, in every row or in one (from 0; -1 is the last)."""

    def change(table: Table) -> Table:
        at = _at(table, column)
        for cells_of_row in table["rows"] if row is None else [table["rows"][row]]:
            cells_of_row[at] = value
        return table

    return Transform(change)


def verbatim(column: str, text: str, row: int | None = None) -> Transform:
    """As `cells`, with any text in place of a JSON value: `1e400000`, `-0.0e5`, digits without end."""
    return cells(column, Verbatim(text), row)


def with_added_columns(names: Sequence[str] = ("carbon_grams", "shiny_new_column")) -> Transform:
    """Columns that nobody knows stand first, filled with numbers, text and null; the sums stay."""
    fillings = (Decimal("0.5"), "new", None)

    def change(table: Table) -> Table:
        table["columns"][:0] = names
        table["column_types"][:0] = ["JSON"] * len(names)
        table["column_units"][:0] = [None] * len(names)
        for number, row in enumerate(table["rows"]):
            row[:0] = [fillings[(number + offset) % len(fillings)] for offset in range(len(names))]
        return table

    return Transform(change)


def shuffled_columns(seed: int = 1) -> Transform:
    """The columns come in another order, the same for the same seed; the sums stay."""

    def change(table: Table) -> Table:
        order = list(range(len(table["columns"])))
        random.Random(seed).shuffle(order)  # noqa: S311 – no secret
        return _keeping(table, order)

    return Transform(change)


def shuffled_rows(seed: int = 1) -> Transform:
    """The rows come in another order than that of time, the same for the same seed; the sums stay."""
    return _of_rows(lambda _table, rows: random.Random(seed).sample(rows, len(rows)))  # noqa: S311 – no secret


def split_rows() -> Transform:
    """Every row comes in two parts with the same identity, whose numbers add up to it; the sums stay."""

    def split(table: Table, rows: list[list[Any]]) -> list[list[Any]]:
        measures = [at for at, name in enumerate(table["columns"]) if name in MEASURES_TO_SPLIT]
        parts = []
        for row in rows:
            part = [_half(cell) if at in measures else cell for at, cell in enumerate(row)]
            rest = [
                cell - half if at in measures and cell is not None else cell
                for at, (cell, half) in enumerate(zip(row, part, strict=True))
            ]
            parts += [part, rest]
        return parts

    return _of_rows(split)


def without_rows() -> Transform:
    """A table with all its columns and no row."""
    return _of_rows(lambda _table, _rows: [])


def with_few_rows(every: int = 10) -> Transform:
    """Only every `every`-th row is left, from the first on."""
    return _of_rows(lambda _table, rows: rows[::every])


def millisecond_timestamps() -> Transform:
    """Times as Unix milliseconds, which the column's unit `ms` tells, as has been seen too; the sums stay."""

    def change(table: Table) -> Table:
        at = _at(table, "timestamp")
        table["column_units"][at] = "ms"
        for row in table["rows"]:
            row[at] = int(datetime.fromisoformat(row[at]).timestamp()) * 1000
        return table

    return Transform(change)


DRIFTS: tuple[Callable[..., Fault], ...] = (
    without_money,
    like_the_reference,
    without,
    renamed,
    unit,
    cells,
    verbatim,
    with_added_columns,
    shuffled_columns,
    shuffled_rows,
    split_rows,
    without_rows,
    with_few_rows,
    millisecond_timestamps,
)


def _at(table: Table, column: str) -> int:
    return int(table["columns"].index(column))


def _keeping(table: Table, order: Sequence[int]) -> Table:
    """The columns at these places, in this order."""
    for name in DESCRIPTIONS:
        table[name] = [table[name][at] for at in order]
    table["rows"] = [[row[at] for at in order] for row in table["rows"]]
    return table


def _of_rows(change: Callable[[Table, list[list[Any]]], list[list[Any]]]) -> Transform:
    return Transform(lambda table: {**table, "rows": change(table, table["rows"])})


def _half(cell: Decimal | None) -> Decimal | None:
    """About half of a number, with no more decimals than it has."""
    return None if cell is None else (cell / 2).quantize(cell)
