"""Posting an alert to an endpoint: one request, under one deadline, to the address that was checked."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from alerts.delivery import signing
from alerts.delivery.destinations import RefusedDestinationError, read_url, resolve
from alerts.delivery.messages import Message
from alerts.models import Endpoint
from core.secrets import KeyUnreadableError
from syncing.transport import DeadlineTransport

SECONDS = 15.0
# Of an answer's body nothing is used; so much of it is read, so that the connection ends in order.
_READ_BYTES = 16 * 1024
LARGEST_BODY = 20_000
_LONGEST_WAIT = 24 * 60 * 60


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt; ``text`` is for people."""

    succeeded: bool
    text: str
    status: int | None = None
    wants_wait: float = 0  # seconds, by Retry-After
    is_gone: bool = False  # the receiver wants nothing any more
    is_away: bool = False  # the mail server can't be reached, which says nothing of the mail


def post(endpoint: Endpoint, message: Message, *, message_id: str, now: datetime) -> Outcome:
    """Send ``message`` once. Whatever goes wrong is an outcome; nothing is raised for it."""
    deadline = time.monotonic() + SECONDS
    try:
        url = endpoint.url
        told = message.slack if endpoint.kind == Endpoint.Kind.SLACK else message.webhook
        body = json.dumps(told, ensure_ascii=False).encode()  # escapes would take three times as much
        headers = {"content-type": "application/json", "user-agent": "Administrate"}
        if endpoint.kind == Endpoint.Kind.WEBHOOK:
            headers |= signing.headers(
                message_id=message_id,
                timestamp=int(now.timestamp()),
                body=body,
                signed_with=endpoint.signing_secrets(now),
            )
        address = resolve(read_url(url), seconds=SECONDS)
        transport = DeadlineTransport(seconds=max(deadline - time.monotonic(), 0.001), address=address)
        with (
            httpx.Client(transport=transport, follow_redirects=False, trust_env=False, timeout=SECONDS) as client,
            client.stream("POST", url, content=body, headers=headers) as answer,
        ):
            for read, _chunk in enumerate(answer.iter_raw(_READ_BYTES)):
                if read:
                    break
            return _outcome(answer, now)
    except RefusedDestinationError as refusal:
        return Outcome(succeeded=False, text=str(refusal))
    except KeyUnreadableError:
        return Outcome(succeeded=False, text="The stored address can't be decrypted with the present ENCRYPTION_KEYS.")
    except httpx.TimeoutException:
        return Outcome(succeeded=False, text=f"No complete answer within {SECONDS:.0f} seconds.")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Outcome(succeeded=False, text=f"The connection failed ({type(error).__name__}).")


def _outcome(answer: httpx.Response, now: datetime) -> Outcome:
    status = answer.status_code
    if 200 <= status < 300:
        return Outcome(succeeded=True, text=f"Delivered: {status}.", status=status)
    if 300 <= status < 400:
        return Outcome(succeeded=False, text=f"{status}: redirects are not followed.", status=status)
    if status == httpx.codes.GONE:
        return Outcome(succeeded=False, text="410: the receiver is gone.", status=status, is_gone=True)
    wait = _retry_after(answer.headers.get("retry-after", ""), now)
    return Outcome(succeeded=False, text=f"The receiver answered {status}.", status=status, wants_wait=wait)


def _retry_after(text: str, now: datetime) -> float:
    """Seconds, from a number or a date; 0 where it is neither, a day at most."""
    if text.strip().isdecimal():
        return min(float(text.strip()[:9]), _LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0
    return min(max((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds(), 0), _LONGEST_WAIT)
