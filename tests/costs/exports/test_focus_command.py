"""manage.py export_usage --format focus"""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest

from costs.exports.focus import focus_csv
from costs.models import AttributedUsage
from tests.factories import make_project, make_provider, make_usage
from tests.providers.commands import ran, refused, run

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]
DAYS = [date(2026, 11, day) for day in (13, 14, 15)]


@pytest.fixture
def _usage() -> None:
    for name in ("One", "Two"):
        project = make_project(provider=make_provider(name=name))
        for day in DAYS:
            make_usage(project=project, day=day)


@pytest.mark.usefixtures("_usage")
def test_everything_is_written_to_standard_output() -> None:
    """Without other options every stored day, and not a word beside it."""
    assert run("export_usage", "--format", "focus") == (0, "".join(focus_csv(AttributedUsage.objects.all())), "")


@pytest.mark.usefixtures("_usage")
def test_range_and_provider_are_chosen_as_for_csv() -> None:
    """Both days inclusive, the provider by its name."""
    output = ran("export_usage", "--format", "focus", "--from", "2026-11-14", "--to", "2026-11-14", "--provider", "two")

    (row,) = csv.DictReader(io.StringIO(output))
    assert (row["SubAccountName"], row["ChargePeriodStart"]) == ("Two", "2026-11-14T00:00:00Z")


@pytest.mark.usefixtures("_usage")
def test_file_is_written_whole(tmp_path: Path) -> None:
    """The file holds what standard output would."""
    target = tmp_path / "focus.csv"

    assert ran("export_usage", "--format", "focus", "--output", str(target)) == ""

    assert target.read_text() == ran("export_usage", "--format", "focus")


@pytest.mark.usefixtures("_usage")
@pytest.mark.parametrize(
    ("unpriced", "sentence"),
    [(1, "1 row without a price was left out.\n"), (2, "2 rows without a price were left out.\n")],
)
def test_rows_without_a_price_are_counted_on_standard_error(unpriced: int, sentence: str, tmp_path: Path) -> None:
    """Those of the range and provider that were asked for; it is no failure."""
    project = make_project(provider=make_provider(name="Three"))
    make_usage(project=project, day=date(2026, 11, 1), cost=None)
    for number in range(unpriced):
        make_usage(project=project, day=DAYS[0], model=f"model {number}", cost=None)
    options = ("--format", "focus", "--provider", "three", "--from", str(DAYS[0]))

    assert run("export_usage", *options) == (0, ",".join(_header()) + "\n", sentence)
    assert run("export_usage", *options, "--output", str(tmp_path / "focus.csv")) == (0, "", sentence)


@pytest.mark.usefixtures("_usage")
def test_csv_counts_nothing() -> None:
    """It leaves no row out."""
    make_usage(cost=None)

    assert run("export_usage")[2] == ""


def test_restatements_have_no_focus_format(tmp_path: Path) -> None:
    """The two together are bad input, and make no file."""
    line = refused(
        "export_usage", "--format", "focus", "--restatements", "--output", str(tmp_path / "focus.csv"), code=2
    )

    assert "--restatements" in line
    assert list(tmp_path.iterdir()) == []


def _header() -> list[str]:
    return next(csv.reader(focus_csv(AttributedUsage.objects.none())))
