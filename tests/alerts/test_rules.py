"""What is watched besides budgets: each rule's case, that it is told once, and what ends it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from alerts.evaluation.watching import evaluate_rules
from alerts.models import Alert, RuleSetting, Severity
from alerts.rules import rules
from alerts.rules.world import World
from providers.models import Provider
from tests.factories import NOW, make_project, make_provider, make_restatement, make_usage

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def plan(**fields: Any) -> dict[str, Any]:
    return {
        "used": 100,
        "included": 1000,
        "resets_at": "2026-12-01T00:00:00+00:00",
        "period_months": 1,
        "currency": "usd",
    } | fields


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "usd"}


def told(*, hours: float = 0) -> dict[str, str]:
    """Title by rule, of all that was ever told, after a look so many hours later."""
    evaluate_rules(World(NOW + timedelta(hours=hours)))
    return {alert.kind: alert.title for alert in Alert.objects.all()}


def agency(**fields: Any) -> Provider:
    return make_provider(name="Agency", **fields)


def test_a_calm_installation_is_told_nothing() -> None:
    """A provider that is synced, a key that works, a plan that lasts."""
    make_project(provider=agency(subscription=plan()), credit_limit=100, credits_used=10)

    assert told() == {}


@pytest.mark.parametrize(
    ("fields", "rule", "title"),
    [
        ({"last_synced_at": NOW - timedelta(hours=3)}, "provider.late", "Agency is late"),
        (
            {"last_synced_at": NOW - timedelta(hours=37)},
            "provider.nothing_read",
            "Nothing was read of Agency for 36 hours",
        ),
        (
            {"failing_since": NOW - timedelta(hours=2), "failure_code": "unavailable", "failure_text": "It is away."},
            "provider.failing",
            "Syncs of Agency fail",
        ),
        (
            {"failing_since": NOW, "failure_code": "implausible", "failure_text": "Much would go."},
            "provider.needs_look",
            "Agency needs a look",
        ),
        ({"paused_at": NOW, "pause_reason": "The key was refused."}, "provider.paused", "Agency was paused"),
        ({"subscription": plan(used=900)}, "plan.running_out", "Agency will run out of credits about 24 Nov 2026"),
        (
            {"subscription": plan(overage=money("1.50"))},
            "plan.overage",
            "Agency is charged for more than its plan includes",
        ),
    ],
)
def test_a_provider_is_watched(fields: dict[str, Any], rule: str, title: str) -> None:
    """Its state and its plan."""
    agency(**fields)

    assert told()[rule] == title


@pytest.mark.parametrize(
    ("fields", "rule", "title"),
    [
        ({"disabled_at": NOW - timedelta(hours=1)}, "key.disabled", "Bot was disabled"),
        ({"expires_at": NOW + timedelta(days=13)}, "key.expiring", "Bot expires on 5 Dec 2026"),
        ({"credit_limit": 100, "credits_used": 91}, "key.near_limit", "Bot has used 91.0 % of its limit"),
    ],
)
def test_a_key_is_watched(fields: dict[str, Any], rule: str, title: str) -> None:
    """What ends it, before or when it does; with the key's own page."""
    key = make_project(provider=agency(), name="Bot", **fields)

    assert told() == {rule: title}
    assert Alert.objects.get().path == key.get_absolute_url()


@pytest.mark.parametrize(
    "fields",
    [
        {"disabled_at": NOW - timedelta(days=30)},
        {"expires_at": NOW + timedelta(days=15)},
        {"expires_at": NOW - timedelta(days=1)},
        {"credit_limit": 100, "credits_used": 89},
        {"credit_limit": 0, "credits_used": 5},
        {"deleted_at": NOW, "disabled_at": NOW},
    ],
)
def test_what_is_far_away_or_long_gone_is_not_told(fields: dict[str, Any]) -> None:
    """A first look at an old installation is calm."""
    make_project(provider=agency(), **fields)

    assert told() == {}


