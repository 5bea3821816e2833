"""Lists whose page and whose file with fixed column names are one definition."""

from __future__ import annotations

import pytest

from core.listings import ListColumn, Listing
from core.tables import Column

NAME = ListColumn[str](Column("Name"), lambda name: name.title(), {"name": str, "length": lambda name: str(len(name))})


def test_page_and_file_hold_the_same_records() -> None:
    """The page in its words, the file under its fixed names and in its own order."""
    listing = Listing((NAME,), ("length", "name"))

    table = listing.table("Names", ["anna"])

    assert [row.cells for row in table.rows] == [("Anna",)]
    assert "".join(listing.csv(["anna"])) == "length,name\n4,anna\n"


@pytest.mark.parametrize("file_columns", [("name",), ("name", "length", "age")], ids=["page alone", "file alone"])
def test_neither_has_a_column_that_the_other_lacks(file_columns: tuple[str, ...]) -> None:
    """A column is added to both, or the process does not start."""
    with pytest.raises(ValueError, match="the columns hold length, name"):
        Listing((NAME,), file_columns)


def test_every_column_of_the_page_is_in_the_file() -> None:
    """Also one that has no name there yet."""
    with pytest.raises(ValueError, match="The file has name, length"):
        Listing[str]((NAME, ListColumn(Column("Age"), str, {})), ("name", "length"))
