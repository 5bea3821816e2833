"""A long list of records, as a page's table and as a file whose column names are fixed: both from one definition.

Each column says how the page shows it and which columns of the file hold the same, so that neither has one that the
other lacks. The file is written record by record, without HTML, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core.csv_files import csv_chunks, csv_text
from core.tables import Column, Row, Table

Record = TypeVar("Record")


@dataclass(frozen=True)
class ListColumn(Generic[Record]):
    """``fields`` are the columns of the file by name; where a text came from outside it has to be escaped."""

    shown: Column
    cell: Callable[[Record], str]  # text or safe HTML
    fields: Mapping[str, Callable[[Record], str]]


@dataclass(frozen=True)
class Listing(Generic[Record]):
    """``columns`` in the page's order, ``file_columns`` in the file's. Raises ValueError where one lacks the other."""

    columns: Sequence[ListColumn[Record]]
    file_columns: Sequence[str]

    def __post_init__(self) -> None:
        held = sorted(name for column in self.columns for name in column.fields)
        if held != sorted(self.file_columns) or not all(column.fields for column in self.columns):
            raise ValueError(f"The file has {', '.join(self.file_columns)}; the columns hold {', '.join(held)}.")

    def table(self, caption: str, records: Iterable[Record], **kwargs: Any) -> Table:
        """``kwargs`` are further ones of Table."""
        rows = tuple(Row(tuple(column.cell(record) for column in self.columns)) for record in records)
        return Table(caption, tuple(column.shown for column in self.columns), rows, **kwargs)

    def csv(self, records: Iterable[Record]) -> Iterator[str]:
        """``records`` in their order, under ``file_columns``, in chunks."""
        fields = {name: field for column in self.columns for name, field in column.fields.items()}
        ordered = [fields[name] for name in self.file_columns]
        yield csv_text([tuple(self.file_columns)])
        yield from csv_chunks(tuple(field(record) for field in ordered) for record in records)
