"""What a report of `make bench` says, keeps and compares."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measuring import rows_by_table
from benchmarks.results import Report, Result, lines_of

FAST = Result("pages", "dashboard", 20.0, "ms", {"raw SUM": 0.5}, {"queries": 12, "heaviest": ["SELECT 1"]})


def test_a_figure_stands_beside_its_reference_and_what_it_took() -> None:
    """Details that only the JSON is for are not printed."""
    lines = lines_of([FAST])

    assert lines == ["", "pages", "  dashboard  20 ms  0.5 × raw SUM  12 queries"]


def test_an_earlier_figure_stands_beside_the_present_one() -> None:
    """By group and name, with the ratios of then."""
    earlier = Report({}, [Result("pages", "dashboard", 40.0, "ms", {"raw SUM": 1.0})])

    (line,) = lines_of([FAST], earlier)[2:]

    assert line.endswith("was 40 ms · 1 × raw SUM")


def test_what_was_not_measured_before_says_so() -> None:
    """A new figure is not taken for a change."""
    (line,) = lines_of([FAST], Report({}, []))[2:]

    assert line.endswith("not measured before")


def test_a_kept_report_is_read_as_it_was(tmp_path: Path) -> None:
    """JSON there and back."""
    report = Report({"engine": "sqlite"}, [FAST])

    report.write(tmp_path / "report.json")

    assert Report.read(tmp_path / "report.json") == report


def test_another_file_is_no_report(tmp_path: Path) -> None:
    """Nothing is compared with what only looks like JSON."""
    file = tmp_path / "other.json"
    file.write_text('{"results": 1}')

    with pytest.raises(ValueError, match="no report"):
        Report.read(file)


def test_rows_that_a_filter_dropped_were_read_all_the_same() -> None:
    """And each loop of a nested scan counts."""
    scan = {"Relation Name": "usage", "Actual Rows": 3, "Rows Removed by Filter": 7, "Actual Loops": 2}
    outer = {"Relation Name": "project", "Actual Rows": 2, "Actual Loops": 1}

    found = rows_by_table({"Plans": [outer, {"Plans": [scan]}]})

    assert found == {"usage": 20, "project": 2}
