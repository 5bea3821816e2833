"""The files around the code keep what they promise: compose file, image, example environment, Makefile, lock files.

No container engine is needed: what can be read is checked, what can be run without one is run.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from tests.services.product import ROOT

MAKE_TARGETS = {"help", "install", "run", "demo", "test", "check", "bench", "lock", "format", "clean"}
PRODUCT_SERVICES = {"migrate", "web", "worker", "beat"}
SECRETS = {"SECRET_KEY", "ENCRYPTION_KEYS", "POSTGRES_PASSWORD"}


def read(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file with its anchors and merges resolved."""
    document = yaml.safe_load(read("docker-compose.yml"))
    assert isinstance(document, dict)
    return document


def settings_variables() -> set[str]:
    """Every environment variable that the settings read."""
    return set(re.findall(r'env\.\w+\("([A-Z_]+)"', read("administrate/settings.py")))


def example_variables() -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", read(".env.example"), re.MULTILINE))


def test_the_example_environment_names_every_setting_and_no_other() -> None:
    """Whoever reads .env.example knows all that can be set."""
    assert example_variables() == settings_variables() | {"POSTGRES_PASSWORD"}


def test_a_copied_example_environment_changes_nothing() -> None:
    """Every line of .env.example is a comment until somebody fills it in."""
    assert all(line.startswith("#") or not line for line in read(".env.example").splitlines())


def test_the_commands_in_the_example_environment_make_usable_secrets(tmp_path: Path) -> None:
    """The printed one-liners run on plain Python, and the one for ENCRYPTION_KEYS makes a Fernet key."""
    programs = re.findall(r'^# .*?python3 -c "([^"]+)"$', read(".env.example"), re.MULTILINE)

    secrets = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
        ).stdout.strip()
        for program in programs
    ]

    assert len(secrets) == 3
    assert all(len(secret) >= 40 for secret in secrets)
    Fernet(secrets[1])


def test_compose_runs_each_part_of_the_product(compose: dict[str, Any]) -> None:
    """Web, worker, beat and the one-shot migration, with PostgreSQL and Redis."""
    assert set(compose["services"]) == {"postgres", "redis", *PRODUCT_SERVICES}


@pytest.mark.parametrize("name", sorted(PRODUCT_SERVICES - {"migrate"}))
def test_compose_starts_the_product_on_a_migrated_database(compose: dict[str, Any], name: str) -> None:
    """Nothing that uses the tables starts before they are there."""
    assert compose["services"][name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_compose_knows_the_health_of_what_keeps_running(compose: dict[str, Any]) -> None:
    """Every service but the one-shot migration has a health check."""
    assert {name for name, service in compose["services"].items() if "healthcheck" in service} == {
        *compose["services"]
    } - {"migrate"}


def test_compose_opens_one_port_and_that_to_this_machine_only(compose: dict[str, Any]) -> None:
    """Neither PostgreSQL nor Redis can be reached from outside, and the web port only over loopback."""
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}

    assert list(ports) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in ports["web"])


def test_compose_takes_every_secret_from_the_environment_and_insists_on_it(compose: dict[str, Any]) -> None:
    """A missing secret stops `docker compose up`; none has a default."""
    text = read("docker-compose.yml")

    assert {name for name in SECRETS if f"${{{name}:?" in text} == SECRETS
    assert not re.search(rf"\$\{{({'|'.join(SECRETS)})(:?-[^}}]*)?\}}", text)
    assert compose["services"]["web"]["environment"]["DATABASE_URL"].endswith("@postgres:5432/administrate")


def test_compose_passes_on_only_settings_that_exist(compose: dict[str, Any]) -> None:
    """A misspelt variable would silently do nothing."""
    for name in PRODUCT_SERVICES:
        assert set(compose["services"][name]["environment"]) <= settings_variables()


def test_every_volume_that_is_mounted_is_declared(compose: dict[str, Any]) -> None:
    """What must outlive a container lies in named volumes."""
    mounted = {
        volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])
    }
    assert mounted == set(compose["volumes"]) == {"postgres", "redis"}


def test_the_web_health_check_is_a_program(compose: dict[str, Any]) -> None:
    """The Python in the compose file at least compiles."""
    compile(compose["services"]["web"]["healthcheck"]["test"][-1], "healthcheck", "exec")


def test_the_image_runs_as_nobody_special_from_hashed_requirements() -> None:
    """The last user is not root, pip insists on hashes, and no secret stays in the environment."""
    text = read("Dockerfile")

    users = re.findall(r"^USER (\S+)", text, re.MULTILINE)
    assert users[-1:] == ["administrate"]
    assert text.count("pip install") == text.count("--require-hashes") == 1
    kept = " ".join(re.findall(r"^(?:ENV|ARG) (?:.*\\\n)*.*", text, re.MULTILINE))
    assert not any(secret in kept for secret in SECRETS)


def test_the_image_is_given_all_that_it_copies_and_no_more() -> None:
    """Each exception in .dockerignore exists; everything else, .env and var/ included, stays outside."""
    lines = [line for line in read(".dockerignore").splitlines() if line and not line.startswith("#")]
    allowed = [line[1:].rstrip("/") for line in lines if line.startswith("!")]

    assert lines[0] == "*"
    assert all((ROOT / name).exists() for name in allowed)
    packages = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert packages | {"templates", "manage.py", "requirements.txt"} <= set(allowed)


def test_make_without_a_word_lists_every_target() -> None:
    """`make` is a question, not an action."""
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert set(re.findall(r"^make (\w+)", done.stdout, re.MULTILINE)) >= MAKE_TARGETS


def test_a_python_that_is_too_old_is_answered_with_one_sentence(tmp_path: Path) -> None:
    """Nothing is made, and the sentence says what to do."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "rm", "touch"):
        (tools / name).symlink_to(str(shutil.which(name)))
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)

    done = subprocess.run(
        [str(shutil.which("make")), "install"],
        cwd=tmp_path,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith("Administrate needs Python 3.11 or newer")
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_file_pins_every_package_by_hash_and_names_no_index(name: str) -> None:
    """What is installed is what was locked, from wherever the machine gets its packages."""
    text = read(name)
    packages = re.findall(r"^[a-z0-9][^\n]*==", text, re.MULTILINE)

    assert len(packages) > 30
    assert "://" not in text
    assert len(re.findall(r"^[a-z0-9][^\n]*\\\n +--hash=sha256:", text, re.MULTILINE)) == len(packages)


def test_ci_runs_the_whole_check() -> None:
    """.ci/run can be executed and hands over to `make check`."""
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert "exec make check" in script.read_text()
