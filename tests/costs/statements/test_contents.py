"""The pages of statements: what each says, to whom, at what price in queries, and what bad addresses get."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Role
from core.money import Money
from core.months import parse_month
from costs.models import ClosedMonth, Statement, StatementLine
from costs.pages.statement_tables import sums_table
from costs.statements.contents import StatementView
from providers.models import Company, Project
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
    restate,
)
from tests.factories import TODAY, make_company, make_provider, make_usage, make_user
from tests.pages import page_of, printed, text_of
from tests.providers.commands import ran, refused, run

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

NASTY = '<b>x</b>"\'&=HYPERLINK("http://evil")'


def records(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


# One statement --------------------------------------------------------------------------------------------------------


def test_draft_says_that_it_is_one(signed_in: Client) -> None:
    """In its head and in a note; without adjustments it has no section for them."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER)

    page = page_of(signed_in, path_of(acme))

    assert "For the agency: with API keys and costs. The client gets price only, by model." in page
    assert "Statement October 2026 Acme Period 1–31 Oct 2026, UTC Status Draft – not closed" in page
    assert "This is a draft." in page
    assert "Adjustments" not in page


def test_draft_has_live_figures(signed_in: Client) -> None:
    """By key and model, then cost, mark-up, and both together."""
    acme, key = make_acme()
    make_usage(project=key, day=date(2026, 10, 3), model="v3", cost=Decimal("1.50"), credits=1200)
    make_usage(project=key, day=date(2026, 10, 4), model="flash", cost=Decimal("0.50"), credits=400)

    usage = printed(signed_in, path_of(acme), "API key and model")
    sums = printed(signed_in, path_of(acme), "")

    assert usage == [
        ("Support line ··a91f Production", "1,600", "3.0", "20", "$2.00"),
        ("of which Eleven v3", "1,200", "1.5", "10", "$1.50"),
        ("of which Eleven Flash", "400", "1.5", "10", "$0.50"),
        ("Usage", "1,600", "3.0", "20", "$2.00"),
    ]
    assert sums == [("Cost", "$2.00"), ("Mark-up 20 %", "$0.40"), ("Total with mark-up", "$2.40")]


def test_key_with_one_model_is_one_row(signed_in: Client) -> None:
    """Its model stands below its name."""
    acme, key = make_acme(markup_percent=None)
    make_usage(project=key, day=OCTOBER, model="v3", cost=Decimal("1.50"))

    assert printed(signed_in, path_of(acme), "API key and model") == [
        ("Support line ··a91f Eleven v3 · Production", "1,000", "1.5", "10", "$1.50"),
        ("Usage", "1,000", "1.5", "10", "$1.50"),
    ]
    assert "ark-up" not in page_of(signed_in, path_of(acme))


def test_closed_statement_shows_what_was_frozen(signed_in: Client) -> None:
    """Whatever has changed since, and when it was closed."""
    acme, key = make_acme()
    usage = make_usage(project=key, day=OCTOBER, model="v3", cost=Decimal("1.50"))
    close()
    restate(usage, Decimal(99))
    Company.objects.update(name="Acme Ltd", markup_percent=None)
    Project.objects.update(name="Renamed")

    page = page_of(signed_in, path_of(acme))

    assert "Acme Number 2026-0001 Period 1–31 Oct 2026, UTC Status Closed on 22 Nov 2026" in page
    assert printed(signed_in, path_of(acme), "API key and model")[0][0] == "Support line ··a91f Eleven v3 · Production"
    assert printed(signed_in, path_of(acme), "") == [
        ("Cost", "$1.50"),
        ("Mark-up 20 %", "$0.30"),
        ("Total with mark-up", "$1.80"),
    ]
    assert "draft" not in page
    assert "$99" not in page


