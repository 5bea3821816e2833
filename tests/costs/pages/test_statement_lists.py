"""The three lists of statements: the same figures as the statements, their marks, and their CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.days import EARLIEST_DAY, DateRange
from core.months import days_of, following
from costs.models import SUMS, ClosedMonth, DailyUsage, StatementLine, UsagePart
from costs.pages.statement_lists import billed_totals
from costs.reports.totals import Totals
from costs.statements.adjustments import closed_months
from costs.statements.closing import close_month
from costs.statements.contents import draft_sheets, draft_sums, draft_totals, frozen_sheets, frozen_totals
from providers.models import Company, Project, Provider
from tests.costs.worlds import (
    AUGUST,
    LATER,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    close,
    make_acme,
    make_key,
    make_settled,
    path_of,
    reassign,
    restate,
)
from tests.factories import TODAY, make_company, make_usage
from tests.pages import cells, page_of, printed

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def rows(client: Client, path: str) -> list[dict[str, str]]:
    content = client.get(path).getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


# The same figures -----------------------------------------------------------------------------------------------------


def test_months_list_holds_the_adjustments_of_the_draft(signed_in: Client) -> None:
    """As the month's page and the company's list do."""
    acme, key = make_acme(markup_percent=None)
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(10))
    make_usage(project=key, day=OCTOBER, cost=Decimal(7))
    close(SEPTEMBER)
    restate(usage, Decimal(60))

    months = cells(signed_in, "/statements/?csv=months", "Status", "Cost on statements (USD)", "Unassigned now (USD)")
    own = cells(signed_in, f"/companies/{acme.pk}/statements/?csv=statements", "Status", "Cost (USD)")

    assert months["October 2026"] == ("Ready to close", "57", "0")
    assert own["October 2026"] == ("Draft", "57")
    assert "On statements $57.00" in page_of(signed_in, "/statements/2026-10/")


def test_months_list_holds_a_draft_of_nothing_but_adjustments(signed_in: Client) -> None:
    """What was billed for September and is gone."""
    _acme, key = make_acme()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(2_200_000))
    close(SEPTEMBER)
    restate(usage, Decimal(0))

    months = cells(signed_in, "/statements/?csv=months", "Status", "Cost on statements (USD)")

    assert months["October 2026"] == ("Ready to close", "-2200000")
    assert "−$2,200,000.00" in page_of(signed_in, "/statements/")


MONTHS = (AUGUST, SEPTEMBER, OCTOBER, NOVEMBER)
DAYS = [month + timedelta(days=offset) for month in MONTHS for offset in (0, 27)]
Step = Callable[[list[Project], list[Company]], None]


@st.composite
def restatements(draw: st.DrawFn) -> Step:
    index, day = draw(st.integers(0, 2)), draw(st.sampled_from(DAYS))
    cost = draw(st.one_of(st.none(), st.integers(0, 10**13).map(lambda units: Decimal(units).scaleb(-10))))
    currency = draw(st.sampled_from(["usd", "usd", "eur"])) if cost is not None else ""

    def step(projects: list[Project], _companies: list[Company]) -> None:
        DailyUsage.objects.filter(project=projects[index], day=day).delete()
        make_usage(project=projects[index], day=day, cost=cost, currency=currency)

    return step


@st.composite
def reassignments(draw: st.DrawFn) -> Step:
    index, payer = draw(st.integers(0, 2)), draw(st.sampled_from([None, 0, 1]))

    def step(projects: list[Project], companies: list[Company]) -> None:
        reassign(projects[index], None if payer is None else companies[payer])

    return step


@st.composite
def mark_ups(draw: st.DrawFn) -> Step:
    percent = draw(st.sampled_from([None, Decimal(0), Decimal("12.5"), Decimal(50)]))

    def step(_projects: list[Project], companies: list[Company]) -> None:
        Company.objects.filter(pk=companies[0].pk).update(markup_percent=percent)

    return step


def close_next(_projects: list[Project], _companies: list[Company]) -> None:
    latest = ClosedMonth.objects.order_by("month").last()
    month = following(latest.month) if latest else AUGUST
    if month <= OCTOBER:
        close_month(month=month, now=LATER)


between = st.lists(st.one_of(restatements(), reassignments(), mark_ups()), min_size=1, max_size=4)
histories = st.lists(between, min_size=1, max_size=4).map(
    lambda phases: [step for steps in phases[:-1] for step in (*steps, close_next)] + phases[-1]
)
over_histories = settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def live_through(steps: list[Step]) -> list[Company]:
    leftovers: tuple[Any, ...] = (ClosedMonth, UsagePart, DailyUsage, *SUMS, Provider, Company)
    for model in leftovers:
        model._default_manager.all().delete()
    provider = make_settled(AUGUST, days_of(NOVEMBER).last)
    companies = [make_company(markup_percent=Decimal(20)) for _ in range(2)]
    projects = [make_key(companies[1], provider=provider) for _ in range(3)]
    for project in projects:
        make_usage(project=project, day=AUGUST, cost=Decimal("10.01"))
    for step in steps:
        step(projects, companies)
    return [Company.objects.get(pk=company.pk) for company in companies]


def amounts(found: Totals | None) -> tuple[dict[str, Decimal], bool]:
    costs = found.costs if found else ()
    return {money.currency: money.amount for money in costs if money.amount}, bool(found and found.unpriced_rows)


@over_histories
@given(steps=histories)
def test_all_lists_say_the_same_of_every_month(db: None, steps: list[Step]) -> None:
    """Months, the month's statements, and each company's list, closed or not, whatever has happened."""
    companies = live_through(steps)
    closed, whole = closed_months(), DateRange(EARLIEST_DAY, date(2026, 12, 31))

    listed = draft_totals(whole, closed=closed) | frozen_totals(list(ClosedMonth.objects.all()))
    frozen = frozen_sheets(ClosedMonth.objects.all())
    of_companies = frozen + [
        sheet for company in companies for sheet in draft_sums(whole, company=company, closed=closed)
    ]

    for month in MONTHS:
        is_closed = bool(closed and month in closed)
        of_month = [s for s in frozen if s.month == month] if is_closed else draft_sheets(month, closed=closed)
        expected = amounts(billed_totals(of_month))
        assert amounts(listed.get(month)) == expected
        assert amounts(billed_totals([sheet for sheet in of_companies if sheet.month == month])) == expected


@over_histories
@given(steps=histories)
def test_what_is_credited_was_billed_at_that_mark_up(db: None, steps: list[Step]) -> None:
    """Once nothing is left of a month, all that was billed for it has been credited, mark-ups included."""
    live_through([*steps, close_next, close_next, close_next])
    for usage in DailyUsage.objects.all():
        restate(usage, Decimal(0))

    close_month(month=NOVEMBER, now=LATER)

    billed: dict[object, Decimal] = {}
    for sheet in frozen_sheets(ClosedMonth.objects.all()):
        for line in sheet.lines:
            rate = sheet.percent_of(line) or Decimal(0)
            key = (sheet.company.pk, line.month, line.currency, rate)
            billed[key] = billed.get(key, Decimal(0)) + (line.cost or 0)
    assert {key: cost for key, cost in billed.items() if cost} == {}


# Marks ----------------------------------------------------------------------------------------------------------------


def test_totals_that_hold_estimates_say_so(signed_in: Client) -> None:
    """On the statement, the month's page, the company's list and the list of months."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, cost=Decimal(5), estimated=True)
    make_usage(project=make_key(make_company(name="Real"), provider=key.provider), day=OCTOBER, cost=Decimal(1))

    statement = page_of(signed_in, path_of(acme))
    month = page_of(signed_in, "/statements/2026-10/")
    of_month = {row[0]: row[1:] for row in printed(signed_in, "/statements/2026-10/", "Company")}
    own = {row[0]: row[1] for row in printed(signed_in, f"/companies/{acme.pk}/statements/", "Month")}
    months = {row[0]: row[1] for row in printed(signed_in, "/statements/", "Month")}

    assert "Total with mark-up Estimated $6.00" in statement
    assert re.search(r"On statements Estimated \$6\.00 .* With mark-up Estimated \$7\.00", month)
    assert of_month["Acme"][0].startswith("Estimated $5.00")
    assert of_month["Real"] == ("$1.00", "None", "$1.00")
    assert of_month["Total"][0].startswith("Estimated $6.00")
    assert own["October 2026"].startswith("Estimated $5.00")
    assert months["October 2026"].startswith("Estimated $6.00")


