"""A statement as CSV: in cents, adding up, inert, and as it was frozen."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from django.test import Client

from providers.models import Project
from tests.costs.worlds import OCTOBER, SEPTEMBER, close, make_acme, path_of, restate
from tests.factories import make_usage

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def rows(client: Client, path: str) -> list[dict[str, str]]:
    content = client.get(f"{path}statement.csv").getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


def test_csv_is_in_cents_and_inert(signed_in: Client) -> None:
    """One record per line, names that can't run, amounts rounded once."""
    acme, _key = make_acme(name="=Acme", markup_percent=Decimal("12.5"))
    Project.objects.update(name="@SUM(A1)", external_id="a1b2")
    make_usage(project=Project.objects.get(), day=OCTOBER, model="+v3", cost=Decimal("1.004"), minutes=None)

    (row,) = rows(signed_in, path_of(acme))

    assert row == {
        "company": "'=Acme",
        "statement": "2026-10",
        "status": "draft",
        "kind": "usage",
        "month": "2026-10",
        "provider": "Production",
        "project_id": "a1b2",
        "project": "'@SUM(A1)",
        "model": "'+v3",
        "credits": "1000",
        "minutes": "",
        "requests": "10",
        "cost": "1.00",
        "currency": "usd",
        "estimated": "false",
        "markup_percent": "12.5",
        "markup": "0.13",
        "reason": "",
    }


def test_csv_of_an_adjustment_says_what_it_is_about(signed_in: Client) -> None:
    """The closed month, the mark-up that was billed for it, and why."""
    acme, key = make_acme()
    old = make_usage(project=key, day=SEPTEMBER, model="v3", cost=Decimal(1))
    close(SEPTEMBER)
    restate(old, Decimal("0.25"))

    (row,) = rows(signed_in, path_of(acme))

    assert (row["kind"], row["month"], row["cost"], row["markup"], row["markup_percent"], row["reason"]) == (
        "adjustment",
        "2026-09",
        "-0.75",
        "-0.15",
        "20",
        "Restated, priced late or reassigned since",
    )


def test_csv_adds_up_to_the_statement_by_a_record_of_rounding(signed_in: Client) -> None:
    """Two lines of $0.01 come to a cost of $0.01, and with 20 % to $0.01."""
    acme, key = make_acme()
    for model in ("v3", "flash"):
        make_usage(project=key, day=OCTOBER, model=model, cost=Decimal("0.005"))

    found = [(row["kind"], row["cost"], row["currency"], row["markup"]) for row in rows(signed_in, path_of(acme))]

    assert found == [
        ("usage", "0.01", "usd", "0.00"),
        ("usage", "0.01", "usd", "0.00"),
        ("rounding", "-0.01", "usd", "0.00"),
    ]


def test_mark_up_of_no_percent_of_a_credit_has_no_sign(signed_in: Client) -> None:
    """0 % of −$2.00 is 0.00."""
    acme, key = make_acme(markup_percent=Decimal(0))
    old = make_usage(project=key, day=SEPTEMBER, cost=Decimal(5))
    close(SEPTEMBER)
    restate(old, Decimal(3))

    (row,) = rows(signed_in, path_of(acme))

    assert (row["cost"], row["markup"]) == ("-2.00", "0.00")


def test_csv_of_a_closed_statement_is_what_was_frozen(signed_in: Client) -> None:
    """And says so, also in its name."""
    acme, key = make_acme()
    usage = make_usage(project=key, day=OCTOBER, cost=Decimal(3))
    close()
    restate(usage, Decimal(4))

    answer = signed_in.get(f"{path_of(acme)}statement.csv")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "acme-statement-2026-10.csv" in answer["Content-Disposition"]
    assert [(row["status"], row["cost"]) for row in rows(signed_in, path_of(acme))] == [("closed", "3.00")]


def test_no_two_columns_have_the_same_head(signed_in: Client) -> None:
    """Of a statement, and of each list of statements, with several currencies too."""
    acme, key = make_acme()
    old = make_usage(project=key, day=SEPTEMBER, cost=Decimal(3))
    make_usage(project=key, day=OCTOBER, cost=Decimal(3))
    make_usage(project=key, day=OCTOBER, model="other", cost=Decimal(4), currency="eur")
    close(SEPTEMBER)
    restate(old, Decimal(4))

    for path in (
        f"{path_of(acme)}statement.csv",
        "/statements/?csv=months",
        "/statements/2026-10/?csv=statements",
        "/statements/2026-09/?csv=changed",
        f"/companies/{acme.pk}/statements/?csv=statements",
    ):
        answer = signed_in.get(path)
        assert answer["Content-Type"].startswith("text/csv"), path
        heads = next(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
        assert len(set(heads)) == len(heads), heads
