"""Budgets and alerts: how budgets stand, and what was noticed, to each in the words meant for them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Role
from alerts.models import AlertEvent, Receipt, Threshold
from alerts.services.budgets import Limit
from providers.models import Company
from tests.alerts.worlds import MONTH, evaluate, make_budget, make_spender
from tests.api.asking import Api, make_token
from tests.factories import NOW, make_alert, make_company, make_provider, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now"), pytest.mark.any_engine]


@pytest.fixture
def api() -> Api:
    return Api(make_token(role=Role.VIEWER, scopes=["costs:read"]))


@pytest.fixture
def acme() -> Company:
    return make_company(name="Acme")


def test_budget_tells_how_it_stands(api: Api) -> None:
    """What the latest comparison found, exactly."""
    acme = make_spender()
    budget = make_budget(company=acme.company, percents=(80,))
    acme.spends("83.0000000001")
    evaluate()

    (told,) = api.get("/budgets").json()["data"]

    assert told["id"] == budget.pk
    assert told["subject"] == {"kind": "company", "id": acme.company.pk, "name": "Acme"}
    assert (told["period"], told["starts_on"], told["ends_on"]) == ("month", MONTH.isoformat(), None)
    assert (told["amount"], told["currency"], told["spent"]) == ("100", "usd", "83.0000000001")
    assert (told["state"], told["compared_from"], told["reaches"]) == ("near", MONTH.isoformat(), "2026-11-22")
    assert told["thresholds"] == [{"kind": "actual", "percent": "80", "amount": "80"}]


def test_budget_that_was_not_compared_is_unknown(api: Api) -> None:
    """Null, not 0; a threshold may be an amount itself."""
    make_budget(percents=(), limits=[Limit(Threshold.Kind.FORECAST, amount=Decimal("12.5"))])

    (told,) = api.get("/budgets").json()["data"]

    assert told["subject"] == {"kind": "everything", "id": None, "name": "Everything"}
    assert (told["spent"], told["expected"], told["compared_at"], told["state"]) == (None, None, None, "unknown")
    assert told["thresholds"] == [{"kind": "forecast", "percent": None, "amount": "12.5"}]


def test_alert_tells_what_was_noticed_and_what_became_of_it(api: Api, acme: Company) -> None:
    """Whoever has read it: that is everybody's own."""
    provider = make_provider(name="Main")
    alert = make_alert(company=acme, provider=provider, ended_at=NOW)
    AlertEvent.objects.create(alert=alert, at=NOW, kind="corrected", text="It is $70.00 now.")

    (told,) = api.get("/alerts").json()["data"]

    assert (told["kind"], told["severity"]) == ("budget.threshold_passed", "warning")
    assert (told["title"], told["text"]) == (alert.title, alert.text)
    assert (told["company"]["name"], told["provider"]["name"]) == ("Acme", "Main")
    assert (told["path"], told["facts"], told["ended_at"]) == ("/hidden/", {"spent": "80"}, "2026-11-22T12:30:00+00:00")
    assert told["events"] == [{"at": "2026-11-22T12:30:00+00:00", "kind": "corrected", "text": "It is $70.00 now."}]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"kind": "key.disabled"}, ["b"]),
        ({"open": "true"}, ["a"]),
        ({"open": "false"}, ["b"]),
        ({"since": "2026-11-22"}, ["b"]),
        ({"company": "acme"}, ["a"]),
    ],
)
def test_alerts_are_narrowed(api: Api, acme: Company, asked: dict[str, Any], names: list[str]) -> None:
    """By kind, by day, by company, and by whether they have ended."""
    make_alert(title="a", company=acme, raised_at=NOW - timedelta(days=1))
    make_alert(title="b", kind="key.disabled", raised_at=NOW, ended_at=NOW)

    answer = api.get("/alerts", asked | ({"company": acme.pk} if "company" in asked else {}))

    assert [told["title"] for told in answer.json()["data"]] == names


def test_company_viewer_gets_what_they_were_told(acme: Company) -> None:
    """Not what other viewers of the same company were, nor what an Admin has not subscribed them to."""
    viewer = make_user(role=Role.COMPANY_VIEWER, companies=[acme])
    told, of_before, untold = (make_alert(company=acme) for _ in range(3))
    Receipt.objects.create(alert=told, user=viewer, is_client=True)
    Receipt.objects.create(alert=of_before, user=viewer, is_client=False)
    Receipt.objects.create(alert=untold, user=make_user(role=Role.COMPANY_VIEWER, companies=[acme]), is_client=True)

    answer = Api(make_token(user=viewer)).get("/alerts").json()

    assert [one["id"] for one in answer["data"]] == [told.pk]


def test_alert_of_a_company_that_was_taken_away_is_gone(acme: Company) -> None:
    """Its receipt stays, and shows nothing."""
    viewer = make_user(role=Role.COMPANY_VIEWER, companies=[make_company()])
    Receipt.objects.create(alert=make_alert(company=acme), user=viewer, is_client=True)

    assert Api(make_token(user=viewer)).get("/alerts").json()["data"] == []


def test_narrowed_token_gets_the_words_for_clients(acme: Company) -> None:
    """No amount, provider, key, nor any other company; nothing of what has no such words."""
    alert = make_alert(company=acme, provider=make_provider(name="Hidden workspace"))
    AlertEvent.objects.create(alert=alert, at=NOW, kind="corrected", text="It is $70.00 now.")
    make_alert(company=acme, client_text="")
    make_alert(company=make_company(name="Globex secret"))
    make_alert()

    answer = Api(make_token(company=acme)).get("/alerts")

    (told,) = answer.json()["data"]
    assert (told["id"], told["title"], told["path"]) == (alert.pk, alert.client_title, "/companies/")
    assert (told["provider"], told["facts"]) == (None, None)
    assert told["events"][0]["text"] == "Corrected: figures have changed, and are below the threshold now."
    assert not any(word in answer.content.decode() for word in ("$", "Hidden", "hidden", "Globex"))


def test_alerts_of_a_foreign_company_are_as_unknown_as_of_none(acme: Company) -> None:
    """The same answer to the letter."""
    viewer = Api(make_token(role=Role.COMPANY_VIEWER, companies=[acme]))
    foreign = make_company()

    answers = [viewer.get("/alerts", company=pk) for pk in (foreign.pk, 10**6)]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].content == answers[1].content


def test_alerts_come_as_csv(api: Api, acme: Company) -> None:
    """With what is nested as JSON."""
    make_alert(company=acme, title="=1+1", raised_at=NOW)

    answer = api.get("/alerts", headers={"Accept": "text/csv"})

    heading, line = answer.getvalue().decode().splitlines()
    assert heading.startswith("id,kind,severity,title,text,company.id,company.name,provider.id")
    assert "'=1+1" in line
    assert date(2026, 11, 22).isoformat() in line
