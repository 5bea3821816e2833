"""A company that is "price only": on no page, in no file and from no operation does its reader learn a cost."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import Role
from costs.statements.client_copy import client_copy
from costs.statements.contents import draft_sheet
from providers.models import Company
from tests.api.asking import Api, make_token
from tests.costs.worlds import OCTOBER, SEPTEMBER, close, make_acme, make_key, path_of, restate
from tests.factories import make_company, make_provider, make_usage, make_user
from tests.pages import cells, content_of, page_of, printed

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

# What a day costs, what two days do, and what is added to them: 2.67375 each, which makes 9.80375.
# Where the parts of a chart stand, which is no amount.
PLACES = re.compile(r' (?:x|y|width|height|x1|x2|y1|y2)="[\d.]+%"')
# Charts lead to every day, to every period before and to each way to look at both: of the days these are enough, and
# one way at a time.
DAYS = frozenset({"2026-11-01", "2026-11-03", "2026-10-01", "2026-09-01", "2026-08-25"})
WAYS = frozenset({"metric", "compare", "step", "table", "csv"})
SECRETS = re.compile(r"7\.13|14\.26|37\.5|2\.67|5\.35|5\.34")


@pytest.fixture
def acme(now: object) -> Company:
    """With a mark-up of 37.5 %, a closed month, an adjustment to it, and drafts."""
    acme, key = make_acme(markup_percent=Decimal("37.5"))
    for day in (date(2026, 9, 3), date(2026, 10, 3), date(2026, 11, 3), date(2026, 11, 4)):
        usage = make_usage(project=key, day=day, model="v3", cost=Decimal("7.13"))
        if day.month == 9:
            old = usage
    close(SEPTEMBER)
    restate(old, Decimal("14.26"))
    return acme


@pytest.fixture
def reader(client: Client, acme: Company) -> Client:
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))
    return client


def test_no_page_and_no_file_that_is_linked_tells_a_cost(reader: Client) -> None:
    """Page by page, with every table's CSV, statements of closed and of open months, and forecasts."""
    wanted, seen = {"/", "/?from=2026-09-01&to=2026-11-22"}, set()
    while wanted:
        link = wanted.pop()
        seen.add(link)
        response = reader.get(link, follow=True)
        text = PLACES.sub("", content_of(response))
        assert SECRETS.findall(text) == [], link
        if response["Content-Type"].startswith("text/html"):
            found = {unescape(each).partition("#")[0] for each in re.findall(r'(?:href|src)="(/[^"]*)"', text)}
            # A link that holds an address would lead to one that holds that, and so on.
            wanted |= {each for each in found if _is_followed(each)} - seen

    assert len([link for link in seen if "/statements/2026-" in link]) >= 3
    assert any("csv=days" in link for link in seen)
    assert any("statement.pdf" in link for link in seen)


def _is_followed(link: str) -> bool:
    query = parse_qs(urlsplit(link).query)
    is_new = len(WAYS & query.keys()) <= 1 and query.get("from", ["2026-11-01"])[0] in DAYS
    return is_new and not link.startswith("/static/") and "=%2F" not in link


def test_company_page_shows_prices(reader: Client, acme: Company) -> None:
    """In its figures, tables and files alike, exactly."""
    page = page_of(reader, f"/companies/{acme.pk}/?from=2026-11-01&to=2026-11-22")
    models = cells(reader, f"/companies/{acme.pk}/?from=2026-11-01&to=2026-11-22&csv=models", "Spend (USD)")

    assert "All amounts are prices." in page
    assert "$19.61" in page
    assert list(models.values()) == [("19.6075",)]


def test_agency_goes_on_seeing_costs(signed_in: Client, acme: Company) -> None:
    """What the client sees is nothing that is hidden from who works for the agency."""
    assert "$14.26" in page_of(signed_in, f"/companies/{acme.pk}/?from=2026-11-01&to=2026-11-22")
    assert "Mark-up 37.5 %" in page_of(signed_in, path_of(acme))


