"""Stored usage and what is derived from it have one writer each, whatever sets it to work."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from costs.models import SUMS, CompanyTotal, DailyUsage, UsagePart
from costs.usage.estimates import set_credit_rate
from costs.usage.writing import Usage, write_usage
from providers.models import Project
from tests.factories import NOW, TODAY, make_company, make_split, make_usage
from tests.statements import written_out

pytestmark = pytest.mark.django_db

ROOT = Path(settings.BASE_DIR)
WRITES = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)')


def product_file() -> str:
    """The innermost file of the product that is at work: neither a library nor a test, nor what hands statements on."""
    for frame in inspect.stack():
        path = Path(frame.filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] not in {".venv", "tests", "core"}:
            return str(path.relative_to(ROOT))
    return ""


def writers(act: Callable[[], object]) -> dict[str, set[str]]:
    """Which files wrote to which tables during ``act``."""
    found: dict[str, set[str]] = {}

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        for statement in sql.split(";\n"):
            if match := WRITES.match(written_out(statement)):
                found.setdefault(match[1], set()).add(product_file())
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        act()
    return found


def write(project: Project) -> None:
    usage = Usage(project.pk, TODAY, "m", Decimal(1000), None, None, cost=None, currency="")
    write_usage(provider=project.provider, first=TODAY, last=TODAY, rows=[usage], read_at=NOW)


def set_rate(project: Project) -> None:
    set_credit_rate(provider=project.provider, rate=Decimal(1), currency="usd", now=NOW)


@pytest.mark.parametrize("act", [write, set_rate])
def test_usage_has_one_writer(act: Callable[[Project], None]) -> None:
    """A sync and a new rate for estimates go the same way."""
    project = make_usage(cost=None, credits=Decimal(1000)).project
    make_split(project=project, shares={make_company(): 60, make_company(): 40})

    written = writers(lambda: act(project))

    assert written[DailyUsage._meta.db_table] == {"costs/usage/writing.py"}
    assert written[UsagePart._meta.db_table] == {"costs/usage/attribution.py"}
    for model in SUMS:
        assert written[model._meta.db_table] == {"costs/usage/sums.py"}
    assert CompanyTotal._meta.db_table not in written
