"""The commands that set budgets, add webhooks, send tests and list alerts."""

from __future__ import annotations

import json

import pytest
from standardwebhooks.webhooks import Webhook

from alerts.models import Alert, Budget, Endpoint
from alerts.receivers import ask_for_evaluation
from tests.alerts.worlds import Receiver, Spender
from tests.providers.commands import ran, refused, run

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def thresholds(budget: Budget) -> list[str]:
    return [f"{each} {each.kind}" for each in budget.thresholds.all()]


def set_budget(*options: str) -> str:
    return ran("set_budget", "--company", "acme", "--currency", "usd", *options)


def test_a_budget_is_made_with_the_usual_thresholds(acme: Spender) -> None:
    """Of every month, from this one on."""
    said = set_budget("--amount", "500")

    budget = Budget.objects.get(company=acme.company)
    assert str(budget.money) == "$500.00"
    assert thresholds(budget) == ["50 % actual", "80 % actual", "100 % actual", "100 % forecast"]
    assert said.startswith("The monthly budget of Acme was made: $500.00.")


def test_a_second_time_changes_the_same_budget(acme: Spender) -> None:
    """Its thresholds stay as they are, unless others are named."""
    set_budget("--amount", "500", "--threshold", "80")
    set_budget("--amount", "600")

    budget = Budget.objects.get(company=acme.company)
    assert (str(budget.money), thresholds(budget)) == ("$600.00", ["80 % actual"])


def test_a_provider_has_a_budget_too(acme: Spender) -> None:
    """By its name."""
    ran("set_budget", "--provider", acme.provider.name, "--amount", "5", "--currency", "USD")

    assert Budget.objects.get().provider == acme.provider


@pytest.mark.parametrize("amount", ["0", "-1", "nan", "1e3000", "1.005", "much", ""])
def test_an_amount_that_is_none_is_refused(acme: Spender, amount: str) -> None:
    """In one sentence, and nothing is stored."""
    error = refused("set_budget", "--company", "Acme", "--currency", "usd", f"--amount={amount}", code=2)

    assert "--amount must be a number above zero" in error
    assert not Budget.objects.exists()


def test_an_unknown_company_is_refused(acme: Spender) -> None:
    """It is not made by the way."""
    error = refused("set_budget", "--company", "Nobody", "--amount", "5", "--currency", "usd", code=2)

    assert error == "Error: There is no company named “Nobody”.\n"


def test_too_many_thresholds_are_refused(acme: Spender) -> None:
    """Up to ten."""
    many = [word for percent in range(1, 12) for word in ("--threshold", str(percent))]

    error = refused("set_budget", "--company", "Acme", "--amount", "5", "--currency", "usd", *many, code=2)

    assert "at most 10 thresholds" in error


def test_a_webhook_gets_what_a_budget_tells(acme: Spender, receiver: Receiver, now: object) -> None:
    """The printed secret verifies it."""
    secret = ran("add_webhook", receiver.url).strip()
    acme.spends("83")
    set_budget("--amount", "100", "--threshold", "80")
    ran("send_test_alert")

    told = [Webhook(secret).verify(each.body, each.headers)["type"] for each in receiver.requests]

    assert told.count("budget.threshold_passed") == 1
    assert told[-1] == "test"


def test_a_private_webhook_is_refused() -> None:
    """Unless the environment allows it."""
    error = refused("add_webhook", "https://127.0.0.1/hook", code=2)

    assert "ALLOW_PRIVATE_WEBHOOKS=true" in error
    assert not Endpoint.objects.exists()


def test_a_test_that_fails_says_so(receiver: Receiver) -> None:
    """Exit code 1, with what the receiver answered."""
    ran("add_webhook", receiver.url)
    receiver.statuses = [500]

    code, out, _error = run("send_test_alert")

    assert code == 1
    assert "The receiver answered 500." in out


def test_alerts_are_listed_as_json(acme: Spender, now: object) -> None:
    """What was asked for and not yet evaluated is evaluated before."""
    set_budget("--amount", "100", "--threshold", "80")
    acme.spends("83")
    ask_for_evaluation("sync")

    listed = json.loads(ran("list_alerts", "--format", "json"))

    [alert] = [alert for alert in listed if alert["type"].startswith("budget")]
    assert (alert["type"], alert["company"], alert["severity"]) == ("budget.threshold_passed", "Acme", "warning")
    assert alert["data"]["spent"] == "83"
    assert Alert.objects.count() == len(listed)
