"""Running a management command as the shell does, inside the test's database."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import ManagementUtility
from django.db import connections


def run(*arguments: str, stdin: str | bytes = "") -> tuple[int, str, str]:
    """The exit code, standard output and standard error of ``manage.py`` with these arguments."""
    raw = stdin if isinstance(stdin, bytes) else stdin.encode()
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    keyboard = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8")
    # A command closes the connections of its process; here it is the test's, with its transaction.
    stays_open = patch.object(connections, "close_all")
    with redirect_stdout(out), redirect_stderr(err), patch("sys.stdin", keyboard), stays_open:
        try:
            # pytest's check of template variables is a setting that Django's own checks don't like.
            ManagementUtility(["manage.py", *arguments, "--skip-checks"]).execute()
        except SystemExit as ended:
            code = ended.code or 0
    return code, out.getvalue(), err.getvalue()


def ran(*arguments: str, stdin: str | bytes = "") -> str:
    """The standard output of a command that must succeed."""
    code, out, err = run(*arguments, stdin=stdin)
    assert code == 0, err
    return out


def refused(*arguments: str, code: int, stdin: str | bytes = "") -> str:
    """The one line on standard error of a command that must end with ``code`` and print nothing else."""
    found, out, err = run(*arguments, stdin=stdin)
    if found != code:
        pytest.fail(f"exit code {found} instead of {code}: {err}")
    assert out == ""
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1
    return err
