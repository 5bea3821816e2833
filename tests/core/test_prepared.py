"""Queries and updates whose SQL is made once: they do what the QuerySet would, whatever they are told."""

from __future__ import annotations

from datetime import date
from unittest.mock import Mock

import pytest
from django.db import transaction
from django.db.models import BigIntegerField, CharField, DateField, Q
from pytest_django import DjangoAssertNumQueries

from core.prepared import Given, PreparedQuery, PreparedUpdate, given
from costs.models import ReadDay
from providers.models import Project, Provider
from tests.factories import NOW, make_project, make_provider, make_read_days

pytestmark = pytest.mark.django_db

_BY_NAME = PreparedQuery(
    lambda: Project.objects.select_related("provider").filter(name=Given("name", CharField())).order_by("pk")
)


def test_each_asking_has_its_own_values() -> None:
    """The second one finds nothing of the first."""
    make_project(name="One")
    make_project(name="Two")

    found = [[project.name for project in _BY_NAME.ask(name=name)] for name in ("One", "Two", "Three")]

    assert found == [["One"], ["Two"], []]


def test_sql_is_made_once() -> None:
    """That is what it is for."""
    make = Mock(return_value=Project.objects.filter(name=Given("name", CharField())))
    query: PreparedQuery[Project] = PreparedQuery(make)

    for name in ("One", "Two"):
        query.ask(name=name)

    make.assert_called_once_with()


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_in_a_transaction_only() -> None:
    """Each time, and not only while the SQL is made."""
    query: PreparedQuery[Project] = PreparedQuery(lambda: Project.objects.select_for_update().order_by())
    with transaction.atomic():
        query.ask()

    with pytest.raises(transaction.TransactionManagementError):
        query.ask()


def test_objects_come_with_what_was_selected_along(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """As by the QuerySet itself: no further query."""
    make_project(name="One", provider=make_provider(name="Main"))

    with django_assert_num_queries(1):
        names = [project.provider.name for project in _BY_NAME.ask(name="One")]

    assert names == ["Main"]


def test_values_are_read_as_the_fields_are() -> None:
    """Days as days, on either engine, and several values of one name."""
    one, other, third = (make_provider(name=name) for name in ("One", "Other", "Third"))
    for provider in (one, other, third):
        make_read_days(provider=provider, first=date(2026, 11, 1), last=date(2026, 11, 3))
    wanted = Q(provider__id__in=Given.several("providers", BigIntegerField(), 2)) & Q(day=Given("day", DateField()))
    query = PreparedQuery(lambda: ReadDay.objects.filter(wanted).order_by("provider").values_list("provider", "day"))

    found = query.ask(providers=[one.pk, third.pk], day=date(2026, 11, 2))

    assert found == [(one.pk, date(2026, 11, 2)), (third.pk, date(2026, 11, 2))]


def test_update_sets_what_it_is_told_each_time() -> None:
    """Lists, moments and nothing included; of the rows that it is told alone, and it says of how many."""
    one, other = make_provider(name="One"), make_provider(name="Other", noted_columns=["x"])
    update = PreparedUpdate(
        lambda: (
            Provider.objects.filter(name=Given("called", CharField())),
            {"failure_code": "", **given(Provider, ["noted_columns", "failing_since", "failure_text"])},
        )
    )
    Provider.objects.update(failure_code="timeout")

    counts = [
        update.carry_out(called=name, noted_columns=columns, failing_since=since, failure_text=text)
        for name, columns, since, text in (
            ("One", ["a", "ü"], NOW, "50 %"),
            ("Nobody", [], NOW, "-"),
            ("One", [], None, "%s"),
        )
    ]

    assert counts == [1, 0, 1]
    one.refresh_from_db()
    assert (one.noted_columns, one.failing_since, one.failure_text, one.failure_code) == ([], None, "%s", "")
    other.refresh_from_db()
    assert (other.noted_columns, other.failure_code) == (["x"], "timeout")


def test_what_is_no_field_is_not_taken() -> None:
    with pytest.raises(KeyError):
        given(Provider, ["nmae"])
