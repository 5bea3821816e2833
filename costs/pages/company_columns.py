"""Columns that apps above add to the list of companies, on the page and in its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from core.cells import Cell
from core.tables import Column


@dataclass(frozen=True)
class CompanyColumn:
    """``cells`` gives a cell for each company, by its id, that has any; where there is none the column is left out."""

    column: Column
    cells: Callable[[], Mapping[int, Cell]]


AddedColumns: TypeAlias = Sequence[tuple[Column, Mapping[int, Cell]]]

_columns: list[CompanyColumn] = []


def register_company_column(column: CompanyColumn) -> None:
    """Called by the app that knows of it, from its AppConfig.ready()."""
    if column not in _columns:
        _columns.append(column)


def company_columns() -> AddedColumns:
    found = [(each.column, each.cells()) for each in _columns]
    return [(column, cells) for column, cells in found if cells]