def test_next_statement_carries_the_difference_with_a_real_minus(signed_in: Client) -> None:
    """In a section of its own, with the mark-up under which the month was billed."""
    acme, key = make_acme()
    usage = make_usage(project=key, day=SEPTEMBER, model="v3", cost=Decimal(10))
    make_usage(project=key, day=OCTOBER, model="v3", cost=Decimal(5))
    close(SEPTEMBER)
    restate(usage, Decimal(8))
    Company.objects.update(markup_percent=Decimal(50))

    assert printed(signed_in, path_of(acme), "Month") == [
        ("September 2026", "Restated, priced late or reassigned since", "−$2.00", "−$0.40 20 %"),
        ("Adjustments", "", "−$2.00", "−$0.40"),
    ]
    assert printed(signed_in, path_of(acme), "") == [
        ("Usage in October 2026", "$5.00"),
        ("Adjustments to closed months", "−$2.00"),
        ("Cost", "$3.00"),
        ("Mark-up 50 % on usage", "$2.50"),
        ("Mark-up on adjustments, as billed", "−$0.40"),
        ("Total with mark-up", "$5.10"),
    ]


def test_each_currency_is_its_own_total(signed_in: Client) -> None:
    """Side by side, never added."""
    acme, key = make_acme(markup_percent=Decimal("12.5"))
    make_usage(project=key, day=OCTOBER, model="v3", cost=Decimal(8))
    make_usage(project=key, day=date(2026, 10, 2), model="v3", cost=Decimal(4), currency="eur")

    assert printed(signed_in, path_of(acme), "") == [
        ("Cost", "€4.00", "$8.00"),
        ("Mark-up 12.5 %", "€0.50", "$1.00"),
        ("Total with mark-up", "€4.50", "$9.00"),
    ]


def test_unpriced_and_estimated_usage_is_explained(signed_in: Client) -> None:
    """In notes, which print as well."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, model="v3", cost=None)

    unpriced = page_of(signed_in, path_of(acme))
    make_usage(project=key, day=date(2026, 10, 2), model="flash", cost=Decimal(1), estimated=True)
    both = page_of(signed_in, path_of(acme))

    assert "Cost — Mark-up 20 % — Total with mark-up —" in unpriced
    assert "Some usage has no price yet and is not in the total." in unpriced
    assert re.search(r"Cost Estimated \$1\.00 .* Mark-up 20 % \$0\.20 Total with mark-up Estimated \$1\.20", both)
    assert "Amounts marked “Estimated” come from credits at a set rate" in both


def test_statement_of_a_month_without_usage_says_so(signed_in: Client) -> None:
    """Open, closed, and of days that nobody has read."""
    acme, _key = make_acme(markup_percent=None)
    draft = page_of(signed_in, path_of(acme))
    close()
    closed = page_of(signed_in, path_of(acme))
    unread = page_of(signed_in, path_of(acme, "2026-07"))

    assert "No usage of Acme in October 2026. Total USD Cost $0.00" in draft
    assert "Acme had no usage in October 2026 when it was closed." in closed
    assert "Cost —" in unread


def test_month_before_the_first_closed_one_is_no_draft(signed_in: Client) -> None:
    """It can't be closed any more, and says that its figures are the present ones."""
    acme, key = make_acme()
    make_usage(project=key, day=AUGUST, cost=Decimal(2))
    close(SEPTEMBER)

    page = page_of(signed_in, path_of(acme, "2026-08"))

    assert "Status Not closed" in page
    assert "August 2026 was never closed: closing began with September 2026." in page
    assert "draft" not in page.lower()
    [august] = [row for row in printed(signed_in, f"/companies/{acme.pk}/statements/", "Month") if "August" in row[0]]
    assert "Not closed" in august
    assert "$2.00" in august


