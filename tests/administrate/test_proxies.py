"""A proxy that nobody has named makes all visitors one address: said at the start and on Settings → About."""

from __future__ import annotations

import ipaddress
import subprocess
import sys

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.services.deploy_check import production_environment
from tests.services.processes import plain_environment
from tests.services.product import ROOT

pytestmark = pytest.mark.any_engine


FORWARDED = {"X-Forwarded-For": "198.51.100.7"}


def started(**changes: str) -> str:
    """What a web process says as it starts."""
    environment = plain_environment() | production_environment() | {"TRUSTED_PROXIES": ""} | changes
    command = [sys.executable, "-c", "import administrate.wsgi"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stderr


def test_start_without_trusted_proxies_warns() -> None:
    """In one line, where the site is one that others reach."""
    assert started().count("TRUSTED_PROXIES is not set: all visitors who come through a proxy count as one") == 1


@pytest.mark.parametrize("changes", [{"TRUSTED_PROXIES": "10.0.0.0/8"}, {"ALLOWED_HOSTS": "localhost"}])
def test_start_with_them_is_silent(changes: dict[str, str]) -> None:
    """Or where there is no proxy."""
    assert "TRUSTED_PROXIES" not in started(**changes)


def test_about_names_the_proxy_that_is_not_trusted(signed_in: Client) -> None:
    """With what to set."""
    page = signed_in.get("/settings/about/", headers=FORWARDED).content.decode()

    assert "This page came through a proxy that is not trusted: 127.0.0.1." in page
    assert "<code>TRUSTED_PROXIES=127.0.0.1</code>" in page


def test_about_is_content_without_a_proxy_or_with_a_trusted_one(signed_in: Client, settings: Settings) -> None:
    """Nothing to do, nothing to read."""
    direct = signed_in.get("/settings/about/").content.decode()
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("127.0.0.1")]
    trusted = signed_in.get("/settings/about/", headers=FORWARDED).content.decode()

    assert "TRUSTED_PROXIES" not in direct
    assert "TRUSTED_PROXIES" not in trusted
