"""Text for CSV files: exact numbers, cells that no spreadsheet runs as a formula, lines in chunks."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from unicodedata import normalize

CHUNK_LINES = 1000
_FORMULA_SIGNS = frozenset("=+-@\t\r\n")


def plain(value: Decimal | int | None) -> str:
    """Exact, without exponent or padding; empty when unknown."""
    if value is None:
        return ""
    text = f"{value or 0:f}" if isinstance(value, Decimal) else str(value)  # a zero may be negative in Python
    return text.rstrip("0").rstrip(".") if "." in text else text


def units_text(digits: int, *, point: bool = False) -> Callable[[int | None], str]:
    """What writes as plain() does, given whole units of which the last ``digits`` stand after the point.

    With ``point`` a figure without a fraction ends in ".0". Making a Decimal of each figure of a million rows would
    cost more than all the rest of their lines.
    """
    end = ".0" if point else ""

    def text(units: int | None) -> str:
        if units is None:
            return ""
        if units < 0:
            return f"-{text(-units)}"
        written = str(units)
        if len(written) <= digits:
            written = written.zfill(digits + 1)
        fraction = written[-digits:].rstrip("0")
        return f"{written[:-digits]}.{fraction}" if fraction else written[:-digits] + end

    return text


@lru_cache(maxsize=4096)  # a file repeats few texts
def escape_formula(text: str) -> str:
    """``text`` with a leading apostrophe where a spreadsheet would take it for a formula.

    Some take full-width and small forms of the signs (＝, ﹢) for the signs themselves.
    """
    return f"'{text}" if normalize("NFKC", text[:1]) in _FORMULA_SIGNS else text


def csv_text(lines: Iterable[tuple[str, ...]]) -> str:
    """The lines as CSV, each ended by a line feed; a cell is quoted where it has to be."""
    buffer = _LineFeeds()
    csv.writer(buffer, lineterminator="\r\n").writerows(lines)
    return buffer.getvalue()


def csv_chunks(lines: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """csv_text() of ``lines`` in pieces, for files of any length: no more than one is held in memory."""
    rest = iter(lines)
    while chunk := list(islice(rest, CHUNK_LINES)):
        yield csv_text(chunk)


@lru_cache(maxsize=4096)  # a file repeats few texts
def csv_cell(text: str) -> str:
    """``text`` as it stands in a line of csv_text(): quoted where it has to be."""
    return csv_text([(text, "")]).removesuffix(",\n")


def text_chunks(lines: Iterable[str]) -> Iterator[str]:
    """Finished ``lines`` in pieces, as csv_chunks() has them."""
    rest = iter(lines)
    while chunk := "".join(islice(rest, CHUNK_LINES)):
        yield chunk


class _LineFeeds(io.StringIO):
    """Takes the writer's lines and ends each in a line feed alone.

    The writer quotes a carriage return within a cell only where its own line end has one; unquoted it would break the
    row in two.
    """

    def write(self, line: str, /) -> int:
        return super().write(line.removesuffix("\r\n") + "\n")