def test_simulated_usage_is_called_so_and_real_usage_is_not(signed_in: Client) -> None:
    """A client's statement never says it of another's figures."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER)
    globex = make_company()
    make_usage(project=make_key(globex, provider=make_settled(AUGUST, TODAY, region="simulated")), day=OCTOBER)

    assert "Simulated data" in page_of(signed_in, path_of(globex))
    assert "imulated" not in page_of(signed_in, path_of(acme))


def test_names_of_strangers_are_text(signed_in: Client) -> None:
    """Keys, models, companies and providers are named by anybody."""
    acme, key = make_acme(name=NASTY)
    Project.objects.update(name=NASTY)
    make_usage(project=key, day=OCTOBER, model=NASTY)

    for path in (
        path_of(acme),
        f"/companies/{acme.pk}/statements/",
        "/statements/2026-10/",
        "/statements/2026-10/close/",
    ):
        assert b"<b>x</b>" not in signed_in.get(path).content, path
    close()
    assert b"<b>x</b>" not in signed_in.get(path_of(acme)).content


@pytest.mark.parametrize(
    "month",
    ["2026-13", "2026-00", "0001-01", "99999-01", "2019-12", "2101-01", "2026-1", "abcd-ef", "2026-12", "٢٠٢٦-١٠"],
)
def test_nonsense_months_are_not_found(signed_in: Client, month: str) -> None:
    """Nor is one that has not begun."""
    acme, _key = make_acme()

    for path in (
        path_of(acme, month),
        f"{path_of(acme, month)}statement.csv",
        f"/statements/{month}/",
        f"/statements/{month}/close/",
    ):
        assert signed_in.get(path).status_code == 404, path


def test_statements_of_nobody_are_not_found(signed_in: Client) -> None:
    """Also of a number that no database holds."""
    for pk in (1, 10**30):
        for path in (f"/companies/{pk}/statements/", f"/companies/{pk}/statements/2026-10/"):
            assert signed_in.get(path).status_code == 404


@pytest.mark.parametrize("month", ["2026-1", "2026-13", "1999-01", "2026-10-01", "2026-W1", "", "1e3"])
def test_what_is_no_month_is_refused(month: str) -> None:
    """With a sentence."""
    with pytest.raises(ValueError, match="is not a month"):
        parse_month(month)


# Readers --------------------------------------------------------------------------------------------------------------


def test_company_viewer_sees_its_own_statement_by_model_alone(client: Client, now: datetime) -> None:
    """Without the names of providers and keys; drafts, closed ones, the list and the CSV alike."""
    acme, key = make_acme(statement_amounts=Company.Amounts.COST)
    other = make_key(acme, provider=key.provider, name="Secret campaign", hint="beef")
    for project in (key, other):
        make_usage(project=project, day=SEPTEMBER, model="v3", cost=Decimal(1))
        make_usage(project=project, day=OCTOBER, model="v3", cost=Decimal(1))
    close(SEPTEMBER)
    make_provider(name="Never read", history_from=OCTOBER)
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))

    paths = [
        path
        for month in ("2026-09", "2026-10")
        for path in (path_of(acme, month), f"{path_of(acme, month)}statement.csv")
    ]
    texts = []
    for path in (*paths, f"/companies/{acme.pk}/statements/"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        texts.append(answer.getvalue())

    for secret in (b"Production", b"Support line", b"Secret campaign", b"a91f", b"beef", b"Never read", b"/providers/"):
        assert not [text for text in texts if secret in text], secret
    assert "Model Credits Minutes Requests Cost Eleven v3 2,000 3.0 20 $2.00" in text_of(texts[0])
    assert records(texts[1])[0]["credits"] == "2000"
    assert "Some days have not been read yet." in text_of(texts[2])
    assert client.get(path_of(make_company())).status_code == 404


def test_reader_of_everything_sees_the_keys(client: Client, now: datetime) -> None:
    """A Viewer reads all of it, and is offered no closing."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, model="v3")
    client.force_login(make_user(role=Role.VIEWER))

    assert "Support line" in page_of(client, path_of(acme))
    assert "Ready to close" in page_of(client, "/statements/")
    for path in ("/statements/", "/statements/2026-10/"):
        assert b"/close/" not in client.get(path).content
    assert client.post("/statements/2026-10/close/").status_code == 403
    assert not ClosedMonth.objects.exists()


