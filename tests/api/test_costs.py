"""GET /costs: exact sums, by what is asked, and nothing that was not."""

from __future__ import annotations

import csv
import io
import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role
from providers.models import Company, Project
from tests.api.asking import Api, make_token
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_split,
    make_usage,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]

FIGURES = ("credits", "minutes", "requests", "cost")


@pytest.fixture
def api() -> Api:
    return Api(make_token())


def test_zeros_beside_what_is_unknown_are_unknown(api: Api) -> None:
    """Usage that was taken back tells nothing of the other's requests."""
    project = make_project()
    make_usage(project=project, requests=None)
    make_usage(project=project, model="back", credits=Decimal(0), minutes=Decimal(0), requests=0, cost=Decimal(0))

    (line,) = api.get("/costs", {"from": "2026-11-01", "to": "2026-11-30", "group_by": "project"}).json()["data"]

    assert (line["credits"], line["requests"]) == ("1000", None)


def test_group_is_one_line_with_exact_figures(api: Api) -> None:
    """Decimal strings without exponent or padding; a company is its id and name."""
    acme = make_company(name="Acme")
    project = make_project(provider=make_provider(name="Main"))
    make_assignment(project=project, company=acme)
    make_usage(project=project, cost=Decimal("0.3000000001"), credits=Decimal("1000.5"))

    answer = api.get("/costs", {"from": "2026-11-01", "to": "2026-11-30", "group_by": "company,provider,model"})

    assert answer.json()["data"] == [
        {
            "company": {"id": acme.pk, "name": "Acme"},
            "provider": "Main",
            "model": "eleven_multilingual_v2",
            "credits": "1000.5",
            "minutes": "1.5",
            "requests": "10",
            "cost": "0.3000000001",
            "currency": "usd",
            "unpriced_rows": 0,
            "estimated": False,
            "allocated": False,
        }
    ]


