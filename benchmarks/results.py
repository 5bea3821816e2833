"""What was measured: one figure beside its references, printed as a table, kept as JSON, compared with earlier JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

# Printed beside the figure, where a result has them; what else its details hold is for the JSON alone.
_PRINTED = {
    "queries": "queries",
    "rows_read": "rows read",
    "rows": "rows",
    "ms": "ms in all",
    "requests": "requests",
    "wal_bytes": "bytes of WAL",
    "peak_mb": "MB above idle",
    "rows_scanned": "rows of usage read without an index",
    "grown_mb": "MB grown per worker",
    "server_ms": "ms of the server's processor time each",
    "slow_ms": "ms at most for 95 of 100",
    "cpu_ms": "ms of this process",
    "postgresql_ms": "ms of it in the database",
}


@dataclass(frozen=True)
class Result:
    """One measured figure.

    ``ratios`` are the figure divided by what each reference reached in the same run: of times and sizes less is
    better, of rates (unit "…/s", "…/min") more is.
    """

    group: str
    name: str
    value: float
    unit: str
    ratios: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """All of a run; ``about`` says of what data, on which engine, with which versions."""

    about: Mapping[str, Any]
    results: Sequence[Result]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Report:
        """Raises OSError, and ValueError where the file is no report."""
        document = json.loads(path.read_text(encoding="utf-8"))
        try:
            return cls(document["about"], [Result(**result) for result in document["results"]])
        except (TypeError, KeyError) as error:
            raise ValueError(f"{path} is no report of make bench.") from error


def lines_of(results: Iterable[Result], earlier: Report | None = None) -> list[str]:
    """The results as a table, a heading for each group; with ``earlier``, how each figure and its ratios have moved."""
    before = {(result.group, result.name): result for result in earlier.results} if earlier else {}
    lines = []
    for group, of_group in groupby(results, key=lambda result: result.group):
        rows = []
        for result in of_group:
            rows.append(_cells(result))
            if earlier:
                rows[-1].append(_movement(result, before.get((group, result.name))))
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines += ["", group]
        for name, value, *rest in rows:
            cells = [name.ljust(widths[0]), value.rjust(widths[1])]
            cells += [cell.ljust(width) for cell, width in zip(rest, widths[2:], strict=True)]
            lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def _cells(result: Result) -> list[str]:
    ratios = " · ".join(f"{_number(ratio)} × {name}" for name, ratio in result.ratios.items())
    details = ", ".join(
        f"{_number(result.details[name])} {words}" for name, words in _PRINTED.items() if name in result.details
    )
    return [result.name, f"{_number(result.value)} {result.unit}", ratios, details]


def _movement(result: Result, before: Result | None) -> str:
    if before is None:
        return "not measured before"
    words = [f"was {_number(before.value)} {before.unit}"]
    words += [f"{_number(before.ratios[name])} × {name}" for name in result.ratios if name in before.ratios]
    return " · ".join(words)


def _number(value: float) -> str:
    if value != 0 and abs(value) < 0.01:
        return f"{value:.4f}"
    if abs(value) < 10:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:,.0f}"
