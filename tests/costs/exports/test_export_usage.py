"""manage.py export_usage"""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from costs.exports.usage import usage_csv
from costs.models import AttributedUsage
from tests.factories import make_project, make_provider, make_usage
from tests.providers.commands import ran, refused
from tests.services.product import ROOT

pytestmark = pytest.mark.django_db
DAYS = [date(2026, 11, day) for day in (13, 14, 15)]


@pytest.fixture
def _usage() -> None:
    for name in ("One", "Two"):
        project = make_project(provider=make_provider(name=name), name=f"{name}'s key")
        for day in DAYS:
            make_usage(project=project, day=day)


def days(output: str) -> list[str]:
    return [line.split(",")[0] for line in output.splitlines()[1:]]


@pytest.mark.usefixtures("_usage")
def test_everything_is_written_to_standard_output() -> None:
    """Without options every stored row, exactly as the export says."""
    assert ran("export_usage") == "".join(usage_csv(AttributedUsage.objects.all()))


@pytest.mark.usefixtures("_usage")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--from", "2026-11-14"], ["2026-11-14", "2026-11-15"]),
        (["--to", "2026-11-14"], ["2026-11-13", "2026-11-14"]),
        (["--from", "2026-11-14", "--to", "2026-11-14"], ["2026-11-14"]),
        (["--from", "2026-11-16"], []),
    ],
)
def test_days_are_inclusive(options: list[str], expected: list[str]) -> None:
    """Both ends of the range belong to it."""
    assert sorted(set(days(ran("export_usage", *options)))) == expected


@pytest.mark.usefixtures("_usage")
def test_provider_is_chosen_by_name() -> None:
    """Whatever the capitals."""
    output = ran("export_usage", "--provider", "tWO")

    assert [line.split(",")[1] for line in output.splitlines()[1:]] == ["Two"] * 3


@pytest.mark.usefixtures("_usage")
def test_output_begins_with_its_first_column() -> None:
    """No byte-order mark: programs read it. What pages give to download has one."""
    assert ran("export_usage").startswith("date,")


@pytest.mark.usefixtures("_usage")
def test_file_is_written_whole(tmp_path: Path) -> None:
    """The file holds what standard output would, and nothing is left beside it."""
    target = tmp_path / "usage.csv"
    target.write_text("old")

    assert ran("export_usage", "--output", str(target)) == ""

    assert target.read_bytes().decode() == ran("export_usage")
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.usefixtures("_usage")
def test_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """It holds names and amounts."""
    target = tmp_path / "usage.csv"

    ran("export_usage", "--output", str(target))

    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--from", "2026-11-15", "--to", "2026-11-14"], "--from must not be after --to"),
        (["--from", "yesterday"], "is not a date"),
        (["--from", "2026-02-29"], "is not a date"),
        (["--to", "2026-13-01"], "is not a date"),
        (["--provider", "Nobody"], "no provider named “Nobody”"),
        (["--provider", ""], "no provider named"),
        (["--provider", "a\nb"], "no provider named"),
        (["--provider", "a\udcffb"], "characters"),
        (["--format", "xlsx"], "invalid choice"),
        (["surplus"], "unrecognized arguments"),
        (["--unknown"], "unrecognized arguments"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("_usage")
def test_bad_input_is_refused(options: list[str], words: str, tmp_path: Path) -> None:
    """One line on standard error, exit code 2, and no file."""
    assert words in refused("export_usage", *options, "--output", str(tmp_path / "usage.csv"), code=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_usage")
def test_file_that_can_not_be_written_is_a_failure(tmp_path: Path) -> None:
    """A missing folder is named, with exit code 1."""
    target = tmp_path / "missing" / "usage.csv"

    assert f"{target} can't be written" in refused("export_usage", "--output", str(target), code=1)


@pytest.mark.usefixtures("_usage")
def test_failure_in_the_middle_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never half a file."""
    target = tmp_path / "usage.csv"
    target.write_text("old")

    def broken(_usage: Any) -> Any:
        yield "date,provider\n"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("costs.management.commands.export_usage.usage_csv", broken)

    assert "No space left on device" in refused("export_usage", "--output", str(target), code=1)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_called_from_code_errors_are_command_errors() -> None:
    """``call_command`` raises instead of leaving the process."""
    with pytest.raises(CommandError, match="not a date"):
        call_command("export_usage", "--from", "x")


def test_help_is_complete() -> None:
    """Each option is explained."""
    done = subprocess.run(
        [sys.executable, "manage.py", "export_usage", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    for option in ("--from", "--to", "--provider", "--format", "--output"):
        assert option in done.stdout
