"""Starting the product's settings in a process of their own."""

from __future__ import annotations

import subprocess
import sys

from tests.services.deploy_check import production_environment
from tests.services.processes import plain_environment
from tests.services.product import ROOT


def start(changes: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """By `manage.py check`, or another ``command`` of Python's."""
    return subprocess.run(
        [sys.executable, *(command or ("manage.py", "check"))],
        cwd=ROOT,
        env=plain_environment() | production_environment() | changes,
        capture_output=True,
        text=True,
        check=False,
    )
