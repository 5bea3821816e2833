"""Working through what waits to be sent: one lane per receiver, so that one that hangs delays nobody else.

A delivery is a row that was committed together with its alert. Whoever works through a lane holds its lease; sending
the same one twice needs a worker that dies between the receiver's answer and the commit, and then has the same id.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from alerts.delivery.mail import send_mails
from alerts.delivery.messages import Message
from alerts.delivery.posting import Outcome, post
from alerts.lanes import lane_of_ones_own
from alerts.models import Attempt, Delivery, Endpoint
from alerts.models.delivery import MAIL_LANE
from alerts.queue import hand_over, hand_over_after_commit
from alerts.services.endpoints import disable_endpoint
from core.days import utc_now

# Waits after the first, second, … failed attempt, as Standard Webhooks recommends; then it is given up.
WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
# Of each wait up to so much is added by chance, so that not everybody comes back at once.
JITTER = 0.2
# An endpoint at which nothing succeeded for so long is switched off.
PATIENCE = timedelta(days=5)
# A mail server that is away is asked again after so long, for ever; a mail that it refuses, so often.
MAIL_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60))
MAIL_TRIES = 5

LEASE = timedelta(minutes=3)
# After so long others get the worker; the sweep goes on.
LONGEST_TURN = 60.0
MAILS_AT_ONCE = 50
# Of receivers that fail one at a time is tried: however many hang, they hold one worker.
FAILING = "deliver:failing"

Clock = Callable[[], datetime]


def send_waiting(*, now: datetime) -> None:
    """Hand over every lane in which something is due: lost with a queue or a worker, or due again only now."""
    due = Delivery.objects.due(now).filter(endpoint__disabled_at=None)  # mails have no endpoint
    hand_over(list(due.order_by("lane").values_list("lane", flat=True).distinct()))


def work_through(lane: str, *, clock: Clock = utc_now) -> None:
    """Send what is due in ``lane``, oldest first, until one fails; nothing where another worker is at it."""
    with lane_of_ones_own(f"deliver:{lane}", now=clock(), lasts=LEASE) as is_ours:
        if not is_ours:
            return
        if lane == MAIL_LANE:
            _send_due_mails(clock)
        elif not Delivery.objects.due(clock()).filter(lane=lane).exclude(endpoint__failing_since=None).exists():
            _post_due(lane, clock)
        else:
            with lane_of_ones_own(FAILING, now=clock(), lasts=LEASE) as is_only_one:
                if is_only_one:
                    _post_due(lane, clock)


# --- Webhooks ---------------------------------------------------------------------------------------------------------


def _post_due(lane: str, clock: Clock) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < LONGEST_TURN:
        due = Delivery.objects.due(clock()).filter(lane=lane, endpoint__disabled_at=None)
        delivery = due.select_related("alert", "endpoint").first()
        if delivery is None or delivery.endpoint is None:
            return
        asked = time.monotonic()
        now = clock()
        outcome = post(delivery.endpoint, Message(delivery.alert), message_id=delivery.message_id, now=now)
        took = int((time.monotonic() - asked) * 1000)
        record_post(delivery, delivery.endpoint, outcome, now=now, took_ms=took)
        if not outcome.succeeded:
            return


@transaction.atomic
def record_post(delivery: Delivery, endpoint: Endpoint, outcome: Outcome, *, now: datetime, took_ms: int) -> None:
    """What came of an attempt, and when there is another one."""
    _note_attempt(delivery, outcome, now=now, took_ms=took_ms)
    if outcome.succeeded:
        _done(delivery, Delivery.State.SENT, now)
        Endpoint.objects.filter(pk=endpoint.pk).exclude(failing_since=None).update(failing_since=None)
        return
    Endpoint.objects.filter(pk=endpoint.pk, failing_since=None).update(failing_since=now)
    delivery.tries += 1
    if outcome.is_gone:
        _done(delivery, Delivery.State.FAILED, now)
        disable_endpoint(endpoint=endpoint, reason="It answered 410: it wants no more alerts.", now=now)
        return
    if delivery.tries > len(WAITS):
        _done(delivery, Delivery.State.FAILED, now)
    else:
        wait = WAITS[delivery.tries - 1] * (1 + JITTER * random.random())  # noqa: S311 - spreads load, hides nothing
        again = now + max(wait, timedelta(seconds=outcome.wants_wait))
        # What else is due there would fail alike, and need the same time for it.
        Delivery.objects.due(now).filter(lane=delivery.lane).exclude(pk=delivery.pk).update(not_before=again)
        Delivery.objects.filter(pk=delivery.pk).update(tries=delivery.tries, not_before=again)
        if again - now < timedelta(minutes=1):
            hand_over_after_commit([delivery.lane], countdown=(again - now).total_seconds())
    if endpoint.failing_since and now - endpoint.failing_since > PATIENCE:
        disable_endpoint(endpoint=endpoint, reason="Nothing could be delivered to it for five days.", now=now)


def _note_attempt(delivery: Delivery, outcome: Outcome, *, now: datetime, took_ms: int) -> None:
    Attempt.objects.create(
        delivery=delivery,
        at=now,
        succeeded=outcome.succeeded,
        status=outcome.status,
        text=outcome.text[:300],
        took_ms=took_ms,
    )


def _done(delivery: Delivery, state: Delivery.State, now: datetime) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(state=state, done_at=now, tries=delivery.tries)


# --- Mail -------------------------------------------------------------------------------------------------------------


def _send_due_mails(clock: Clock) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < LONGEST_TURN:
        due = Delivery.objects.due(clock()).filter(lane=MAIL_LANE)
        batch = list(due.select_related("alert__company", "user__alert_preferences")[:MAILS_AT_ONCE])
        if not batch:
            return
        for delivery, outcome, took_ms in send_mails(batch):
            now = clock()
            _record_mail(delivery, outcome, now=now, took_ms=took_ms)
            if outcome.is_away:
                again = now + MAIL_WAITS[min(delivery.tries, len(MAIL_WAITS)) - 1]
                Delivery.objects.due(now).filter(lane=MAIL_LANE).update(not_before=again)
                return


@transaction.atomic
def _record_mail(delivery: Delivery, outcome: Outcome, *, now: datetime, took_ms: int) -> None:
    _note_attempt(delivery, outcome, now=now, took_ms=took_ms)
    if outcome.succeeded:
        _done(delivery, Delivery.State.SENT, now)
        return
    delivery.tries += 1
    if delivery.tries >= MAIL_TRIES and not outcome.is_away:
        _done(delivery, Delivery.State.FAILED, now)
        return
    again = now + MAIL_WAITS[min(delivery.tries, len(MAIL_WAITS)) - 1]
    tries = min(delivery.tries, 1000)
    Delivery.objects.filter(pk=delivery.pk).update(tries=tries, not_before=again)
