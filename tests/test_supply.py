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


def units() -> dict[str, str]:
    """The systemd files of docs/deploy.md by their paths under /etc/systemd/system."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    return dict(re.findall(r"^`/etc/systemd/system/(\S+)`.*?:\n\n```ini\n(.*?)^```", page, re.MULTILINE | re.DOTALL))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd's own check is not on this machine")
def test_systemd_finds_nothing_wrong_with_the_documented_units(tmp_path: Path) -> None:
    """Unknown settings, missing programs, dependencies that are not there."""
    for name, text in units().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("/opt/administrate", str(ROOT)))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.glob("*.service"))],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert [line for line in done.stderr.splitlines() if str(tmp_path) in line or "administrate" in line] == []


def test_documented_units_run_what_the_page_runs_and_are_hardened() -> None:
    """Web, worker, beat and migration, each as the commands above them, with one set of limits for all."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    hardened = units().pop("administrate-.service.d/hardened.conf")
    commands = [
        line
        for text in units().values()
        for line in re.findall(r"^ExecStart=/opt/administrate/(.+)$", text, re.MULTILINE)
    ]

    assert set(units()) == {
        "administrate-.service.d/hardened.conf",
        *(f"administrate-{name}.service" for name in ("migrate", "web", "worker", "beat")),
    }
    assert len(commands) == 5
    assert [command for command in commands if f"\n{command}\n" not in page] == []
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "UMask=0077", "User=administrate"):
        assert line in hardened
