"""The whole of `make bench` at toy size: it works, and what it reports is complete. How fast is not asked."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.__main__ import PARTS

# What comes out otherwise on another engine; the rest is measured once.
MEASURED = {"postgresql": PARTS, "sqlite": ("writing",)}


@pytest.fixture(scope="module")
def report(engine: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("bench") / "report.json"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks",
            "--toy",
            "--engine",
            engine,
            "--json",
            file,
            "--only",
            ",".join(MEASURED[engine]),
        ],
        env=os.environ | {"PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded | {"printed": done.stdout}


def test_every_part_is_measured(engine: str, report: dict[str, Any]) -> None:
    """Each by its name."""
    groups = dict.fromkeys(result["group"] for result in report["results"])

    assert tuple(groups) == MEASURED[engine]


def test_every_figure_is_a_number_with_a_reference(report: dict[str, Any]) -> None:
    """References themselves have none."""
    for result in report["results"]:
        figures = [result["value"], *result["ratios"].values()]
        assert all(math.isfinite(figure) and figure > 0 for figure in figures), result
        assert result["ratios"] or result["name"].startswith("reference: "), result


def test_pages_tell_their_queries_and_what_these_read(engine: str, report: dict[str, Any]) -> None:
    """Rows by table where the engine's plans tell them."""
    pages = [result for result in report["results"] if result["group"] == "pages"]

    assert all(page["details"]["queries"] for page in pages)
    assert all(("rows_read" in page["details"]) == (engine == "postgresql") for page in pages)


def test_the_embedded_product_is_asked_from_outside(engine: str, report: dict[str, Any]) -> None:
    """The processor time of its process is told along."""
    served = [result["details"] for result in report["results"] if result["unit"] == "requests/s"]

    assert len(served) == ("api" in MEASURED[engine])
    assert all(details["server_ms"] > 0 for details in served)


def test_an_hourly_sync_reads_what_the_stand_in_answers(engine: str, report: dict[str, Any]) -> None:
    """The measured one is a whole one: requests, rows, queries."""
    hours = [result["details"] for result in report["results"] if "one hour" in result["name"]]

    assert len(hours) == ("syncing" in MEASURED[engine])
    assert all(hour["requests"] and hour["rows"] and hour["queries"] for hour in hours)


def test_the_table_is_printed(report: dict[str, Any]) -> None:
    """One line for each figure."""
    lines = [line.strip() for line in report["printed"].splitlines()]

    assert all(any(line.startswith(result["name"]) for line in lines) for result in report["results"])
