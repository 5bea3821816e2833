"""Lists and statements: what they tell, in pages that new rows don't disturb."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Role
from costs.models import Restatement, SettledDays
from costs.statements.closing import close_month
from providers.models import Company
from tests.api.asking import Api, make_token
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_rule,
    make_run,
    make_split,
    make_usage,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]


@pytest.fixture
def api() -> Api:
    return Api(make_token())


def test_provider_tells_how_fresh_it_is_and_nothing_of_its_key(api: Api) -> None:
    """Not even the last four characters."""
    provider = make_provider(
        name="Main", subscription={"name": "creator", "used": 5, "included": 10, "currency": "usd"}
    )
    make_read_days(provider=provider, first=date(2026, 11, 1), last=TODAY)

    (told,) = api.get("/providers").json()["data"]

    assert (told["name"], told["status"], told["data_through"]) == ("Main", "connected", "2026-11-22")
    assert (told["plan"]["name"], told["plan"]["used"], told["plan"]["overage"]) == ("creator", 5, None)
    assert provider.key_last_four not in api.get("/providers").content.decode()


def test_day_that_was_read_after_it_had_settled_is_the_last_one(api: Api) -> None:
    """As everywhere: of such days a range alone is kept."""
    provider = make_provider()
    make_read_days(provider=provider, first=date(2026, 10, 1), last=date(2026, 10, 2))
    SettledDays.objects.create(provider=provider, first=date(2026, 10, 3), last=date(2026, 10, 20))

    (told,) = api.get("/providers").json()["data"]

    assert told["data_through"] == api.get("/costs").json()["data_through"] == "2026-10-20"


def test_projects_are_told_by_id(api: Api) -> None:
    """Usage without a key has none of the provider's."""
    provider = make_provider()
    key, keyless = make_project(provider=provider, name="Hotline"), make_keyless(provider=provider)

    told = {one["id"]: one for one in api.get("/projects", provider=provider.pk).json()["data"]}

    assert (told[key.pk]["name"], told[key.pk]["external_id"]) == ("Hotline", key.external_id)
    assert (told[keyless.pk]["kind"], told[keyless.pk]["external_id"]) == ("keyless", "")


def test_agent_is_told_with_its_tags(api: Api) -> None:
    """And whether it is archived, or has but a share of what was reported for several."""
    make_project(name="Clinic", kind="agent", tags=["dental", "eu"], archived_at=NOW, is_allocated=True)

    (told,) = api.get("/projects").json()["data"]

    assert (told["kind"], told["tags"], told["is_allocated"]) == ("agent", ["dental", "eu"], True)
    assert told["archived_at"] == "2026-11-22T12:30:00+00:00"


def test_assignments_are_told_by_period(api: Api) -> None:
    """With who pays how much, from when to when."""
    acme, globex, project = make_company(), make_company(), make_project()
    make_assignment(project=project, company=acme)
    make_split(project=project, shares={acme: "60", globex: "40"}, starts_on=date(2026, 11, 1))

    (told,) = api.get("/assignments").json()["data"]

    assert [(one["from"], one["to"]) for one in told["periods"]] == [(None, "2026-10-31"), ("2026-11-01", None)]
    assert [share["percent"] for share in told["periods"][1]["shares"]] == ["60", "40"]


def test_pages_follow_one_another(api: Api) -> None:
    """Whatever is added while they are read."""
    provider = make_provider()
    runs = [make_run(provider=provider, outcome="succeeded", finished_at=NOW) for _ in range(5)]
    seen: list[int] = []

    for page in api.pages("/sync-runs", limit=2):
        seen += [one["id"] for one in page["data"]]
        if len(seen) == 2:
            runs.append(make_run(provider=provider, outcome="succeeded", finished_at=NOW))

    assert seen == [run.pk for run in runs]


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "%00", "eyJhIjogMX0"])
def test_cursor_that_was_not_given_is_refused(api: Api, cursor: str) -> None:
    """422, whatever it holds."""
    assert api.get("/projects", cursor=cursor).status_code == 422


def test_list_is_streamed_as_csv(api: Api) -> None:
    """All of it, nested names as columns."""
    make_rule(company=make_company(name="Acme"), pattern="acme")

    answer = api.get("/rules", headers={"Accept": "text/csv"})

    (line,) = csv.DictReader(io.StringIO(answer.getvalue().decode()))
    assert (line["pattern"], line["company.name"], line["provider.name"]) == ("acme", "Acme", "")


def test_companies_are_told_archived_ones_too(api: Api) -> None:
    """With what their statements are made of."""
    make_company(name="Acme", markup_percent=Decimal("12.5"), notes="Pays late")
    make_company(name="Globex", archived_at=NOW)

    told = api.get("/companies").json()["data"]

    assert [(one["name"], one["archived"], one["markup_percent"], one["notes"]) for one in told] == [
        ("Acme", False, "12.5", "Pays late"),
        ("Globex", True, None, ""),
    ]