def test_adjustment_of_an_estimate_carries_its_mark(signed_in: Client) -> None:
    """In the row, in the sum, and in the note below; frozen as well."""
    acme, key = make_acme()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(5), estimated=True)
    close(SEPTEMBER)
    restate(usage, Decimal(8))

    draft = page_of(signed_in, path_of(acme))
    close(OCTOBER)
    closed = page_of(signed_in, path_of(acme))

    for page in (draft, closed):
        assert re.search(r"since Estimated \$3\.00 .* Adjustments to closed months Estimated \$3\.00", page)
        assert "Amounts marked “Estimated” come from credits at a set rate" in page


def test_what_was_never_read_is_no_zero(signed_in: Client) -> None:
    """A month of which not one day was read shows "—", and what to do."""
    make_settled(SEPTEMBER, TODAY, name="Production")
    make_usage(project=make_key(make_company(), provider=Provider.objects.get()), day=date(2026, 7, 5))

    months = cells(signed_in, "/statements/?csv=months", "Status", "Cost on statements (USD)", "Unassigned now (USD)")

    assert months["August 2026"] == ("Not read", "", "")
    assert "Re-sync Production…" in page_of(signed_in, "/statements/2026-08/")


def test_mark_of_a_partial_figure_is_explained_on_paper(signed_in: Client) -> None:
    """In a note, as nobody can point at a mark there; only where there is such a mark."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, model="v3", credits=900)
    whole = page_of(signed_in, path_of(acme))

    make_usage(project=key, day=OCTOBER, model="flash", credits=None)

    assert "marked * leave out usage" in page_of(signed_in, path_of(acme))
    assert "marked *" not in whole


def test_statement_frozen_by_an_older_release_stands_as_it_was(signed_in: Client) -> None:
    """Lines without a key's id and adjustments without a reason: the same rows and totals."""
    acme, key = make_acme()
    usage = make_usage(project=key, day=SEPTEMBER, model="v3", cost=Decimal("1.005"))
    make_usage(project=key, day=OCTOBER, model="v3", cost=Decimal(2))
    close(SEPTEMBER)
    restate(usage, Decimal(3))
    close(OCTOBER)
    before = page_of(signed_in, path_of(acme))

    StatementLine.objects.update(key_id="", reason="", untold="")

    assert page_of(signed_in, path_of(acme)) == before
    assert "Cost $4.00 Mark-up 20 % $0.80 Total with mark-up $4.79" in before.replace("Rounding −$0.01 ", "")


