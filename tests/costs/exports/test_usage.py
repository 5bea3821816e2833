"""The CSV of usage: exact numbers, inert text, one order on every database."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from core.csv_files import escape_formula, plain
from costs.exports.usage import usage_csv
from costs.models import AttributedUsage, DailyUsage
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_usage,
)

pytestmark = pytest.mark.django_db


def text() -> str:
    return "".join(usage_csv(AttributedUsage.objects.all()))


def exported() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(), newline=""), strict=True))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (0, "0"),
        (1000, "1000"),
        (Decimal(0), "0"),
        (Decimal("0E-10"), "0"),
        (Decimal("-0"), "0"),
        (Decimal("-0.00"), "0"),
        (Decimal("1E-10"), "0.0000000001"),
        (Decimal("1E+5"), "100000"),
        (Decimal("100.0000"), "100"),
        (Decimal("0.3000000000"), "0.3"),
        (Decimal("999999.9999999999"), "999999.9999999999"),
        (Decimal("99999999999.9999"), "99999999999.9999"),
    ],
)
def test_number_is_plain(value: Any, expected: str) -> None:
    """No exponent, no padding, empty when unknown."""
    assert plain(value) == expected


@given(st.integers(0, 10**16), st.integers(0, 10))
def test_plain_number_is_the_number(number: int, scale: int) -> None:
    """What is written reads back as the same value, in digits and one point."""
    value = Decimal(number).scaleb(-scale)

    written = plain(value)

    assert Decimal(written) == value
    assert set(written) <= set("0123456789.")
    assert not (("." in written) and written.endswith(("0", ".")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", *"＝＋－＠", *"﹦﹢﹣﹫"])
def test_formula_is_made_inert(start: str) -> None:
    """What a spreadsheet would run begins with an apostrophe."""
    assert escape_formula(f"{start}HYPERLINK(1)") == f"'{start}HYPERLINK(1)"


@pytest.mark.parametrize("plain_text", ["", "a=b", "1-2", "<b>x</b>", "'quoted", "名前"])
def test_other_text_is_left_alone(plain_text: str) -> None:
    """Nothing else is changed."""
    assert escape_formula(plain_text) == plain_text


def test_columns_are_the_fixed_interface() -> None:
    """Scripts outside this repository read these names."""
    told = "date,provider,project_id,project,company,model,credits,minutes,requests,cost,currency,estimated"

    assert text() == f"{told},kind,allocated\n"


def test_row_holds_every_figure_exactly() -> None:
    """One line per stored row."""
    provider = make_provider(name="Production")
    project = make_project(provider=provider, external_id="abc", name="Support line")
    make_assignment(project=project, company=make_company(name="Acme"))
    make_usage(
        project=project,
        day=date(2026, 11, 20),
        model="m",
        credits=Decimal("1234.5"),
        minutes=Decimal("0.000001"),
        requests=7,
        cost=Decimal("0.0000000001"),
    )

    assert text().splitlines()[1:] == [
        "2026-11-20,Production,abc,Support line,Acme,m,1234.5,0.000001,7,0.0000000001,usd,false,key,false"
    ]


def test_unknown_is_empty_and_zero_is_zero() -> None:
    """NULL and 0 are told apart."""
    make_usage(credits=1, minutes=None, requests=None, cost=None)
    make_usage(credits=1, minutes=0, requests=0, cost=0)

    found = {(row["minutes"], row["requests"], row["cost"], row["currency"]) for row in exported()}

    assert found == {("", "", "", ""), ("0", "0", "0", "usd")}


def test_rows_of_zeros_are_left_out() -> None:
    """What became zero is not exported."""
    make_usage(credits=0, minutes=0, requests=0, cost=0)
    make_usage(credits=0, minutes=None, requests=0, cost=None)

    assert exported() == []


def test_keyless_usage_has_no_project_id() -> None:
    """There is no id where there was no key; missing models are empty, missing companies too."""
    make_usage(project=make_keyless(provider=make_provider()), model="")

    [row] = exported()

    assert (row["project_id"], row["project"], row["model"], row["company"]) == ("", "No API key (web app)", "", "")


def test_own_label_stands_for_the_reported_name() -> None:
    """The project is called what people call it."""
    make_usage(project=make_project(name="reported", label="ours"))

    assert exported()[0]["project"] == "ours"


def test_estimates_are_marked() -> None:
    """An estimated cost says so."""
    make_usage(estimated=True)

    assert exported()[0]["estimated"] == "true"


def test_assignment_from_a_day_splits_at_that_day() -> None:
    """The day before keeps the old company."""
    project = make_project()
    make_assignment(project=project, company=make_company(name="Old"))
    make_assignment(project=project, company=make_company(name="New"), starts_on=date(2026, 11, 15))
    for day in (14, 15):
        make_usage(project=project, day=date(2026, 11, day))

    assert [row["company"] for row in exported()] == ["Old", "New"]


def test_only_text_cells_are_made_inert() -> None:
    """Every text a person or an API gave is inert; dates and numbers are never touched."""
    evil = '=HYPERLINK("http://x")'
    provider = make_provider(name=evil)
    project = make_project(provider=provider, external_id="-1", name="+1")
    make_assignment(project=project, company=make_company(name="@SUM(1)"))
    make_usage(project=project, model="\tm", cost=Decimal("0.3"))

    [row] = exported()

    assert [row[name] for name in ("provider", "project_id", "project", "company", "model")] == [
        f"'{evil}",
        "'-1",
        "'+1",
        "'@SUM(1)",
        "'\tm",
    ]
    assert (row["cost"], row["date"]) == ("0.3", (TODAY - timedelta(days=1)).isoformat())


@pytest.mark.parametrize("name", ['a"b', "a,b", "a\nb", "a\rb", "a\r\nb", "<b>x</b>", "名前;\t", "end\r"])
def test_any_text_survives_the_csv(name: str) -> None:
    """Quotes, commas and line breaks of each kind read back as they were, in one row."""
    make_usage(project=make_project(name=name), model=name)

    [row] = exported()

    assert (row["project"], row["model"]) == (name, name)


def test_order_is_by_code_point_on_every_database() -> None:
    """Date, provider, project_id, model – capitals before small letters before accents, whatever the collation."""
    names = ["a", "B", "Z", "ä", "É", "1", "_", "名"]
    for name in names:
        provider = make_provider(name=f"P{name}")
        for day in (TODAY, TODAY - timedelta(days=1)):
            for external_id in ("b", "A"):
                project = provider.projects.filter(external_id=external_id).first() or make_project(
                    provider=provider, external_id=external_id
                )
                for model in ("m", "M", "é"):
                    make_usage(project=project, day=day, model=model)

    found = [(row["date"], row["provider"], row["project_id"], row["model"]) for row in exported()]

    assert found == sorted(found)
    assert len(found) == len(names) * 2 * 2 * 3


def test_formulas_do_not_change_the_order() -> None:
    """The order is that of the names, not of what was done to them."""
    for name in ("=x", "&x", "Ax"):
        make_usage(project=make_project(provider=make_provider(name=name)))

    assert [row["provider"] for row in exported()] == ["&x", "'=x", "Ax"]


def test_lines_end_in_one_character_and_there_is_no_byte_order_mark() -> None:
    """What a script splits at."""
    make_usage()

    assert text().startswith("date,")
    assert text().endswith("false\n")
    assert "\r" not in text()


def test_many_rows_come_in_chunks_with_few_queries() -> None:
    """The queries do not grow with the rows, and no row gets lost between chunks."""
    project = make_project()
    DailyUsage.objects.bulk_create(
        DailyUsage(
            project=project,
            day=TODAY - timedelta(days=number // 50),
            model=f"m{number}",
            credits=Decimal(1),
            updated_at=NOW,
        )
        for number in range(2500)
    )

    with CaptureQueriesContext(connection) as queries:
        chunks: Iterator[str] = usage_csv(AttributedUsage.objects.all())
        sizes = [chunk.count("\n") for chunk in chunks]

    assert sum(sizes) == 2501
    assert max(sizes) < 1100
    assert len(queries) <= 3


@pytest.mark.parametrize("kind", ["key", "agent", "person", "keyless", "account"])
def test_row_tells_what_it_belongs_to(kind: str) -> None:
    """A key, an agent, a person, nobody, or an account."""
    make_usage(project=make_project(kind=kind))

    (row,) = exported()

    assert (row["kind"], row["allocated"]) == (kind, "false")


def test_allocated_row_says_so() -> None:
    """Its figures are a share of what was reported for several together."""
    make_usage(allocated=True)

    (row,) = exported()

    assert row["allocated"] == "true"
