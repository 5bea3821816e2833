"""The pages of budgets, alerts and notifications, as people use them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from accounts.models import AuditEntry, Role
from alerts.models import (
    Alert,
    AlertEvent,
    Budget,
    Delivery,
    Endpoint,
    Preferences,
    Receipt,
    RuleSetting,
    Severity,
    Subscription,
)
from alerts.services.endpoints import add_endpoint
from alerts.services.raising import News, raise_alert
from tests.alerts.worlds import Spender, evaluate, make_budget
from tests.factories import NOW, make_alert, make_company, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def form(acme: Spender, **fields: Any) -> dict[str, Any]:
    return {
        "subject": f"company:{acme.company.pk}",
        "amount": "500",
        "currency": "usd",
        "period": "month",
        "starts_on": "2026-11-01",
        "ends_on": "",
        "spent": "50 %, 80 %, 400",
        "forecast": "100%",
    } | fields


def test_a_budget_is_added_by_its_form(signed_in: Client, acme: Spender) -> None:
    """With percentages and amounts, as they were written."""
    answer = signed_in.post("/budgets/add/", form(acme))

    assert answer.status_code == 302
    budget = Budget.objects.get()
    thresholds = {f"{each} {each.kind}" for each in budget.thresholds.all()}
    assert thresholds == {"$400.00 actual", "50 % actual", "80 % actual", "100 % forecast"}
    assert AuditEntry.objects.filter(action="budget.made").exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("amount", "0", "Enter an amount above zero"),
        ("amount", "-5", "Enter an amount above zero"),
        ("amount", "٥٠٠", "Enter an amount above zero"),
        ("spent", "a lot", "Write thresholds like"),
        ("spent", ", ".join(f"{percent} %" for percent in range(1, 12)), "at most 10 thresholds"),
        ("subject", "company:999999", "Choose from the list."),
        ("starts_on", "2026-13-01", "The date can"),
    ],
)
def test_what_cannot_be_understood_is_said(
    signed_in: Client, acme: Spender, field: str, value: str, sentence: str
) -> None:
    """At the field, and nothing is stored."""
    answer = signed_in.post("/budgets/add/", form(acme, **{field: value}))

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Budget.objects.exists()


def test_a_range_needs_an_end(signed_in: Client, acme: Spender) -> None:
    """And one that is not before its beginning."""
    for ends_on in ("", "2026-10-01"):
        answer = signed_in.post("/budgets/add/", form(acme, period="range", ends_on=ends_on))

        assert "Enter a last day that is not before the first." in answer.content.decode()


def test_two_budgets_of_the_same_are_refused(signed_in: Client, acme: Spender) -> None:
    """The one there is can be changed."""
    make_budget(company=acme.company)

    answer = signed_in.post("/budgets/add/", form(acme))

    assert "There is already a budget for this" in answer.content.decode()


def test_the_list_shows_how_each_budget_stands(signed_in: Client, acme: Spender) -> None:
    """As the latest evaluation found it."""
    make_budget(company=acme.company, percents=[80])
    acme.spends("83")
    evaluate()

    page = signed_in.get("/budgets/").content.decode()

    assert "<strong>$83.00</strong> of $100.00 (83.0 %)" in page
    assert "Nearly spent" in page


def test_a_budget_is_changed_and_deleted(signed_in: Client, acme: Spender) -> None:
    """Its form holds what there is."""
    budget = make_budget(company=acme.company)
    assert 'value="50 %, 80 %, 100 %"' in signed_in.get(f"/budgets/{budget.pk}/edit/").content.decode()

    signed_in.post(f"/budgets/{budget.pk}/edit/", form(acme, amount="250"))
    assert Budget.objects.get().amount == 250
    signed_in.post(f"/budgets/{budget.pk}/delete/")

    assert not Budget.objects.exists()


def news(**fields: Any) -> News:
    usual: dict[str, Any] = {
        "key": "one",
        "kind": "test",
        "severity": Severity.WARNING,
        "title": "Something <b>",
        "sentences": ("It happened.",),
        "path": "/",
    }
    return News(**usual | fields)


def bell(client: Client) -> str:
    page = client.get("/").content.decode()
    return page.partition('class="bell__count">')[2].partition("<")[0]


def test_the_bell_counts_what_is_unread(signed_in: Client, operator: User, acme: Spender) -> None:
    """Until it is read or snoozed; what is snoozed comes back."""
    raise_alert(news(), now=NOW)
    receipt = Receipt.objects.get(user=operator)
    assert bell(signed_in) == "1"

    signed_in.post(f"/alerts/{receipt.pk}/snooze/", {"for": "day"})
    assert bell(signed_in) == ""
    Receipt.objects.update(snoozed_until=NOW - timedelta(seconds=1))
    assert bell(signed_in) == "1"
    signed_in.post(f"/alerts/{receipt.pk}/read/")

    assert bell(signed_in) == ""


def test_the_bell_costs_no_query(
    signed_in: Client, acme: Spender, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """It comes with the reader: session, reader, budgets, and their thresholds where there are any."""
    raise_alert(news(), now=NOW)

    with django_assert_num_queries(3):
        signed_in.get("/budgets/")


def test_everybody_reads_their_own_list(signed_in: Client, operator: User, acme: Spender) -> None:
    """Marking as read is nobody else's business."""
    other = make_user(role=Role.ADMIN)
    raise_alert(news(), now=NOW)

    answer = signed_in.post(f"/alerts/{Receipt.objects.get(user=other).pk}/read/")
    signed_in.post("/alerts/read/")

    assert answer.status_code == 404
    assert set(Receipt.objects.filter(read_at=None).values_list("user", flat=True)) == {other.pk}


