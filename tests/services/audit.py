"""`python -m tests.services.audit`: are there known vulnerabilities in what the lock file installs?

pip-audit asks PyPI. Where it can't be reached, or does not know the packages, that is said and nothing fails: a machine
without a network checks everything else.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ["-m", "pip_audit", "--requirement", "requirements.txt", "--require-hashes", "--disable-pip"]
LIMIT_SECONDS = 180


def main() -> int:
    """0 when nothing is known, or nobody could be asked; 1 with a line for each vulnerability."""
    try:
        done = subprocess.run(
            [sys.executable, *COMMAND, "--format", "json", "--progress-spinner", "off", "--timeout", "10"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return _skipped(f"no answer within {LIMIT_SECONDS} s")
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last_words = done.stderr.strip().splitlines()[-1:] or ["no answer"]
        return _skipped(last_words[0][:200])
    return report(found)


def report(dependencies: list[dict[str, Any]]) -> int:
    """Print what pip-audit has found, and return the exit code."""
    audited = [dependency for dependency in dependencies if "vulns" in dependency]
    if not audited:
        return _skipped("none of the packages is known there")
    lines = [
        f"{dependency['name']} {dependency['version']}: {known['id']} (fixed in: {', '.join(known['fix_versions'])})"
        for dependency in audited
        for known in dependency["vulns"]
    ]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.write(
        f"Audited {len(audited)} of {len(dependencies)} dependencies: {len(lines) or 'no'} known vulnerabilities.\n"
    )
    return 1 if lines else 0


def _skipped(reason: str) -> int:
    sys.stdout.write(f"NOTICE: the dependencies were not audited ({reason}).\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
