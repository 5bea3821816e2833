"""The embedded default's home: private, made once, whole or not at all."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from administrate.data_dir import SECRETS_FILE, prepare_home
from tests.services.product import ROOT, EmbeddedProduct


def values(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_home_and_secrets_are_private(tmp_path: Path) -> None:
    """Only their owner can enter and read."""
    secrets_file = prepare_home(tmp_path / "home")

    assert secrets_file == tmp_path / "home" / SECRETS_FILE
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert secrets_file.stat().st_mode & 0o777 == 0o600
    assert list((tmp_path / "home").iterdir()) == [secrets_file]


def test_secrets_work(tmp_path: Path) -> None:
    """A long secret key and a Fernet key."""
    found = values(prepare_home(tmp_path / "home"))

    assert len(found["SECRET_KEY"]) >= 50
    Fernet(found["ENCRYPTION_KEYS"])


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """A second start finds the same ones: without them every stored key is lost."""
    first = prepare_home(tmp_path / "home").read_text()

    assert prepare_home(tmp_path / "home").read_text() == first


def test_every_home_has_its_own_secrets(tmp_path: Path) -> None:
    """Nothing is shared between installations."""
    assert prepare_home(tmp_path / "a").read_text() != prepare_home(tmp_path / "b").read_text()


def test_parents_are_made(tmp_path: Path) -> None:
    """A path that does not exist yet is no error."""
    assert prepare_home(tmp_path / "deep" / "er" / "home").exists()


def test_many_first_commands_agree(tmp_path: Path) -> None:
    """All of them read the secrets of the first one, whole."""
    barrier = threading.Barrier(12)
    seen: list[str] = []

    def start() -> None:
        barrier.wait()
        seen.append(prepare_home(tmp_path / "home").read_text())

    threads = [threading.Thread(target=start) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 12
    assert len(set(seen)) == 1
    assert list((tmp_path / "home").iterdir()) == [tmp_path / "home" / SECRETS_FILE]


def test_home_that_can_not_be_made_is_one_sentence(tmp_path: Path) -> None:
    """A file in its place."""
    (tmp_path / "home").write_text("")

    with pytest.raises(ImproperlyConfigured, match=r"DATA_DIR .*home can't be used"):
        prepare_home(tmp_path / "home")


@pytest.mark.parametrize("content", [None, SECRETS_FILE])
def test_open_home_of_ours_is_closed(tmp_path: Path, content: str | None) -> None:
    """An empty folder that was made for it, and one of an earlier release."""
    tmp_path.chmod(0o755)
    if content:
        (tmp_path / content).write_text("SECRET_KEY=x\n")

    prepare_home(tmp_path)

    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_open_folder_that_others_use_is_refused(tmp_path: Path) -> None:
    """Closing /tmp or somebody's home would break more than it mends."""
    (tmp_path / "of-others").write_text("")
    tmp_path.chmod(0o755)

    with pytest.raises(ImproperlyConfigured, match=r"is open to other users \(mode 755\): choose a folder of its own"):
        prepare_home(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["of-others"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_whatever_is_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    """A database made by a command that was started with an open umask."""
    home = tmp_path / "home"
    product = EmbeddedProduct(home)

    done = subprocess.run(
        ["sh", "-c", f"umask 000; exec {sys.executable} manage.py migrate contenttypes --no-input"],
        cwd=ROOT,
        env=product.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert {path.name: path.stat().st_mode & 0o077 for path in home.iterdir() if path.stat().st_mode & 0o077} == {}
    assert (home / "administrate.sqlite3").exists()