def test_names_in_alerts_are_text(signed_in: Client, acme: Spender) -> None:
    """Whatever somebody called their key."""
    raise_alert(news(), now=NOW)

    assert "Something &lt;b&gt;" in signed_in.get("/alerts/").content.decode()


def test_preferences_are_stored(signed_in: Client, operator: User) -> None:
    """Quiet hours need both ends."""
    chosen = {"email": "dana@example.com", "mail": "daily", "mail_minimum": "3", "list_minimum": "1"}
    refused = signed_in.post("/settings/notifications/", chosen | {"quiet_from": "22:00", "quiet_until": ""})
    accepted = signed_in.post("/settings/notifications/", chosen | {"quiet_from": "22:00", "quiet_until": "07:00"})

    assert (refused.status_code, accepted.status_code) == (422, 302)
    assert Preferences.objects.get(user=operator).mail == Preferences.Mail.DAILY


def test_an_admin_subscribes_a_company_viewer(signed_in: Client, acme: Spender) -> None:
    """To their own company, and to no other."""
    viewer = make_user(role=Role.COMPANY_VIEWER, companies=[acme.company])
    for company in (acme.company, make_company(name="Globex")):
        signed_in.post("/settings/notifications/companies/", {"user": viewer.pk, "company": company.pk, "minimum": 1})

    assert [each.company for each in Subscription.objects.all()] == [acme.company]


def test_a_member_decides_for_nobody_else(client: Client, now: object, acme: Spender) -> None:
    """Of companies, but for themselves."""
    viewer = make_user(role=Role.COMPANY_VIEWER, companies=[acme.company])
    client.force_login(make_user(role=Role.MEMBER))

    client.post("/settings/notifications/companies/", {"user": viewer.pk, "company": acme.company.pk, "minimum": 1})

    assert not Subscription.objects.exists()


