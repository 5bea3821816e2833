"""Webhooks as Standard Webhooks 1.0.0 describes them, against a real receiver on loopback."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from pytest_django.fixtures import Settings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from alerts.delivery import outbox, posting
from alerts.delivery.outbox import LEASE, PATIENCE, WAITS, work_through
from alerts.lanes import lane_of_ones_own
from alerts.models import Alert, Attempt, Delivery, Endpoint, Lane, Severity
from alerts.services.endpoints import add_endpoint, redeliver_now, replace_secret
from alerts.services.raising import News, raise_alert
from providers.services.rotating import rotate_encryption_keys
from tests.alerts.worlds import Receiver

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


def news(key: str = "one", severity: Severity = Severity.WARNING) -> News:
    return News(
        key=key,
        kind="budget.threshold_passed",
        severity=severity,
        title="Acme: 80 %",
        sentences=("A.", "B."),
        path="/x/",
    )


def now() -> datetime:
    return datetime.now(UTC)


def posted(receiver: Receiver) -> tuple[Endpoint, str]:
    """An endpoint at the receiver, and one alert sent through the outbox."""
    endpoint, secret = add_endpoint(url=receiver.url)
    raise_alert(news(), now=now())
    work_through(endpoint.lane)
    return endpoint, secret


def later(**passed: float) -> None:
    """Let waiting deliveries be due after a while."""
    for delivery in Delivery.objects.all():
        Delivery.objects.filter(pk=delivery.pk).update(not_before=delivery.not_before - timedelta(**passed))


def test_the_independent_verifier_accepts_the_signature(receiver: Receiver) -> None:
    """Headers, signature and body are those of the standard."""
    _endpoint, secret = posted(receiver)

    [request] = receiver.requests
    body = Webhook(secret).verify(request.body, request.headers)

    assert body["type"] == "budget.threshold_passed"
    assert body["data"]["title"] == "Acme: 80 %"
    assert body["data"]["url"].endswith("/x/")
    assert len(request.body) < posting.LARGEST_BODY


def test_the_longest_text_stays_within_the_standards_20_kb(receiver: Receiver) -> None:
    """In whatever script: letters of four bytes."""
    endpoint, secret = add_endpoint(url=receiver.url)
    raise_alert(replace(news(), title="𝔞" * 300, sentences=("𝔞" * 9000,)), now=now())

    work_through(endpoint.lane)

    (request,) = receiver.requests
    assert len(request.body) < posting.LARGEST_BODY
    assert Webhook(secret).verify(request.body, request.headers)["data"]["text"].startswith("𝔞𝔞")


def test_a_changed_body_is_not_accepted(receiver: Receiver) -> None:
    """The signature covers every byte."""
    _endpoint, secret = posted(receiver)
    [request] = receiver.requests

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.body.replace(b"80", b"81"), request.headers)


def test_while_a_secret_is_exchanged_both_sign(receiver: Receiver) -> None:
    """A receiver that still has the old one refuses nothing."""
    endpoint, old = add_endpoint(url=receiver.url)
    new = replace_secret(endpoint=endpoint, now=now())
    raise_alert(news(), now=now())
    work_through(endpoint.lane)

    [request] = receiver.requests

    assert old != new
    Webhook(old).verify(request.body, request.headers)
    Webhook(new).verify(request.body, request.headers)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 500, 503])
def test_anything_but_success_is_tried_again_with_the_same_id(receiver: Receiver, status: int) -> None:
    """Redirects are failures, too: they could lead anywhere."""
    receiver.statuses = [status]
    receiver.headers = {"location": "http://127.0.0.1:1/"}
    endpoint, _secret = posted(receiver)
    later(minutes=1)
    work_through(endpoint.lane)

    first, second = receiver.requests

    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert [attempt.status for attempt in Attempt.objects.order_by("pk")] == [status, 204]
    assert Delivery.objects.get().state == Delivery.State.SENT


def test_waits_grow_as_the_standard_recommends(receiver: Receiver) -> None:
    """Each between its length and a fifth more; after the last it is given up."""
    receiver.statuses = [500] * 20
    endpoint, _secret = posted(receiver)
    waits = []
    for _attempt in WAITS:
        delivery = Delivery.objects.get()
        waits.append(delivery.not_before - delivery.attempts.all()[0].at)
        later(days=2)
        work_through(endpoint.lane)

    assert all(least <= wait <= least * 1.2 for least, wait in zip(WAITS, waits, strict=True))
    assert Delivery.objects.get().state == Delivery.State.FAILED
    assert len(receiver.requests) == len(WAITS) + 1


@pytest.mark.parametrize(("said", "seconds"), [("120", 120), ("nonsense", 0), ("99999999", 24 * 3600)])
def test_a_receiver_may_ask_for_time(receiver: Receiver, said: str, seconds: int) -> None:
    """By Retry-After, a day at most; it never shortens the wait."""
    receiver.statuses = [429]
    receiver.headers = {"retry-after": said}
    posted(receiver)

    delivery = Delivery.objects.get()
    wait = delivery.not_before - delivery.attempts.all()[0].at

    assert wait >= max(WAITS[0], timedelta(seconds=seconds))
    assert wait <= max(WAITS[0] * 1.2, timedelta(seconds=seconds))


def test_gone_switches_the_endpoint_off_and_says_so(receiver: Receiver) -> None:
    """410 means never again; people are told in their lists."""
    receiver.statuses = [410]
    endpoint, _secret = posted(receiver)

    endpoint.refresh_from_db()

    assert endpoint.disabled_at is not None
    assert Alert.objects.filter(kind="endpoint.disabled").count() == 1
    raise_alert(news("two"), now=now())
    assert Delivery.objects.filter(endpoint=endpoint).count() == 1


def test_days_of_failure_switch_the_endpoint_off(receiver: Receiver) -> None:
    """What it was to get stays in its log."""
    receiver.statuses = [500, 500]
    endpoint, _secret = posted(receiver)
    Endpoint.objects.update(failing_since=now() - PATIENCE - timedelta(hours=1))
    later(minutes=1)

    work_through(endpoint.lane)

    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "Nothing could be delivered to it for five days."


def test_a_receiver_that_hangs_ends_at_the_deadline(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attempt says so; what else is due there waits for the next one."""
    monkeypatch.setattr(posting, "SECONDS", 0.2)
    receiver.hangs = threading.Event()
    endpoint, _secret = add_endpoint(url=receiver.url)
    for key in ("one", "two"):
        raise_alert(news(key), now=now())

    work_through(endpoint.lane)

    assert len(receiver.requests) == 1
    assert Attempt.objects.get().text == "No complete answer within 0 seconds."
    assert not Delivery.objects.due(now()).exists()