# Limits ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("companies", [1, 6])
def test_pages_cost_the_same_few_queries_whatever_the_data(
    signed_in: Client, django_assert_max_num_queries: DjangoAssertNumQueries, companies: int
) -> None:
    """However many companies, keys, models and closed months; with adjustments of estimates, the dearest there are."""
    acme, first = make_acme()
    keys = [first] + [make_key(make_company(), provider=make_settled(AUGUST, TODAY)) for _ in range(companies - 1)]
    for key in keys:
        for month in (AUGUST, SEPTEMBER, OCTOBER, NOVEMBER):
            for model in ("v3", "flash", "tts")[:companies]:
                make_usage(project=key, day=month, model=model, estimated=True)
    usage = make_usage(project=first, day=date(2026, 8, 20))
    close(AUGUST)
    restate(usage, Decimal(7))
    close(SEPTEMBER)
    restate(usage, Decimal(8))

    for path in (
        "/statements/",
        "/statements/2026-09/",
        "/statements/2026-10/",
        "/statements/2026-10/close/",
        f"/companies/{acme.pk}/statements/",
        path_of(acme, "2026-09"),
        path_of(acme, "2026-10"),
    ):
        with django_assert_max_num_queries(15):
            signed_in.get(path)


def test_amounts_less_than_a_cent_below_zero_keep_their_minus() -> None:
    """Never "−$0.00", which is no amount."""
    assert str(Money("usd", Decimal("-0.0000000001"))) == "−<$0.01"
    assert str(Money("usd", Decimal("-0.01"))) == "−$0.01"


def test_mark_up_of_nothing_is_still_shown() -> None:
    """Set is set, also at 0 %."""
    sheet = StatementView(Company(name="Acme"), "Acme", OCTOBER, Decimal(0), ())

    table = sums_table(sheet, "usd")

    assert [row.cells[0] for row in table.rows] == ["Cost", "Mark-up 0 %", "Total with mark-up"]


# The command ----------------------------------------------------------------------------------------------------------


def test_command_closes_a_month(now: datetime, db: None) -> None:
    """With a line on what it did, and warnings on standard error."""
    _acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, cost=None)

    code, out, err = run("close_month", "--month", "2026-10")

    assert (code, out) == (0, "October 2026 is closed: 1 statement.\n")
    assert "Acme: 1 line of usage has no price yet." in err
    assert ClosedMonth.objects.get().closed_by is None


def test_command_refuses_what_is_not_settled_or_no_month(now: datetime, db: None) -> None:
    """One line each: 1 for a month that can't be closed, 2 for what is no month."""
    make_settled(AUGUST, TODAY)

    assert "November 2026 is not over yet." in refused("close_month", "--month", "2026-11", code=1)
    assert "is not a month" in refused("close_month", "--month", "2026-13", code=2)
    assert ran("close_month", "--month", "2026-10") == "October 2026 is closed: 0 statements.\n"
    assert "already closed" in refused("close_month", "--month", "2026-10", code=1)


# The admin ------------------------------------------------------------------------------------------------------------


def test_admin_shows_statements_and_changes_none(signed_in: Client) -> None:
    """Not even for somebody who may do everything."""
    _acme, key = make_acme()
    make_usage(project=key, day=OCTOBER)
    close(now=LATER)
    statement = Statement.objects.get()

    assert signed_in.get("/admin/costs/statement/").status_code == 200
    assert signed_in.get("/admin/costs/closedmonth/").status_code == 200
    shown = signed_in.get(f"/admin/costs/statement/{statement.pk}/change/")
    assert "Support line" in text_of(shown.content)
    for path in ("add/", f"{statement.pk}/delete/"):
        assert signed_in.get(f"/admin/costs/statement/{path}").status_code == 403
    assert signed_in.post(f"/admin/costs/statement/{statement.pk}/change/", {"company_name": "x"}).status_code == 403
    assert StatementLine.objects.count() == 1