# CSV ------------------------------------------------------------------------------------------------------------------


def test_months_are_given_as_csv(signed_in: Client) -> None:
    """With how each stands, and exact figures."""
    _acme, key = make_acme()
    make_usage(project=key, day=SEPTEMBER, cost=Decimal("1.234"))
    close(SEPTEMBER)

    found = rows(signed_in, "/statements/?csv=months")

    assert [(row["Month"], row["Status"], row["Cost on statements (USD)"]) for row in found] == [
        ("November 2026", "Open", "0"),
        ("October 2026", "Ready to close", "0"),
        ("September 2026", "Closed 22 Nov 2026, 12:30 UTC", "1.234"),
        ("August 2026", "Not closed", "0"),
    ]


def test_statements_of_a_month_are_given_as_csv(signed_in: Client) -> None:
    """A line per company, without the totals; what has changed since is another file."""
    _acme, key = make_acme()
    make_usage(project=key, day=SEPTEMBER, cost=Decimal(10))
    close(SEPTEMBER)
    reassign(key, make_company(name="Globex"))

    (statement,) = rows(signed_in, "/statements/2026-09/?csv=statements")
    changed = rows(signed_in, "/statements/2026-09/?csv=changed")

    assert statement == {"Company": "Acme", "Cost (USD)": "10", "Mark-up (USD)": "2", "Total with mark-up (USD)": "12"}
    assert [(row["Company"], row["Change of the cost (USD)"]) for row in changed] == [("Acme", "-10"), ("Globex", "10")]


def test_statements_of_a_company_are_given_as_csv(signed_in: Client) -> None:
    """A line per month, under the company's name."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, cost=Decimal(10))

    answer = signed_in.get(f"/companies/{acme.pk}/statements/?csv=statements")
    (row,) = rows(signed_in, f"/companies/{acme.pk}/statements/?csv=statements")

    assert "administrate-acme-statements.csv" in answer["Content-Disposition"]
    assert (row["Month"], row["Status"], row["Total with mark-up (USD)"]) == ("October 2026", "Draft", "12")


def test_every_list_links_to_its_csv(signed_in: Client) -> None:
    """Below the table."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER)

    for path, link in (
        ("/statements/", "/statements/?csv=months"),
        ("/statements/2026-10/", "/statements/2026-10/?csv=statements"),
        ("/statements/2026-10/close/", "/statements/2026-10/?csv=statements"),
        (f"/companies/{acme.pk}/statements/", f"/companies/{acme.pk}/statements/?csv=statements"),
    ):
        assert f'href="{link}"' in signed_in.get(path).content.decode(), path


# Keys that look the same ----------------------------------------------------------------------------------------------


def test_two_keys_of_one_name_are_two_rows(signed_in: Client) -> None:
    """Told apart by the ends of their ids, on the draft and on what was frozen."""
    acme, key = make_acme(markup_percent=None)
    for number in (1, 2):
        twin = make_key(acme, provider=key.provider, name="Bot", hint="", external_id=f"{number:064x}")
        make_usage(project=twin, day=OCTOBER, model="v3", cost=Decimal(number))

    draft = printed(signed_in, path_of(acme), "API key and model")
    close(OCTOBER)
    closed = printed(signed_in, path_of(acme), "API key and model")

    assert draft == closed
    assert draft[:-1] == [
        ("Bot ··00000002 Eleven v3 · Production", "1,000", "1.5", "10", "$2.00"),
        ("Bot ··00000001 Eleven v3 · Production", "1,000", "1.5", "10", "$1.00"),
    ]