def test_rules_are_switched_off_and_limited(signed_in: Client) -> None:
    """Only what differs from before is stored, and recorded."""
    page = signed_in.get("/settings/watching/").content.decode()
    assert "When an API key ends within some days." in page
    data = {f"{slug}-is_on": "on" for slug in ("key-disabled", "key-expiring")}
    limits = {
        "key-expiring-limit": "30",
        "key-near_limit-limit": "90",
        "plan-running_out-limit": "3",
        "invoice-larger-limit": "25",
        "provider-failing-limit": "90",
        "provider-nothing_read-limit": "36",
        "spend-unassigned-limit": "100",
        "spend-unusual-limit": "10",
        "spend-new-limit": "50",
        "spend-silent-limit": "3",
        "statement-draft-limit": "5",
    }

    answer = signed_in.post("/settings/watching/", data | limits)

    assert answer.status_code == 302
    assert RuleSetting.objects.get(slug="key.expiring").limit == Decimal(30)
    assert not RuleSetting.objects.get(slug="provider.late").is_on
    assert not RuleSetting.objects.filter(slug="key.disabled").exists()


def test_a_viewer_reads_what_is_watched_and_changes_nothing(client: Client, now: object, db: None) -> None:
    """Neither by the page nor past it."""
    client.force_login(make_user(role=Role.VIEWER))

    assert b"is_on" not in client.get("/settings/watching/").content
    assert client.post("/settings/watching/", {}).status_code == 403


def test_a_webhook_is_added_and_its_secret_shown_once(signed_in: Client) -> None:
    """The address stays out of pages, since it may hold a secret."""
    answer = signed_in.post(
        "/settings/webhooks/add/", {"kind": "webhook", "url": "https://93.184.216.34/s3cret-path", "minimum": "1"}
    )
    page = signed_in.get(f"/settings/webhooks/{Endpoint.objects.get().pk}/").content.decode()

    assert answer.status_code == 201
    assert "whsec_" in answer.content.decode()
    assert "whsec_" not in page
    assert "s3cret-path" not in page + signed_in.get("/settings/webhooks/").content.decode()


def test_a_private_webhook_is_refused_by_the_form(signed_in: Client) -> None:
    """With the reason."""
    answer = signed_in.post("/settings/webhooks/add/", {"kind": "webhook", "url": "https://10.0.0.1/", "minimum": "1"})

    assert answer.status_code == 422
    assert "not on the public internet" in answer.content.decode()


@pytest.fixture
def endpoint(settings: Settings) -> Endpoint:
    settings.ALLOW_PRIVATE_WEBHOOKS = True
    return add_endpoint(url="http://127.0.0.1:9/hook")[0]


def test_a_webhook_is_switched_off_and_on(signed_in: Client, endpoint: Endpoint) -> None:
    """Switched off it gets nothing."""
    signed_in.post(f"/settings/webhooks/{endpoint.pk}/switch/")
    raise_alert(news(), now=NOW)
    assert not Delivery.objects.exists()

    signed_in.post(f"/settings/webhooks/{endpoint.pk}/switch/")
    raise_alert(news(key="two"), now=NOW)

    assert Delivery.objects.count() == 1


def test_the_log_of_a_webhook_tells_every_attempt(signed_in: Client, endpoint: Endpoint) -> None:
    """And offers to send again."""
    raise_alert(news(), now=NOW)
    delivery = Delivery.objects.get()
    delivery.attempts.create(at=NOW, succeeded=False, status=500, text="The receiver answered 500.", took_ms=12)

    page = signed_in.get(f"/settings/webhooks/{endpoint.pk}/").content.decode()
    signed_in.post(f"/settings/deliveries/{delivery.pk}/again/")

    assert "The receiver answered 500." in page
    assert Delivery.objects.get().not_before >= NOW


def test_a_secret_is_replaced(signed_in: Client, endpoint: Endpoint) -> None:
    """The one before signs as well for a day."""
    old = endpoint.encrypted_secret

    answer = signed_in.post(f"/settings/webhooks/{endpoint.pk}/secret/")

    endpoint.refresh_from_db()
    assert "whsec_" in answer.content.decode()
    assert endpoint.encrypted_previous_secret == old
    assert len(endpoint.signing_secrets(NOW)) == 2
    assert len(endpoint.signing_secrets(NOW + timedelta(days=2))) == 1


