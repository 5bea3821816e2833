"""The test alert: a real alert to everybody who would get one, delivered at once, with what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.urls import reverse

from alerts.delivery.outbox import work_through
from alerts.models import Alert, Delivery, Severity
from alerts.services.raising import News, raise_alert
from core.audit import audit_event
from core.wording import moment


@dataclass(frozen=True)
class Result:
    """What came of the latest attempt at one receiver."""

    receiver: str
    text: str
    failed: bool


def raise_test_alert(*, now: datetime, sent_by: User | None = None) -> Alert | None:
    """Raise it; what it puts into the outbox is handed over after the commit, as of every alert."""
    alert = raise_alert(
        News(
            key=f"test:{now.isoformat()}",
            kind="test",
            severity=Severity.WARNING,
            title="This is a test alert",
            sentences=("Somebody asked for it, to see that alerts arrive. Nothing has happened.",),
            path=reverse("alerts:list"),
        ),
        now=now,
    )
    audit_event("alert.test_sent", "alerts", actor=sent_by)
    return alert


def send_test_alert(*, now: datetime) -> list[Result]:
    """Raise it and work through its lanes in this process; what waits there goes out as well."""
    alert = raise_test_alert(now=now)
    deliveries = Delivery.objects.filter(alert=alert)
    for lane in sorted(set(deliveries.values_list("lane", flat=True))):
        work_through(lane)
    sent = deliveries.select_related("endpoint", "user").prefetch_related("attempts")
    return [_result(delivery) for delivery in sent]


def _result(delivery: Delivery) -> Result:
    attempt = next(iter(delivery.attempts.all()), None)
    receiver = str(delivery.endpoint) if delivery.endpoint else f"Mail to {delivery.user}"
    if delivery.state == Delivery.State.SENT:
        return Result(receiver, attempt.text if attempt else "Delivered.", failed=False)
    if attempt is None:
        return Result(receiver, f"Waits until {moment(delivery.not_before)} UTC.", failed=False)
    return Result(receiver, attempt.text, failed=True)
