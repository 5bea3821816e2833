"""docs/api.md, followed word for word."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from api.models import Scope
from providers.models import Company
from tests.api.asking import make_token
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("now"), pytest.mark.any_engine]

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def blocks(language: str, beginning: str = "") -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    return [block for block in found if block.startswith(beginning)]


@pytest.fixture
def environment(live_server: LiveServer) -> dict[str, str]:
    """A token, and a world in which November is what the examples say."""
    provider = make_provider(history_from=date(2026, 11, 1))
    make_read_days(provider=provider, first=date(2026, 11, 1), last=TODAY)
    project = make_project(provider=provider)
    make_assignment(project=project, company=make_company(name="Acme"))
    make_usage(project=project)
    return {**os.environ, "ADMINISTRATE": live_server.url, "TOKEN": make_token()}


def ran(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def curl(number: int, environment: dict[str, str]) -> str:
    return ran(["bash", "-c", blocks("sh", "curl")[number].replace("curl ", "curl --silent --fail ", 1)], environment)


def test_costs_by_curl_are_as_printed(environment: dict[str, str]) -> None:
    """The answer of the example, but for the id."""
    printed: Any = json.loads(blocks("json", '{"data"')[0])

    answer = json.loads(curl(0, environment))

    printed["data"][0]["company"]["id"] = Company.objects.get().pk
    assert answer == printed


def test_costs_by_httpx_add_up(environment: dict[str, str]) -> None:
    """Page by page, as decimals."""
    assert Decimal(ran([sys.executable, "-c", blocks("python")[0]], environment)) == Decimal("0.3")


def test_costs_come_as_csv(environment: dict[str, str]) -> None:
    """Compressed on the way."""
    heading, line = curl(1, environment).splitlines()

    assert heading.startswith("day,company.id,company.name,model,credits")
    assert line.startswith("2026-11-21,")


def test_company_is_added_once_by_curl(environment: dict[str, str]) -> None:
    """Repeated with the same key, it is answered the same."""
    first, second = curl(2, environment), curl(2, environment)

    assert first == second
    assert Company.objects.filter(name="Initech").count() == 1


def test_refusal_is_as_printed(environment: dict[str, str]) -> None:
    """To the letter, but for the title, which is Python's."""
    printed: Any = json.loads(blocks("json", '{"type"')[0])
    asked = 'curl --silent "$ADMINISTRATE/api/v1/costs?from=1.11.2026" --header "Authorization: Bearer $TOKEN"'

    answer = json.loads(ran(["bash", "-c", asked], environment))

    assert answer | {"title": ""} == printed | {"title": ""}


def test_every_scope_is_explained() -> None:
    """In the table."""
    assert re.findall(r"^\| `(\w+:\w+)`", TEXT, re.MULTILINE) == list(Scope.values)
