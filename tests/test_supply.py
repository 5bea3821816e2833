"""What is known about the parts that the product is made of, and what CI says about it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.services.product import ROOT
from tests.services.sbom import bill_of_materials


def test_bill_of_materials_names_each_package_of_the_lock_file() -> None:
    """With version and digests, as CycloneDX."""
    lock = (ROOT / "requirements.txt").read_text()

    document = json.loads(bill_of_materials(lock))

    listed = {f"{each['name']}=={each['version']}": each for each in document["components"]}
    locked = re.findall(r"^([a-z0-9][^ ;[]*)(?:\[.*?\])?(==[^ ;]+)", lock, re.MULTILINE)
    assert set(listed) == {name + version for name, version in locked}
    assert sum(len(each["hashes"]) for each in listed.values()) == lock.count("--hash=sha256:")
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")


@pytest.fixture
def ci(tmp_path: Path) -> Path:
    """.ci/run in a folder whose `make check` prints two lines."""
    (tmp_path / ".ci").mkdir()
    return Path(shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci"))


def run(ci: Path, *, audit: str, status: int) -> subprocess.CompletedProcess[str]:
    (ci.parent.parent / "Makefile").write_text(
        f"audit:\n\t@{audit}\ncheck:\n\t@echo '3 passed in 1.00s'; echo 'services: passed'; exit {status}\n"
    )
    return subprocess.run([ci], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("status", [0, 2])
def test_ci_ends_with_what_the_audit_could_not_do(ci: Path, status: int) -> None:
    """Whether the checks pass or fail; the exit status is theirs."""
    done = run(ci, audit="echo 'NOTICE: the dependencies were not audited (no network).'", status=status)

    assert done.returncode == status
    assert done.stdout.splitlines()[-2:] == [
        "services: passed",
        "audit: could not ask for known vulnerabilities (no network)",
    ]


def test_ci_ends_with_the_checks_where_the_audit_was_done(ci: Path) -> None:
    """Nothing is added to what needs nothing said."""
    done = run(ci, audit="echo 'Audited 40 of 40 dependencies: no known vulnerabilities.'", status=0)

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "services: passed")


def test_ci_stops_at_a_known_vulnerability(ci: Path) -> None:
    """And shows it."""
    done = run(ci, audit="echo 'a 1: CVE-1'; exit 1", status=0)

    assert done.returncode != 0
    assert "a 1: CVE-1" in done.stdout
    assert "passed" not in done.stdout