def test_costs_by_company_are_seven_queries(api: Api, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Whose token it is, sums, shared projects, names, and three that tell how fresh they are."""
    project = make_project()
    make_assignment(project=project, company=make_company())
    make_usage(project=project)
    asked = {"from": "2026-11-01", "to": "2026-11-30", "group_by": "company"}
    api.get("/costs", asked)  # notes from where the token is used

    with django_assert_num_queries(7):
        api.get("/costs", asked)


def test_what_nobody_pays_has_no_company(api: Api) -> None:
    """Null, so that the sums still agree."""
    make_usage()

    lines = api.get("/costs", group_by="company").json()["data"]

    assert [(line["company"], line["cost"]) for line in lines] == [(None, "0.3")]


def test_unknown_is_null_and_counted(api: Api) -> None:
    """Usage without a price is no cost of zero."""
    make_usage(cost=None, minutes=None)

    (line,) = api.get("/costs").json()["data"]

    assert (line["cost"], line["currency"], line["minutes"], line["unpriced_rows"]) == (None, None, None, 1)


def test_unpriced_usage_is_part_of_the_only_currency(api: Api) -> None:
    """One line tells the known cost, and that it is not the whole."""
    project = make_project()
    make_usage(project=project)
    make_usage(project=project, model="new", cost=None, credits=Decimal(7))

    (line,) = api.get("/costs").json()["data"]

    assert (line["cost"], line["credits"], line["unpriced_rows"]) == ("0.3", "1007", 1)


def test_currencies_are_never_added(api: Api) -> None:
    """One line each; what has no price yet is in neither."""
    make_usage()
    make_usage(cost=Decimal(5), currency="eur")
    make_usage(cost=None)

    answer = api.get("/costs").json()

    assert [(line["currency"], line["cost"], line["unpriced_rows"]) for line in answer["data"]] == [
        (None, None, 1),
        ("eur", "5", 0),
        ("usd", "0.3", 0),
    ]
    assert answer["currencies"] == ["eur", "usd"]


def test_days_and_months_are_grouped_in_order(api: Api) -> None:
    """Days as YYYY-MM-DD, months as YYYY-MM; without dates every stored day."""
    project = make_project()
    for day in (date(2026, 11, 2), date(2026, 10, 31), date(2026, 11, 1)):
        make_usage(project=project, day=day)

    days = [line["day"] for line in api.get("/costs", group_by="day").json()["data"]]
    months = [(line["month"], line["cost"]) for line in api.get("/costs", group_by="month").json()["data"]]

    assert days == ["2026-10-31", "2026-11-01", "2026-11-02"]
    assert months == [("2026-10", "0.3"), ("2026-11", "0.6")]


def test_filters_take_ids_and_names(api: Api) -> None:
    """Each narrows, and several of one kind add up."""
    acme, provider = make_company(name="Acme"), make_provider(name="Main")
    project = make_project(provider=provider, external_id="abc")
    make_assignment(project=project, company=acme)
    make_usage(project=project, model="m1")
    make_usage(cost=Decimal(9))

    def cost(**asked: Any) -> list[str]:
        return [line["cost"] for line in api.get("/costs", **asked).json()["data"]]

    assert cost(company=acme.pk) == cost(company="acme") == cost(provider="Main") == ["0.3"]
    assert cost(project="abc") == cost(project=project.pk) == cost(model="m1") == ["0.3"]
    assert cost(company=["Acme", "unassigned"]) == ["9.3"]
    assert cost(company="unassigned") == ["9"]
    assert cost(model="other") == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"from": "20261101"}, "from"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        ({"group_by": "colour"}, "group_by"),
        ({"group_by": "day,day"}, "group_by"),
        ({"group_by": "day,"}, "group_by"),
        ({"company": "Nobody"}, "company"),
        ({"company": "9" * 40}, "company"),
        ({"provider": "4711"}, "provider"),
        ({"project": "nothing"}, "project"),
        ({"model": "a\0b"}, "model"),
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"colour": "red"}, "colour"),
        ({"from": ["2026-11-01", "2026-11-02"]}, "from"),
    ],
)
def test_what_can_not_be_understood_is_named(api: Api, asked: dict[str, Any], field: str) -> None:
    """422, with the parameter; nothing is silently ignored."""
    answer = api.get("/costs", **asked)

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_pages_are_stable_under_new_data(api: Api) -> None:
    """What is added meanwhile neither repeats a line nor hides one."""
    project = make_project()
    for number in range(1, 6):
        make_usage(project=project, day=TODAY - timedelta(days=number))
    seen = []

    for page in api.pages("/costs", group_by="day", limit=2):
        seen += [line["day"] for line in page["data"]]
        make_usage(project=project, day=TODAY - timedelta(days=20 + len(seen)))

    assert seen == ["2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"]


def test_cursor_belongs_to_its_question(api: Api) -> None:
    """Taken to another one it would skip lines."""
    project = make_project()
    for number in range(3):
        make_usage(project=project, day=TODAY - timedelta(days=number))
    cursor = api.get("/costs", group_by="day", limit=1).json()["next"]

    answer = api.get("/costs", group_by="month", cursor=cursor)

    assert answer.status_code == 422


def test_answer_tells_how_far_it_reaches(api: Api) -> None:
    """The last day that all providers have been read, and the first that may still change."""
    ahead, behind = make_provider(history_from=date(2026, 11, 1)), make_provider(history_from=date(2026, 11, 1))
    make_read_days(provider=ahead, first=date(2026, 11, 1), last=TODAY)
    make_read_days(provider=behind, first=date(2026, 11, 1), last=date(2026, 11, 20))

    answer = api.get("/costs", {"from": "2026-11-01", "to": "2026-11-30"}).json()

    assert (answer["data_through"], answer["provisional_from"]) == ("2026-11-20", "2026-11-15")


def test_day_that_was_never_read_is_provisional(api: Api) -> None:
    """Also in the middle of what was read."""
    provider = make_provider(history_from=date(2026, 10, 1))
    make_read_days(provider=provider, first=date(2026, 10, 1), last=date(2026, 10, 9))
    make_read_days(provider=provider, first=date(2026, 10, 11), last=TODAY)

    answer = api.get("/costs", {"from": "2026-10-01", "to": "2026-11-30"}).json()

    assert answer["provisional_from"] == "2026-10-10"


def test_company_viewer_gets_its_companies_alone(api: Api) -> None:
    """Neither a line nor a sum of anything else, and no way to tell a foreign company from none."""
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    for company, cost in ((acme, 1), (globex, 2)):
        project = make_project()
        make_assignment(project=project, company=company)
        make_usage(project=project, cost=Decimal(cost))
    make_usage(cost=Decimal(4))
    viewer = Api(make_token(role=Role.COMPANY_VIEWER, companies=[acme]))

    lines = viewer.get("/costs", group_by="company").json()["data"]
    foreign, none = viewer.get("/costs", company=globex.pk), viewer.get("/costs", company=10**6)

    assert [(line["company"]["name"], line["cost"]) for line in lines] == [("Acme", "1")]
    assert [line["cost"] for line in viewer.get("/costs").json()["data"]] == ["1"]
    assert (foreign.status_code, none.status_code) == (422, 422)
    assert foreign.json()["detail"].replace(f"“{globex.pk}”", "“1000000”") == none.json()["detail"]
    assert viewer.get("/costs", company="unassigned").status_code == 422
    assert viewer.get("/costs", group_by="provider").status_code == 403
    assert viewer.get("/costs", project="abc").status_code == 403


def test_token_of_one_company_gets_no_other(api: Api) -> None:
    """Whoever owns it."""
    acme = make_company(name="Acme")
    project = make_project()
    make_assignment(project=project, company=acme)
    make_usage(project=project)
    make_usage(cost=Decimal(4))
    narrowed = Api(make_token(role=Role.ADMIN, company=acme))

    lines = narrowed.get("/costs", group_by="company").json()["data"]

    assert [line["company"]["name"] for line in lines] == ["Acme"]


@pytest.mark.parametrize("format_", ["text/csv", "application/x-ndjson"])
def test_large_answers_are_streamed_whole(api: Api, format_: str) -> None:
    """As CSV or NDJSON by Accept, which come in no pages."""
    acme = make_company(name="=Acme")
    project = make_project()
    make_assignment(project=project, company=acme)
    make_usage(project=project)

    answer = api.get("/costs", headers={"Accept": format_}, group_by="company")

    assert answer.streaming
    text = answer.getvalue().decode()
    assert ("'=Acme,1000,1.5,10,0.3,usd,0,false,false" in text) == (format_ == "text/csv")
    assert ('"name": "=Acme"}, "credits": "1000"' in text) == (format_ != "text/csv")
    assert api.get("/costs", headers={"Accept": format_}, limit=5).status_code == 422


def test_format_that_nobody_knows_is_refused(api: Api) -> None:
    """406, not JSON that was not asked for."""
    assert api.get("/costs", headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize("seed", range(4))
def test_sums_are_those_of_the_export(api: Api, seed: int) -> None:
    """To the last digit, by everything that both can tell, over worlds made at random."""
    make_world(random.Random(seed))  # noqa: S311 - a world is no secret
    exported = read_export()

    for group_by in ("company", "model", "provider", "day", "month", "project", "company,day,model", "company,project"):
        assert asked_sums(api, group_by) == summed(exported, group_by)


def make_world(chance: random.Random) -> None:
    """Two providers, keys that are assigned, split or neither, figures that are large, tiny or unknown."""
    companies = [make_company() for _ in range(3)]
    for _ in range(2):
        provider = make_provider()
        projects = [make_keyless(provider=provider), *(make_project(provider=provider) for _ in range(3))]
        make_assignment(project=projects[0], company=chance.choice(companies))
        make_split(project=projects[1], shares={companies[0]: "33.33", companies[1]: "66.67"})
        make_assignment(project=projects[2], company=companies[2], starts_on=date(2026, 11, 3))
        for project in projects:
            make_rows(chance, project)


def make_rows(chance: random.Random, project: Project) -> None:
    for day in range(1, 7):
        for model in ("", "m1"):
            cost = chance.choice([None, Decimal(chance.randrange(1, 10**15)).scaleb(-10)])
            make_usage(
                project=project,
                day=date(2026, 10, 29) + timedelta(days=day),
                model=model,
                credits=chance.choice([None, Decimal(chance.randrange(1, 10**12)).scaleb(-4)]),
                minutes=chance.choice([None, Decimal(chance.randrange(1, 10**9)).scaleb(-6)]),
                requests=chance.choice([None, chance.randrange(1, 10**6)]),
                cost=cost,
                currency="" if cost is None else chance.choice(["usd", "usd", "eur"]),
            )


def read_export() -> list[dict[str, str]]:
    output = io.StringIO()
    call_command("export_usage", stdout=output)
    return list(csv.DictReader(io.StringIO(output.getvalue())))


def summed(rows: list[dict[str, str]], group_by: str) -> dict[Any, Any]:
    """Sums by group and figure – costs by currency besides –, without what is unknown."""
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for row in rows:
        labels = row | {"day": row["date"], "month": row["date"][:7]}
        group = tuple(labels[name] for name in group_by.split(","))
        for figure in FIGURES:
            if row[figure] not in ("", "0"):
                sums[group, figure, row["currency"] if figure == "cost" else ""] += Decimal(row[figure])
    return sums


def asked_sums(api: Api, group_by: str) -> dict[Any, Any]:
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for page in api.pages("/costs", group_by=group_by, limit=7):
        for line in page["data"]:
            labels = line | {"company": (line.get("company") or {"name": ""})["name"]}
            group = tuple(labels[name] for name in group_by.split(","))
            for figure in FIGURES:
                if line[figure] not in (None, "0"):
                    sums[group, figure, line["currency"] if figure == "cost" else ""] += Decimal(line[figure])
    assert Company.objects.exists()
    return sums
