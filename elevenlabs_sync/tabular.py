"""The tabular answer of ElevenLabs' analytics endpoints: columns found by name and unit, cells read exactly.

``{"columns": [str], "column_units": [str|null], "rows": [[cell]]}`` – the order of columns is not promised and columns
may be added. A column that is needed and missing, a unit other than the expected one, and a cell that is not what its
column holds are refused with UnexpectedResponseError, the column named.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeGuard

from elevenlabs_sync.decoding import Rows
from syncing.errors import UnexpectedResponseError, quotable

MAX_ID_LENGTH = 200

# A number that is sent as text.
PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,6})?", re.ASCII)
_MAX_EXPONENT = 100
_ZERO = Decimal(0)
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Column:
    """A column of one answer. Ids and moments, of which an answer repeats few, are examined once each."""

    name: str
    position: int
    unit: str | None
    _ids: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    _days: dict[str | int, date] = field(default_factory=dict, compare=False, repr=False)

    def refuse(self, reason: str) -> UnexpectedResponseError:
        return UnexpectedResponseError(f"column {quotable(self.name)} {reason}")

    def number(self, row: list[Any]) -> Decimal | None:
        """The cell as an exact, finite Decimal that is not negative; None where it is null.

        Numbers have been seen as JSON numbers and as decimal strings.
        """
        cell = row[self.position]
        if type(cell) is Decimal:
            value: Decimal = cell
        elif cell is None:
            return None
        elif type(cell) is int or (type(cell) is str and PLAIN_NUMBER.fullmatch(cell)):
            value = Decimal(cell)
        else:
            raise self.refuse("holds something that is no number")
        if not value:
            return _ZERO
        if value.is_signed():
            raise self.refuse("holds a negative number")
        if value.adjusted() > _MAX_EXPONENT:  # decimal arithmetic itself would overflow
            raise self.refuse("holds a number too large to be true")
        return value

    def identity(self, row: list[Any]) -> str:
        """The cell as an id, exactly as reported, one object however often it comes; empty where the cell is null."""
        cell = row[self.position]
        if cell is None:
            return ""
        if type(cell) is not str:
            raise self.refuse("holds something that is no text")
        if (known := self._ids.get(cell)) is not None:
            return known
        if not is_id(cell):
            raise self.refuse(f"holds an id of more than {MAX_ID_LENGTH} characters, or with characters that no id has")
        self._ids[cell] = cell
        return cell

    def day(self, row: list[Any]) -> date:
        """The UTC day that begins at the cell's moment: ISO 8601, or Unix milliseconds where the unit says so."""
        cell = row[self.position]
        if type(cell) is not str and type(cell) is not int:  # a bool is equal to an integer, and none
            raise self._refuse_moment()
        if cell not in self._days:
            self._days[cell] = self._day(cell)
        return self._days[cell]

    def _day(self, cell: str | int) -> date:
        moment = None
        if self.unit == "ms":
            moment = _from_milliseconds(cell)
        if moment is None and isinstance(cell, str):
            moment = _from_iso(cell)
        if moment is None or moment.time() != time():
            raise self._refuse_moment()
        return moment.date()

    def _refuse_moment(self) -> UnexpectedResponseError:
        return self.refuse("holds a timestamp that is not the beginning of a UTC day")


@dataclass(frozen=True)
class Table:
    columns: dict[str, Column]
    rows: Iterable[list[Any]]

    @classmethod
    def of(cls, document: Any) -> Table:
        """Check the answer's shape; rows that are not decoded yet, and all cells, are checked as they are read."""
        if not isinstance(document, dict):
            raise UnexpectedResponseError("it is not a JSON object")
        names, units, rows = document.get("columns"), document.get("column_units"), document.get("rows")
        if not _is_list_of(names, str) or len(set(names)) != len(names):
            raise UnexpectedResponseError("its “columns” is not a list of different names")
        if not _is_list_of(units, str | None) or len(units) != len(names):
            raise UnexpectedResponseError("its “column_units” does not fit its columns")
        if not isinstance(rows, Rows) and not (_is_list_of(rows, list) and all(len(row) == len(names) for row in rows)):
            raise UnexpectedResponseError("its “rows” do not fit its columns")
        return cls(
            columns={
                name: Column(name, position, unit.lower() if unit else None)
                for position, (name, unit) in enumerate(zip(names, units, strict=True))
            },
            rows=rows,
        )

    def unknown(self, known: Collection[str]) -> frozenset[str]:
        """The names of ignored columns, as they may be quoted."""
        return frozenset(quotable(name) for name in self.columns.keys() - set(known))

    def needed(self, name: str) -> Column:
        if name not in self.columns:
            raise UnexpectedResponseError(f"column {name} is missing")
        return self.columns[name]

    def optional(self, name: str, *, units: Collection[str | None] | None = None) -> Column | None:
        """The column, or None where the answer has none; with ``units``, any other unit is refused."""
        column = self.columns.get(name)
        if column is not None and units is not None and column.unit not in units:
            raise column.refuse(f"has the unit {quotable(column.unit) or 'none'}")
        return column

    def by_unit(self, unit: str, *, names: Collection[str]) -> Column:
        """The needed column of ``unit``: one of the ``names`` it has been seen under, or the only one of that unit."""
        for name in names:
            if column := self.optional(name, units={unit}):
                return column
        others = [column for column in self.columns.values() if column.unit == unit]
        if len(others) != 1:
            raise UnexpectedResponseError(f"no column can be told to hold {unit}")
        return others[0]


def is_id(text: str) -> bool:
    """Whether it can be stored as the id of a key or a model: those are refused as they are, never cut."""
    return len(text) <= MAX_ID_LENGTH and is_storable(text)


def is_storable(text: str) -> bool:
    """Whether a database can hold it: no NUL, no lone surrogate."""
    return not _UNSTORABLE.search(text)


def _from_milliseconds(cell: str | int) -> datetime | None:
    if isinstance(cell, str) and cell.isascii() and cell.isdigit():
        cell = int(cell[:20])
    if isinstance(cell, str):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=cell)
    except OverflowError:
        return None


def _from_iso(cell: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(cell)
        # Asked for in UTC: a timestamp without an offset is UTC.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _is_list_of(value: Any, kind: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)
