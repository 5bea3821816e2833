"""The files around the code keep what they promise: compose file, image, example environment, Makefile, lock files.

No container engine is needed: what can be read is checked, what can be run without one is run.
"""

import ast
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests import deployed
from tests.services import audit
from tests.services.product import ROOT

MAKE_TARGETS = {"help", "install", "run", "demo", "test", "check", "audit", "sbom", "bench", "lock", "format", "clean"}
PRODUCT_SERVICES = {"migrate", "web", "worker", "beat", "mcp"}
SECRETS = {"SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_PASSWORD", "REDIS_PASSWORD"}
# Of those that only some containers have, the one that insists on it.
SERVERS_SECRETS = {"POSTGRES_PASSWORD": "roles", "DATABASE_OWNER_PASSWORD": "migrate"}
IMAGES = {"PYTHON_IMAGE", "POSTGRES_IMAGE", "REDIS_IMAGE"}
# What others than the settings read: the servers' images, Compose, gunicorn.
OTHERS = {*SERVERS_SECRETS, *IMAGES, "WEB_CONCURRENCY", "MCP_URL", "MCP_PORT"}


VIEW_LINES, VIEW_BRANCHES = 40, 8


def read(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return deployed.compose()


def settings_variables() -> set[str]:
    """Every environment variable that the settings read."""
    return set(re.findall(r'env\.\w+\("([A-Z_]+)"', read("administrate/settings.py")))


def example_variables() -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", read(".env.example"), re.MULTILINE))


def test_the_example_environment_names_every_setting_and_no_other() -> None:
    """Whoever reads .env.example knows all that can be set."""
    assert example_variables() == settings_variables() | OTHERS


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

    assert len(secrets) == 4
    assert all(len(secret) >= 40 for secret in secrets)
    Fernet(secrets[1])


def test_compose_runs_each_part_of_the_product(compose: dict[str, Any]) -> None:
    """Web, worker, beat and the one-shot migration, with PostgreSQL and Redis."""
    assert set(compose["services"]) == {"postgres", "redis", "roles", *PRODUCT_SERVICES}


@pytest.mark.parametrize("name", sorted(PRODUCT_SERVICES - {"migrate"}))
def test_compose_starts_the_product_on_a_migrated_database(compose: dict[str, Any], name: str) -> None:
    """Nothing that uses the tables starts before they are there."""
    assert compose["services"][name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_compose_knows_the_health_of_what_keeps_running(compose: dict[str, Any]) -> None:
    """Every service but the one-shot ones has a health check."""
    assert {name for name, service in compose["services"].items() if "healthcheck" in service} == {
        *compose["services"]
    } - {"roles", "migrate"}


def test_compose_opens_ports_to_this_machine_only(compose: dict[str, Any]) -> None:
    """Neither PostgreSQL nor Redis can be reached from outside; pages, and tools if asked for, only over loopback."""
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}

    assert list(ports) == ["web", "mcp"]
    assert compose["services"]["mcp"]["profiles"] == ["mcp"]
    assert all(port.startswith("127.0.0.1:") for of_service in ports.values() for port in of_service)


def filled_in(compose: dict[str, Any], service: str, dot_env: dict[str, str]) -> dict[str, str]:
    """The environment that the service gets from this .env."""
    return {
        name: deployed.interpolated(str(value), dot_env)
        for name, value in compose["services"][service]["environment"].items()
    }


@pytest.mark.parametrize(
    ("missing", "service"), sorted([*((name, "web") for name in SECRETS), *SERVERS_SECRETS.items()])
)
def test_compose_insists_on_every_secret(compose: dict[str, Any], missing: str, service: str) -> None:
    """None has a default: without it, as text or as a file, `docker compose up` stops and names it."""
    dot_env = {name: "given" for name in {*SECRETS, *SERVERS_SECRETS} if name != missing}

    with pytest.raises(AssertionError, match=f"set {missing} or {missing}_FILE"):
        filled_in(compose, service, dot_env)


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_the_application_knows_no_password_but_its_own(compose: dict[str, Any], name: str) -> None:
    """Neither the superuser's nor the owner's is in its environment or mounted."""
    service = compose["services"][name]

    assert set(service["secrets"]) == {secret.lower() for secret in SECRETS}
    assert not any(secret in str(service) for secret in SERVERS_SECRETS)


def test_only_what_calls_or_is_called_has_a_way_out(compose: dict[str, Any]) -> None:
    """The servers, the clock and what runs once are on a network without one."""
    ways = {name: set(service["networks"]) for name, service in compose["services"].items()}

    assert compose["networks"]["inside"] == {"internal": True}
    assert {name for name, networks in ways.items() if networks != {"inside"}} == {"web", "worker", "mcp"}


def test_images_can_be_pinned_by_digest(compose: dict[str, Any]) -> None:
    """By three variables; the documented command writes them."""
    pinned = dict.fromkeys(IMAGES, f"image@sha256:{'0' * 64}")
    given = compose["services"] | {"build": {"image": compose["services"]["web"]["build"]["args"]["PYTHON_IMAGE"]}}

    images = {deployed.interpolated(given[name]["image"], pinned) for name in ("postgres", "roles", "redis", "build")}

    assert images == set(pinned.values())
    assert set(re.findall(r"^FROM (\S+)", read("Dockerfile"), re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    assert all(f"{name}=" in read("docs/deploy.md") for name in IMAGES)


def test_compose_takes_secrets_as_text_or_as_files(compose: dict[str, Any]) -> None:
    """Text is handed on as it is, of a file the path of its mount; where there is none a harmless one is mounted."""
    text = filled_in(compose, "worker", dict.fromkeys(SECRETS, "p@ss:word/"))
    files = {f"{name}_FILE": f"./secrets/{name.lower()}" for name in SECRETS}
    filed = filled_in(compose, "worker", files)

    assert (text["SECRET_KEY"], text["SECRET_KEY_FILE"], text["DATABASE_PASSWORD"]) == ("p@ss:word/", "", "p@ss:word/")
    assert {
        filed[name]
        for name in ("SECRET_KEY_FILE", "ENCRYPTION_KEYS_FILE", "DATABASE_PASSWORD_FILE", "REDIS_PASSWORD_FILE")
    } == {f"/run/secrets/{name.lower()}" for name in SECRETS}
    mounts = {name: secret["file"] for name, secret in compose["secrets"].items()}
    assert {name.upper() for name in mounts} == {*SECRETS, *SERVERS_SECRETS}
    assert {deployed.interpolated(mounts[name], files) for name in compose["services"]["worker"]["secrets"]} == {
        *files.values()
    }
    assert {deployed.interpolated(path, {}) for path in mounts.values()} == {"./.env.example"}


def test_compose_passes_on_only_settings_that_exist(compose: dict[str, Any]) -> None:
    """A misspelt variable would silently do nothing."""
    for name in PRODUCT_SERVICES:
        passed = {variable.removesuffix("_FILE") for variable in compose["services"][name]["environment"]}
        assert passed <= settings_variables() | OTHERS


@pytest.mark.parametrize("name", ["postgres", "redis", "roles", *sorted(PRODUCT_SERVICES)])
def test_every_container_has_as_little_as_it_needs(compose: dict[str, Any], name: str) -> None:
    """No root, no capabilities, nothing to write to but memory and named volumes, bounded memory, CPU and processes."""
    service = compose["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)
    assert all(volume.split(":")[0] in compose["volumes"] for volume in service.get("volumes", []))
    assert {"cpus", "memory", "pids"} == set(service["deploy"]["resources"]["limits"])
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service.get("user") in ({None} if name in PRODUCT_SERVICES else {"postgres", "redis"})


def test_what_keeps_running_is_started_again(compose: dict[str, Any]) -> None:
    """After a crash or a reboot; roles and migration run once."""
    assert {name: service["restart"] for name, service in compose["services"].items()} == {
        name: "no" if name in {"roles", "migrate"} else "unless-stopped" for name in compose["services"]
    }


def test_containers_end_in_order(compose: dict[str, Any]) -> None:
    """A sync may be finished, and gunicorn answer what it has begun: 30 seconds by its own rule."""
    assert compose["services"]["worker"]["stop_grace_period"] == "2m"
    assert compose["services"]["web"]["stop_grace_period"] == "40s"


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
    """The last user is not root – by number, so that others can tell –, pip insists on hashes, no secret stays."""
    text = read("Dockerfile")

    users = re.findall(r"^USER (\S+)", text, re.MULTILINE)
    assert users[-1:] == ["10001"]
    assert "useradd --system --uid 10001 " in text
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
    assert packages | {"templates", "manage.py", "gunicorn.conf.py", "requirements.txt"} <= set(allowed)


def test_the_image_installs_what_the_tests_run_on() -> None:
    """The same locked versions: the image's `pip install` is the one that made this environment."""
    pinned = dict(
        re.findall(r"^([a-z0-9.-]+)(?:\[[\w,]+\])?==([^ ;]+)(?: \\$|$)", read("requirements.txt"), re.MULTILINE)
    )

    wrong = {name: version for name, version in pinned.items() if metadata.version(name) != version}

    assert len(pinned) > 30
    assert wrong == {}


def test_the_images_files_are_small_steps_that_hold(compose: dict[str, Any]) -> None:
    """What a linter of Dockerfiles asks for: tags, no cache left, absolute folders, an exec form, nothing as root."""
    text = read("Dockerfile")

    assert all(re.fullmatch(r"[\w./-]+:[\w.-]+", image) for image in re.findall(r"^ARG \w+=(\S+)", text, re.MULTILINE))
    assert all(folder.startswith("/") for folder in re.findall(r"^WORKDIR (\S+)", text, re.MULTILINE))
    assert "--no-cache-dir" in text
    assert not re.search(r"^(ADD|MAINTAINER|ONBUILD) |\bsudo\b|:latest", text, re.MULTILINE)
    assert deployed.command_of_image()[0] == "gunicorn"
    assert all(":" in compose["services"][name]["image"] for name in ("postgres", "redis"))


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


@pytest.mark.parametrize(
    ("found", "status", "words"),
    [
        ([{"name": "a", "skip_reason": "unknown"}], 0, "NOTICE: the dependencies were not audited"),
        ([{"name": "a", "version": "1", "vulns": []}], 0, "Audited 1 of 1 dependencies: no known vulnerabilities."),
        (
            [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}],
            1,
            "a 1: CVE-1 (fixed in: 2)",
        ),
    ],
)
def test_audit_fails_for_what_is_known_only(
    capsys: pytest.CaptureFixture[str], found: list[dict[str, Any]], status: int, words: str
) -> None:
    """Where nobody can be asked it says so and lets pass."""
    assert audit.report(found) == status

    printed = capsys.readouterr()
    assert words in printed.out + printed.err


def test_ci_runs_the_whole_check() -> None:
    """.ci/run can be executed, asks for known vulnerabilities and runs `make check`."""
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert "make audit" in script.read_text()
    assert "make check" in script.read_text()


def test_no_test_module_imports_another() -> None:
    """What several need lies in a module of its own: whoever changes a test changes that test alone."""
    imports = re.compile(
        r"^\s*(?:from tests[\w.]*\.test_\w+ import|import tests[\w.]*\.test_|from tests[\w.]* import .*\btest_)",
        re.MULTILINE,
    )

    assert [path.name for path in (ROOT / "tests").rglob("*.py") if imports.search(path.read_text())] == []


def branches(function: ast.AST) -> int:
    """Where a function can go more than one way: conditions, loops, handlers, and further parts of "and" and "or"."""
    ways = (ast.If, ast.IfExp, ast.For, ast.While, ast.ExceptHandler, ast.comprehension, ast.match_case)
    nodes = list(ast.walk(function))
    further = sum(len(node.values) - 1 for node in nodes if isinstance(node, ast.BoolOp))
    return sum(isinstance(node, ways) for node in nodes) + further


def test_views_are_short_and_decide_little() -> None:
    """A view reads the request, calls a selector or a service, and renders; more than that belongs below it."""
    modules = [path for path in ROOT.glob("[a-z]*/**/*.py") if {path.parent.name, path.stem} & {"views"}]
    too_much = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and ((node.end_lineno or 0) - node.lineno >= VIEW_LINES or branches(node) > VIEW_BRANCHES)
    ]

    assert len(modules) > 30
    assert too_much == []