def test_syncs_are_told_with_what_came_of_them(api: Api) -> None:
    """Of one provider, where it is named; a provider that there is not is refused."""
    provider = make_provider()
    make_run(provider=provider, outcome="failed", error_text="The key was refused.", started_at=NOW, finished_at=NOW)
    make_run(provider=provider, requested_from=date(2026, 11, 1), requested_to=TODAY)
    make_run()

    told = api.get("/sync-runs", provider=provider.pk).json()["data"]

    assert [(one["state"], one["problem"], one["from"], one["finished_at"]) for one in told] == [
        ("failed", "The key was refused.", None, "2026-11-22T12:30:00+00:00"),
        ("queued", None, "2026-11-01", None),
    ]
    assert api.get("/sync-runs", provider=10**6).json()["errors"][0]["field"] == "provider"


def test_restatements_tell_what_stood_and_what_stands(api: Api) -> None:
    """In their order; from where one left off."""
    project = make_project()
    first, second = (
        Restatement.objects.create(
            project=project, day=date(2026, 10, day), restated_at=NOW, cost_before=Decimal(1), currency_before="usd"
        )
        for day in (1, 2)
    )

    told = api.get("/restatements").json()["data"]
    later = api.get("/restatements", after=first.pk).json()["data"]

    assert [one["day"] for one in told] == ["2026-10-01", "2026-10-02"]
    assert (told[0]["before"]["cost"], told[0]["after"]["cost"]) == ("1", None)
    assert [one["id"] for one in later] == [second.pk]
    assert api.get("/restatements", since="2026-11-23").json()["data"] == []


def test_reconciliation_compares(api: Api) -> None:
    """Our sum beside theirs; a provider without a plan has nothing to compare with."""
    plan = {"name": "creator", "used": 1000, "included": 5000, "resets_at": "2026-12-01T00:00:00+00:00"}
    provider = make_provider(subscription=plan, subscription_read_at=NOW)
    make_provider()
    make_read_days(provider=provider, first=date(2026, 11, 1), last=TODAY)
    make_usage(project=make_project(provider=provider))

    (told,) = api.get("/reconciliation").json()["data"]

    assert (told["ours"], told["theirs"], told["difference"], told["verdict"]) == ("1000", "1000", "0", "equal")


def test_audit_log_is_told_in_order(api: Api) -> None:
    """To Admins; by what was done."""
    api.post("/companies", {"name": "Acme"})

    (told,) = api.get("/audit", action="company.created").json()["data"]

    assert (told["target_name"], told["new"]["name"]) == ("Acme", "Acme")


# --- Statements -------------------------------------------------------------------------------------------------------


def closed_october(**fields: str) -> tuple[Any, Any]:
    """A closed month of two companies, and the draft of the next one."""
    acme = make_company(name="Acme", markup_percent=Decimal(10), **fields)
    globex = make_company(name="Globex")
    provider = make_provider(history_from=date(2026, 10, 1))
    make_read_days(provider=provider, first=date(2026, 10, 1), last=TODAY)
    for company, keys in ((acme, 2), (globex, 1)):
        for _ in range(keys):
            project = make_project(provider=provider, name=f"Key of {company}")
            make_assignment(project=project, company=company)
            for day in (date(2026, 10, 5), date(2026, 11, 5)):
                make_usage(project=project, day=day)
    close_month(month=date(2026, 10, 1), now=datetime(2026, 11, 22, 12, 30, tzinfo=UTC))
    return acme, globex


def test_closed_statements_are_listed(api: Api) -> None:
    """With exact amounts, mark-up apart."""
    closed_october()

    told = api.get("/statements", month="2026-10").json()["data"]

    assert [(one["company"]["name"], one["status"]) for one in told] == [("Acme", "closed"), ("Globex", "closed")]
    assert told[0]["amounts"] == [
        {
            "currency": "usd",
            "usage": "0.6",
            "adjustments": "0",
            "markup": "0.06",
            "total": "0.66",
            "estimated": False,
        }
    ]


def test_month_that_is_not_closed_has_a_draft(api: Api) -> None:
    """One that has not begun has nothing."""
    acme, _globex = closed_october()

    draft = api.get(f"/statements/{acme.pk}/2026-11").json()

    assert (draft["status"], draft["closed_at"], len(draft["lines"])) == ("draft", None, 2)
    assert draft["lines"][0]["project"] == "Key of Acme"
    assert api.get(f"/statements/{acme.pk}/2026-12").status_code == 404
    assert api.get(f"/statements/{acme.pk}/november").status_code == 422


def test_company_viewer_s_statement_tells_no_key(api: Api) -> None:
    """Its lines are by model, and add up to the same."""
    acme, globex = closed_october(statement_amounts=Company.Amounts.COST)
    viewer = Api(make_token(role=Role.COMPANY_VIEWER, companies=[acme]))

    told = viewer.get(f"/statements/{acme.pk}/2026-10").json()

    assert [(one["project"], one["provider"], one["cost"]) for one in told["lines"]] == [(None, None, "0.6")]
    assert told["amounts"] == api.get(f"/statements/{acme.pk}/2026-10").json()["amounts"]
    assert [one["company"]["id"] for one in viewer.get("/statements").json()["data"]] == [acme.pk]
    assert globex.name not in viewer.get("/statements").content.decode()


@pytest.mark.parametrize("month", ["2026-13", "october", "2026-1"])
def test_month_that_is_none_is_refused(api: Api, month: str) -> None:
    """At the parameter."""
    assert api.get("/statements", month=month).json()["errors"][0]["field"] == "month"