def test_statement_shows_prices_that_add_up(reader: Client, acme: Company) -> None:
    """A line, what earlier months have changed by, and the total – to the cent, as printed."""
    assert printed(reader, path_of(acme), "Model") == [
        ("Eleven v3", "1,000", "1.5", "10", "$9.80"),
        ("Usage", "1,000", "1.5", "10", "$9.80"),
    ]
    assert printed(reader, path_of(acme), "") == [
        ("Usage in October 2026", "$9.80"),
        ("Adjustments to closed months", "$9.80"),
        ("Rounding", "$0.01"),
        ("Total", "$19.61"),
    ]


@pytest.mark.parametrize("of", ["viewer", "token for a company"])
def test_no_operation_of_the_api_tells_a_cost(acme: Company, of: str) -> None:
    """For a Company viewer, and for a token that is for this company alone, whoever owns it.

    These are the operations that answer them at all; tests/api/test_access.py holds that.
    """
    token = (
        make_token(role=Role.COMPANY_VIEWER, companies=[acme])
        if of == "viewer"
        else make_token(role=Role.ADMIN, company=acme)
    )
    api = Api(token)

    asked: list[tuple[str, dict[str, str]]] = [("/companies", {}), ("/statements", {}), ("/costs", {})]
    asked += [("/costs", {"group_by": by}) for by in ("company", "model", "day", "month", "company,month")]
    asked += [(f"/statements/{acme.pk}/2026-{month}", {}) for month in ("09", "10", "11")]
    told = {(path, *query.values()): api.get(path, query) for path, query in asked}

    assert {key: SECRETS.findall(answer.content.decode()) for key, answer in told.items()} == {key: [] for key in told}
    assert told["/costs", "month"].json()["data"][-1]["cost"] == "19.6075"
    assert [line["cost"] for line in told[f"/statements/{acme.pk}/2026-10",].json()["lines"]] == ["9.80375"] * 2


def test_costs_of_two_companies_are_priced_each_by_its_own(acme: Company) -> None:
    """Also where one line is of both together."""
    globex = make_company(name="Globex", markup_percent=Decimal(100))
    make_usage(project=make_key(globex, provider=make_provider()), day=date(2026, 9, 3), cost=Decimal(1))
    api = Api(make_token(role=Role.COMPANY_VIEWER, companies=[acme, globex]))

    told = api.get("/costs", {"from": "2026-09-01", "to": "2026-09-30"}).json()["data"]

    assert [line["cost"] for line in told] == ["21.6075"]


def test_once_price_only_earlier_months_are_too(client: Client, now: object) -> None:
    """Closed with cost and mark-up, shown to its reader without; what was billed is the same."""
    acme, key = make_acme(markup_percent=Decimal("37.5"), statement_amounts=Company.Amounts.COST)
    make_usage(project=key, day=OCTOBER, cost=Decimal("7.13"))
    close(OCTOBER)
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))
    before = printed(client, path_of(acme), "")

    Company.objects.update(statement_amounts=Company.Amounts.PRICE)

    assert before == [("Cost", "$7.13"), ("Mark-up 37.5 %", "$2.67"), ("Total with mark-up", "$9.80")]
    assert printed(client, path_of(acme), "") == [("Total", "$9.80")]


def test_month_that_was_closed_price_only_stays_so(client: Client, now: object) -> None:
    """Showing costs later shows them from then on."""
    acme, key = make_acme(markup_percent=Decimal("37.5"))
    make_usage(project=key, day=OCTOBER, cost=Decimal("7.13"))
    close(OCTOBER)
    Company.objects.update(statement_amounts=Company.Amounts.COST)
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))

    assert printed(client, path_of(acme), "") == [("Total", "$9.80")]


@pytest.mark.parametrize(
    ("percent", "chosen", "shown"),
    [(None, "", "cost"), (20, "", "price"), (0, "", "price"), (20, "cost", "cost"), (None, "price", "price")],
)
def test_price_alone_is_the_default_where_there_is_a_mark_up(percent: int | None, chosen: str, shown: str) -> None:
    """And a choice is a choice."""
    company = Company(name="Acme", markup_percent=percent, statement_amounts=chosen)

    assert company.shown_amounts == shown
    assert client_copy(draft_sheet(company, OCTOBER)).is_priced == (shown == "price")