def test_of_receivers_that_fail_one_at_a_time_is_tried(receiver: Receiver) -> None:
    """However many hang, they hold one worker; who takes what comes waits for none of them."""
    failing, _secret = add_endpoint(url=receiver.url)
    well, _secret = add_endpoint(url=receiver.url)
    Endpoint.objects.filter(pk=failing.pk).update(failing_since=now())
    raise_alert(news(), now=now())

    with lane_of_ones_own(outbox.FAILING, now=now(), lasts=LEASE):
        for endpoint in (failing, well):
            work_through(endpoint.lane)
    assert [delivery.endpoint for delivery in Delivery.objects.filter(state="sent")] == [well]
    work_through(failing.lane)

    assert len(receiver.requests) == 2


def test_what_was_delivered_can_be_sent_again(receiver: Receiver) -> None:
    """By hand, with the same id."""
    endpoint, _secret = posted(receiver)

    redeliver_now(delivery=Delivery.objects.get(), now=now())
    work_through(endpoint.lane)

    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_two_workers_send_once(receiver: Receiver) -> None:
    """Whoever finds the lane taken leaves."""
    endpoint, _secret = add_endpoint(url=receiver.url)
    raise_alert(news(), now=now())

    with lane_of_ones_own(f"deliver:{endpoint.lane}", now=now(), lasts=LEASE):
        work_through(endpoint.lane)

    assert receiver.requests == []


