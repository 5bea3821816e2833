"""Pages, their files and the API ask the same selectors: what one says the other says, to the last digit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from providers.models import Company, Provider
from tests.api.asking import Api, make_token
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_split,
    make_usage,
)
from tests.pages import download

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2026, 10, 1), date(2026, 11, 21)
RANGE = f"from={FIRST}&to={LAST}"


@pytest.fixture
def api(now: object) -> Api:
    return Api(make_token())


@pytest.fixture
def acme(now: object) -> Company:
    """Pays a third of one key and all of another, in amounts that are no cents; a third key is nobody's."""
    acme, globex, provider = make_company(name="Acme"), make_company(name="Globex"), make_provider(history_from=FIRST)
    make_read_days(provider=provider, first=FIRST, last=TODAY)
    split, own, nobody_s = (make_project(provider=provider) for _ in range(3))
    make_split(project=split, shares={acme: "33.33", globex: "66.67"})
    make_assignment(project=own, company=acme)
    for project in (split, own, nobody_s):
        for number, model in enumerate(("m1", "m2")):
            cost, day = Decimal("0.1234567891") * (number + 1), date(2026, 10, 7 + number)
            make_usage(project=project, model=model, day=day, cost=cost, credits=Decimal("10.5"))
    return acme


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("page", "heading", "group"), [("companies", "Company", "company"), ("models", "Model", "model")]
)
def test_page_of_a_range_says_what_the_api_says(
    api: Api, signed_in: Client, page: str, heading: str, group: str
) -> None:
    """Spend and credits of each."""
    rows = download(signed_in, f"/{page}/?{RANGE}&csv={page}")
    lines = api.get(f"/costs?{RANGE}&group_by={group}").json()["data"]

    shown = {row[heading]: (row["Spend (USD)"], row["Credits"]) for row in rows}
    assert shown == {_name(line[group]): (line["cost"], line["credits"]) for line in lines}


@pytest.mark.usefixtures("acme")
def test_dashboard_s_days_are_those_of_the_api(api: Api, signed_in: Client) -> None:
    """The table beside the chart, of each company on each day on which it used anything."""
    rows = download(signed_in, f"/?{RANGE}&csv=days&step=day")
    lines = api.get(f"/costs?{RANGE}&group_by=day,company").json()["data"]

    shown = {(row["Day"], name): row[f"{name} (USD)"] for row in rows for name in ("Acme", "Globex", "Unassigned")}
    told = {(line["day"], _name(line["company"])): line["cost"] for line in lines}
    assert told == {of: cost for of, cost in shown.items() if cost != "0"}


def test_statement_says_what_the_api_says(acme: Company, api: Api, signed_in: Client) -> None:
    """Line by line; its file is in cents, and the API exact."""
    rows = download(signed_in, f"/companies/{acme.pk}/statements/2026-10/statement.csv")
    told = api.get(f"/statements/{acme.pk}/2026-10").json()

    assert [(row["project"], row["model"], row["credits"]) for row in rows if row["kind"] == "usage"] == [
        (line["project"], line["model"], line["credits"]) for line in told["lines"]
    ]
    assert sum(Decimal(line["cost"]) for line in told["lines"]) == Decimal(told["amounts"][0]["usage"])


def test_providers_say_what_the_api_says(acme: Company, api: Api, signed_in: Client) -> None:
    """Each one's state and spend of this month."""
    make_usage(project=make_project(provider=Provider.objects.get()), day=date(2026, 11, 5), cost=Decimal("2.5"))
    rows = download(signed_in, "/providers/?csv=providers")

    (told,) = api.get("/providers").json()["data"]
    (line,) = api.get("/costs?from=2026-11-01&to=2026-11-22&group_by=provider").json()["data"]

    assert [(row["Name"], row["Status"].lower(), row["Spend this month (USD)"]) for row in rows] == [
        (told["name"], told["status"], line["cost"])
    ]


def _name(told: Any) -> str:
    """As a page calls the group."""
    if told is None:
        return "Unassigned"
    return str(told["name"]) if isinstance(told, dict) else str(told)
