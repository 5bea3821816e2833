"""What falls to whom: periods and shares – and that nothing is lost or doubled on the way."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from costs.models import SUMS, AttributedUsage
from tests.costs.usage.attributing import costs_of, owners, usage, write
from tests.factories import TODAY, make_assignment, make_company, make_project, make_split, make_usage

pytestmark = pytest.mark.django_db


def test_row_belongs_to_the_company_of_its_day() -> None:
    """An assignment from a day on splits exactly there; days before keep the company they had."""
    project = make_project()
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    make_assignment(project=project, company=acme)
    make_assignment(project=project, company=globex, starts_on=date(2026, 11, 15))
    for day in (13, 14, 15, 16):
        make_usage(project=project, day=date(2026, 11, day))

    assert owners() == ["Acme", "Acme", "Globex", "Globex"]


def test_days_before_the_first_period_are_unassigned() -> None:
    """A period that starts later says nothing of the days before."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Acme"), starts_on=date(2026, 11, 15))
    for day in (14, 15):
        make_usage(project=project, day=date(2026, 11, day))

    assert owners() == [None, "Acme"]


def test_period_without_a_company_is_unassigned() -> None:
    """From its first day on the project belongs to nobody."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Acme"))
    make_assignment(project=project, company=None, starts_on=date(2026, 11, 15))
    for day in (14, 15):
        make_usage(project=project, day=date(2026, 11, day))

    assert owners() == ["Acme", None]


def test_assignments_of_other_projects_do_not_count() -> None:
    """A row follows its own project."""
    make_assignment(project=make_project(), company=make_company())
    make_usage()

    assert owners() == [None]


def test_attribution_neither_adds_nor_loses_rows() -> None:
    """Each row is attributed once, however many periods its project has."""
    project = make_project()
    for day in range(1, 20):
        make_assignment(project=project, company=make_company(), starts_on=date(2026, 11, day))
    make_usage(project=project, day=date(2026, 11, 21))
    make_usage(project=project, day=date(2026, 10, 1))

    assert AttributedUsage.objects.count() == 2


def test_split_row_adds_up_by_largest_remainder() -> None:
    """A cent in three parts: the first company of equal remainders takes what is left over."""
    project = make_project()
    shares = {make_company(name=name): "33.33" for name in ("One", "Two")} | {make_company(name="Three"): "33.34"}
    make_split(project=project, shares=shares)
    make_usage(project=project, cost=Decimal("0.0000000001"), requests=10, credits=Decimal("0.0002"), minutes=None)

    parts = list(AttributedUsage.objects.order_by("company_id"))

    assert [part.cost for part in parts] == [0, 0, Decimal("0.0000000001")]
    assert [part.requests for part in parts] == [3, 3, 4]
    assert [part.credits for part in parts] == [Decimal("0.0001"), 0, Decimal("0.0001")]
    assert [part.minutes for part in parts] == [None, None, None]


def test_split_applies_from_its_day_on() -> None:
    """Before it the key belonged to one company, after it to nobody."""
    project = make_project()
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    make_assignment(project=project, company=acme)
    make_split(project=project, shares={acme: 60, globex: 40}, starts_on=date(2026, 11, 15))
    make_assignment(project=project, company=None, starts_on=date(2026, 11, 16))
    for day in (14, 15, 16):
        make_usage(project=project, day=date(2026, 11, day))

    assert owners() == ["Acme", "Acme", "Globex", None]


def test_writing_keeps_a_split_key_split() -> None:
    """What a sync changes is split as what stood was."""
    project = make_project()
    make_split(project=project, shares={make_company(name="Acme"): 75, make_company(name="Globex"): 25})
    make_usage(project=project, day=TODAY, cost=Decimal(1), model="m")

    write(project.provider, [usage(project, TODAY, cost=Decimal(8))])

    assert costs_of(project) == {"Acme": 6, "Globex": 2}


def test_reading_the_same_again_attributes_nothing_anew() -> None:
    """The parts are the same rows as before."""
    project = make_project()
    make_split(project=project, shares={make_company(): 50, make_company(): 50})
    write(project.provider, [usage(project, TODAY)])
    tables: tuple[Any, ...] = (AttributedUsage, *SUMS)
    before = [set(model.objects.values_list("pk", flat=True)) for model in tables]

    write(project.provider, [usage(project, TODAY)])

    after = [set(model.objects.values_list("pk", flat=True)) for model in tables]
    assert after == before