def test_what_was_answered_but_not_noted_comes_again_with_its_id(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By which the receiver knows it: whoever dies between the answer and the commit sends twice."""
    endpoint, _secret = add_endpoint(url=receiver.url)
    raise_alert(news(), now=now())
    with monkeypatch.context() as dying:
        dying.setattr(outbox, "record_post", lambda *_outcome, **_more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            work_through(endpoint.lane)

    for _again in range(2):
        work_through(endpoint.lane)

    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_less_severe_alerts_are_left_out(receiver: Receiver) -> None:
    """As the endpoint was set."""
    add_endpoint(url=receiver.url, minimum=Severity.URGENT)
    raise_alert(news(), now=now())

    assert not Delivery.objects.exists()


def test_slack_gets_text_and_blocks(receiver: Receiver) -> None:
    """Unsigned, and without names that could become links."""
    endpoint, secret = add_endpoint(url=receiver.url, kind=Endpoint.Kind.SLACK)
    raise_alert(
        News(key="s", kind="test", severity=Severity.INFO, title="<!here> & co", sentences=("A.",), path="/"), now=now()
    )
    work_through(endpoint.lane)

    [request] = receiver.requests

    assert secret == ""
    assert json.loads(request.body)["text"] == "&lt;!here&gt; &amp; co\nA."
    assert "webhook-signature" not in request.headers


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.1/hook",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fec0::1]/",
        "http://example.com/",
        "https://user:secret@example.com/",
        "ftp://example.com/",
        "https://",
    ],
)
def test_addresses_that_are_not_public_are_refused(url: str) -> None:
    """When they are entered, where they show it; nothing is stored."""
    with pytest.raises(ValidationError):
        add_endpoint(url=url)

    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.1.1", "::1", "fd00::1", "0.0.0.0"])
def test_a_name_that_leads_to_a_private_address_is_refused_at_the_call(
    receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Also where another address of the name is public: nothing is connected to."""
    settings.ALLOW_PRIVATE_WEBHOOKS = False
    answers = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: answers)
    endpoint, _secret = add_endpoint(url="https://hooks.example.com/")
    raise_alert(news(), now=now())

    work_through(endpoint.lane)

    assert "not on the public internet" in Attempt.objects.get().text


def test_the_address_that_was_checked_is_the_one_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that resolves to something else a moment later changes nothing."""
    port = int(receiver.url.rpartition(":")[2].partition("/")[0])
    real = socket.getaddrinfo
    names: list[str] = []

    def answer(host: str, *arguments: Any, **options: Any) -> Any:
        names.append(host)
        return real("127.0.0.1" if host == "hooks.example.com" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    endpoint, _secret = add_endpoint(url=f"http://hooks.example.com:{port}/")
    raise_alert(news(), now=now())
    work_through(endpoint.lane)

    assert names.count("hooks.example.com") == 1
    assert receiver.requests[0].headers["host"] == f"hooks.example.com:{port}"


def test_what_a_killed_worker_held_is_sent_by_the_next(receiver: Receiver) -> None:
    """Its lease ends by itself, and the delivery goes out once."""
    endpoint, _secret = add_endpoint(url=receiver.url)
    raise_alert(news(), now=now())
    Lane.objects.create(name=f"deliver:{endpoint.lane}", claimed_until=now() + LEASE, claimed_by="killed")

    work_through(endpoint.lane)
    assert receiver.requests == []
    for _again in range(2):
        work_through(endpoint.lane, clock=lambda: now() + LEASE)

    assert len(receiver.requests) == 1


def test_addresses_and_secrets_follow_the_encryption_keys(receiver: Receiver, settings: Settings) -> None:
    """`rotate_encryption_keys` encrypts them anew, and what was encrypted with the old key is not needed any more."""
    endpoint, secret = add_endpoint(url=receiver.url)
    replaced = replace_secret(endpoint=endpoint, now=now())
    new_key = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new_key, *settings.ENCRYPTION_KEYS]

    [rotation] = [one for one in rotate_encryption_keys() if one.store == "Webhooks"]

    settings.ENCRYPTION_KEYS = [new_key]
    endpoint.refresh_from_db()
    assert rotation.rotated == 3
    assert (endpoint.url, endpoint.signing_secrets(now())) == (receiver.url, [replaced, secret])
