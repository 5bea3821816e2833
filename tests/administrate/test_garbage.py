"""No process looks often for garbage, and those that serve for long don't look among what they have loaded."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest
from celery import signals

from administrate.garbage import NEW_OBJECTS
from tests.services.processes import plain_environment
from tests.services.product import ROOT


@pytest.fixture
def thawed() -> Iterator[None]:
    """As in a process that has just begun; how the tests' own has it is put back."""
    threshold = gc.get_threshold()
    gc.unfreeze()
    gc.set_threshold(700, *threshold[1:])
    yield
    gc.set_threshold(*threshold)
    gc.freeze()


@pytest.mark.usefixtures("thawed")
def test_worker_process_spares_what_is_loaded() -> None:
    """Each that a worker forks."""
    signals.worker_process_init.send(sender=None)

    assert gc.get_freeze_count() > 100_000
    assert gc.get_threshold()[0] == NEW_OBJECTS


def test_web_process_spares_every_page() -> None:
    """They are loaded before the first visitor comes, and nothing else that processes forked of it must not share."""
    asked = """
import administrate.wsgi, gc, sys, threading
from django.db import connection
print("costs.pages.views.dashboard" in sys.modules, gc.get_freeze_count(), gc.get_threshold()[0])
print(connection.connection, threading.active_count())
"""
    environment = plain_environment() | {"DJANGO_SETTINGS_MODULE": "tests.settings"}

    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    are_loaded, spared, threshold, connected, threads = done.stdout.split()
    assert are_loaded == "True"
    assert int(spared) > 100_000
    assert int(threshold) == NEW_OBJECTS
    assert (connected, threads) == ("None", "1")


def test_command_looks_seldom() -> None:
    """Any of them, and from its beginning."""
    asked = "import gc; print(gc.get_threshold()[0])"
    environment = plain_environment() | {"DJANGO_SETTINGS_MODULE": "tests.settings"}

    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", asked],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert int(done.stdout) == NEW_OBJECTS
