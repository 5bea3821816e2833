"""Starting the product's settings in a process of their own."""

from __future__ import annotations

import subprocess
import sys

from tests.services.deploy_check import production_environment
from tests.services.processes import plain_environment
from tests.services.product import ROOT


def start(changes: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=plain_environment() | production_environment() | changes,
        capture_output=True,
        text=True,
        check=False,
    )