def test_a_key_found_in_public_is_urgent() -> None:
    """The others are warnings."""
    make_project(provider=agency(), disabled_at=NOW, disabled_reason="exposed_publicly")
    told()

    assert Alert.objects.get().severity == Severity.URGENT


def test_unassigned_spend_is_told_of_above_its_limit() -> None:
    """Once a month."""
    make_usage(project=make_project(provider=agency()), cost=Decimal("100.50"))

    assert told()["spend.unassigned"] == "$100.50 of November 2026 is assigned to no company"


def test_restated_days_are_told_of() -> None:
    """With the page that lists them."""
    make_restatement(project=make_project(provider=agency()))

    assert told() == {"days.restated": "Agency restated settled days"}
    assert "/restatements/" in Alert.objects.get().path


def test_a_larger_invoice_is_compared_with_the_last_period() -> None:
    """As it was last seen before the next period began."""
    provider = agency(subscription=plan(next_invoice=money("100")))
    assert told() == {}
    december = plan(next_invoice=money("126"), resets_at="2027-01-01T00:00:00+00:00")
    Provider.objects.filter(pk=provider.pk).update(subscription=december)

    assert told()["invoice.larger"] == "Agency: the next invoice is 26.0 % larger than the last"
    assert Alert.objects.count() == 1


def test_what_goes_on_is_told_once() -> None:
    """However often it is looked at."""
    agency(paused_at=NOW, pause_reason="The key was refused.")
    for hours in range(5):
        told(hours=hours)

    assert Alert.objects.count() == 1


def test_what_is_over_ends_its_alert() -> None:
    """With an event and no message; the next time is an alert of its own."""
    provider = agency(paused_at=NOW, pause_reason="The key was refused.")
    told()
    Provider.objects.filter(pk=provider.pk).update(paused_at=None, pause_reason="")
    told()

    alert = Alert.objects.get()
    assert alert.ended_at == NOW
    assert [event.kind for event in alert.events.all()] == ["ended"]

    Provider.objects.filter(pk=provider.pk).update(paused_at=NOW + timedelta(days=1), pause_reason="Again.")
    told(hours=1)
    assert Alert.objects.count() == 2


def test_a_rule_that_is_off_tells_nothing() -> None:
    """As an Admin has chosen."""
    agency(paused_at=NOW, pause_reason="The key was refused.")
    RuleSetting.objects.create(slug="provider.paused", is_on=False)

    assert told() == {}


def test_a_limit_can_be_changed() -> None:
    """Ninety percent is only where it begins."""
    make_project(provider=agency(), credit_limit=100, credits_used=60)
    RuleSetting.objects.create(slug="key.near_limit", limit=Decimal(50))

    assert "key.near_limit" in told()


def test_a_rule_that_breaks_keeps_no_other_from_being_asked(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in the log."""
    make_project(provider=agency(paused_at=NOW, pause_reason="Refused."), disabled_at=NOW)
    monkeypatch.setattr("alerts.rules.world.World.limited_keys", property(lambda _world: 1 / 0))

    assert told() == {"provider.paused": "Agency was paused"}
    assert "The rule key.disabled failed" in caplog.text


def test_a_message_says_how_far_figures_reach() -> None:
    """And how much belongs to nobody."""
    agency(paused_at=NOW, pause_reason="The key was refused.")
    told()

    assert "No day has been read yet" in Alert.objects.get().text
    assert "Nothing of November 2026 is assigned to no company." in Alert.objects.get().text


def test_every_rule_says_in_a_sentence_when_it_tells() -> None:
    """For somebody who did not write it."""
    assert len(rules()) == len({rule.slug for rule in rules()}) == 19
    assert all(rule.text.startswith("When ") and rule.text.endswith(".") for rule in rules())
    assert all(rule.slug.count(".") == 1 for rule in rules())
