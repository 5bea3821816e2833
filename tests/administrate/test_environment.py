"""Settings from the environment and from files, and what error pages show of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from administrate.environment import Environment, _Files
from administrate.error_reports import NoValuesFilter
from tests.administrate.starting import start
from tests.services.deploy_check import production_environment
from tests.services.processes import plain_environment
from tests.services.product import ROOT


class Given(Environment):
    """Reads what a test puts in."""


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    variables: dict[str, str] = {}
    Given.ENVIRON = _Files(variables, cache=False)
    return variables


def test_value_may_lie_in_a_file(given: dict[str, str], tmp_path: Path) -> None:
    """Without the newline that editors and `echo` put at its end; the file wins over the variable."""
    (tmp_path / "key").write_text(" sp ace\n")
    given |= {"KEY_FILE": str(tmp_path / "key"), "KEY": "from the environment", "OTHER_FILE": "", "OTHER": "itself"}

    assert Given().str("KEY") == " sp ace"
    assert Given().str("OTHER") == "itself"


def test_number_that_is_none_is_one_sentence(given: dict[str, str]) -> None:
    """It names the variable and what stands in it."""
    given["PORT"] = "80 80"

    with pytest.raises(ImproperlyConfigured, match="PORT must be a whole number, not “80 80”"):
        Given().int("PORT", 8000)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_file_that_can_not_be_read_is_one_sentence(
    given: dict[str, str], tmp_path: Path, content: bytes | None
) -> None:
    """It names the variable and the path, and nothing of what it holds."""
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    given["KEY_FILE"] = str(tmp_path / "key")

    with pytest.raises(ImproperlyConfigured, match=r"KEY_FILE names .*/key, which can't be read: .+\."):
        Given().str("KEY")


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS"])
def test_production_stops_without_its_secrets(name: str) -> None:
    """One sentence, exit code 1, no traceback."""
    done = start({name: ""})

    assert done.returncode == 1
    assert done.stderr == (
        f"administrate: {name} is not set: production needs it in the environment (see .env.example).\n"
    )


def test_unknown_log_format_stops_the_start() -> None:
    """A log that nobody can read is noticed too late."""
    assert "LOG_FORMAT must be line" in start({"LOG_FORMAT": "xml"}).stderr


@pytest.mark.parametrize(("given", "preloaded"), [("", False), ("true", True)])
def test_preloading_is_for_who_asks(given: str, *, preloaded: bool) -> None:
    """HSTS itself is always there; being built into browsers binds every subdomain for months."""
    program = "from administrate import settings as s; print(s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_PRELOAD)"
    environment = plain_environment() | production_environment() | {"HSTS_PRELOAD": given}

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["31536000", str(preloaded)]


def test_error_pages_show_no_secret_of_the_settings() -> None:
    """Neither by name nor within the nested ones, whatever DEBUG is."""
    shown = NoValuesFilter().get_safe_settings()

    hidden = NoValuesFilter.cleansed_substitute
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "ADMIN_PASSWORD", "METRICS_TOKEN", "REDIS_URL", "CELERY_BROKER_URL"):
        assert shown[name] == hidden, name
    assert shown["DATABASES"]["default"]["PASSWORD"] == hidden