def test_deleting_a_webhook_takes_its_log_along(signed_in: Client, endpoint: Endpoint) -> None:
    """Alerts stay."""
    raise_alert(news(), now=NOW)

    signed_in.post(f"/settings/webhooks/{endpoint.pk}/delete/")

    assert (Endpoint.objects.count(), Delivery.objects.count(), Alert.objects.count()) == (0, 0, 1)


def test_send_test_goes_to_everybody_and_everything(signed_in: Client, operator: User, endpoint: Endpoint) -> None:
    """As a real alert."""
    signed_in.post("/settings/notifications/test/")

    assert Alert.objects.get().kind == "test"
    assert Delivery.objects.get().endpoint == endpoint
    assert Receipt.objects.filter(user=operator).exists()


@pytest.fixture
def near(acme: Spender) -> Spender:
    """Of $100 a month, 83 are spent."""
    make_budget(company=acme.company, percents=[80])
    acme.spends("83")
    evaluate()
    return acme


@pytest.mark.parametrize("page", ["/", "/companies/", "/companies/{}/", "/budgets/"])
def test_budgets_stand_beside_what_was_spent(signed_in: Client, near: Spender, page: str) -> None:
    """On the dashboard, in the list, on the company's page."""
    text = signed_in.get(page.format(near.company.pk)).content.decode()

    assert "83.0 %" in text
    assert 'class="bar bar--near"' in text


def test_a_company_viewer_sees_no_budget(client: Client, now: object, near: Spender) -> None:
    """It is the agency's."""
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[near.company]))

    assert "budget" not in client.get(f"/companies/{near.company.pk}/").content.decode().lower()


def test_the_list_of_companies_has_the_share_of_the_budget_as_a_number(signed_in: Client, near: Spender) -> None:
    """In its file; without any budget there is no such column."""
    answer = signed_in.get("/companies/?csv=companies")
    rows = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]

    assert next(csv.DictReader(io.StringIO(rows)))["Budget (%)"] == "83"


def test_who_became_a_company_viewer_sees_nothing_of_before(client: Client, now: object, acme: Spender) -> None:
    """Neither in the list nor in the bell; of their own company only what is written for them."""
    user = make_user(role=Role.COMPANY_VIEWER, companies=[acme.company])
    others = raise_alert(news(company=make_company()), now=NOW)
    own = raise_alert(news(key="own", company=acme.company, client_title="Yours", client_sentences=("A.",)), now=NOW)
    for alert, is_client in ((others, False), (others, True), (own, True)):
        assert alert is not None
        Receipt.objects.update_or_create(user=user, alert=alert, defaults={"is_client": is_client})
    client.force_login(user)

    page = client.get("/alerts/").content.decode()

    assert "Yours" in page
    assert "Something" not in page
    assert page.partition('class="bell__count">')[2].startswith("1<")


def test_correction_tells_a_company_viewer_no_amount(client: Client, now: object, acme: Spender) -> None:
    """A budget is of cost, which the viewers of a “price only” company may not learn; colleagues are told it."""
    alert = make_alert(company=acme.company)
    AlertEvent.objects.create(alert=alert, at=NOW, kind="corrected", text="Corrected: it is $70.00 now.")
    viewer, colleague = make_user(role=Role.COMPANY_VIEWER, companies=[acme.company]), make_user(role=Role.VIEWER)
    pages = []

    for user in (viewer, colleague):
        Receipt.objects.create(alert=alert, user=user, is_client=user == viewer)
        client.force_login(user)
        pages.append(client.get("/alerts/").content.decode())

    assert ["$70.00" in page for page in pages] == [False, True]
    assert "figures have changed, and are below the threshold now" in pages[0]
