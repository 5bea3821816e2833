"""What the files of usage read: rows, and each name once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from costs.exports.rows import Names, rows_by_day
from costs.exports.usage import usage_csv
from costs.models import AttributedUsage
from providers.models import Project, Provider
from tests.factories import TODAY, derive, make_assignment, make_company, make_project, make_provider, make_usage

pytestmark = pytest.mark.django_db


def make_days(count: int) -> Project:
    key = make_project()
    make_assignment(project=key, company=make_company())
    for offset in range(count):
        make_usage(project=key, day=TODAY - timedelta(days=offset))
    derive([key.pk])
    return key


def test_queries_do_not_grow_with_days() -> None:
    """Rows, keys, workspaces, companies."""
    make_days(10)

    with CaptureQueriesContext(connection) as queries:
        chunks = list(usage_csv(AttributedUsage.objects.all()))

    assert "".join(chunks).count("\n") == 11
    assert len(queries) == 4


def test_rows_of_a_key_that_is_gone_are_left_out() -> None:
    """A workspace may be deleted while a file is written."""
    key = make_days(1)
    (rows,) = rows_by_day(AttributedUsage.objects.all())
    other = make_project(provider=make_provider())
    key.delete()

    names = Names(_Described)
    found = [known.order for known, _rows in names.in_order([*rows, (rows[0][0], other.pk, *rows[0][2:])])]

    assert found == [(other.provider.name, other.external_id)]


class _Described:
    def __init__(self, project: Project, provider: Provider) -> None:
        self.order = (provider.name, project.external_id)
