"""Adding, changing and switching off the endpoints that alerts are posted to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from alerts.delivery.destinations import RefusedDestinationError, read_url
from alerts.delivery.signing import new_secret
from alerts.models import Delivery, Endpoint, Severity
from alerts.queue import hand_over_after_commit
from alerts.services.raising import News, raise_alert
from core.audit import audit_event
from core.secrets import ApiKey, encrypt
from providers.services.rotating import StoredToken

# How long a secret that was replaced signs as well.
OVERLAP = timedelta(days=1)
MOST_ENDPOINTS = 50


@transaction.atomic
def add_endpoint(
    *, url: str, kind: Endpoint.Kind = Endpoint.Kind.WEBHOOK, minimum: int = Severity.INFO, made_by: User | None = None
) -> tuple[Endpoint, str]:
    """The endpoint and its secret, which is shown once; of Slack, which knows none, an empty one.

    Raises ValidationError, by field.
    """
    url = url.strip()
    try:
        destination = read_url(url)
    except RefusedDestinationError as refusal:
        raise ValidationError({"url": str(refusal)}) from None
    if Endpoint.objects.count() >= MOST_ENDPOINTS:
        raise ValidationError({"url": f"There are {MOST_ENDPOINTS} already: delete one first."})
    secret = new_secret() if kind == Endpoint.Kind.WEBHOOK else ""
    endpoint = Endpoint(
        kind=kind,
        host=_shown(destination.host, destination.port),
        encrypted_url=encrypt(ApiKey(url)),
        encrypted_secret=encrypt(ApiKey(secret)) if secret else "",
        minimum=minimum,
    )
    endpoint.save()
    audit_event("endpoint.added", str(endpoint), actor=made_by, new=_facts(endpoint))
    return endpoint, secret


@transaction.atomic
def replace_secret(*, endpoint: Endpoint, now: datetime, made_by: User | None = None) -> str:
    """A new secret, shown once; for a day the one before signs as well, so that nothing is refused meanwhile."""
    secret = new_secret()
    endpoint.encrypted_previous_secret = endpoint.encrypted_secret
    endpoint.previous_until = now + OVERLAP
    endpoint.encrypted_secret = encrypt(ApiKey(secret))
    endpoint.save(update_fields=["encrypted_previous_secret", "previous_until", "encrypted_secret"])
    audit_event("endpoint.secret_replaced", str(endpoint), actor=made_by)
    return secret


@transaction.atomic
def enable_endpoint(*, endpoint: Endpoint, now: datetime, made_by: User | None = None) -> None:
    """Switch it on again; what waited for it meanwhile is sent now."""
    Endpoint.objects.filter(pk=endpoint.pk).update(disabled_at=None, disabled_reason="", failing_since=None)
    endpoint.deliveries.filter(state="waiting").update(not_before=now)
    audit_event("endpoint.enabled", str(endpoint), actor=made_by)
    hand_over_after_commit([endpoint.lane])


@transaction.atomic
def disable_endpoint(
    *, endpoint: Endpoint, reason: str = "", now: datetime, made_by: User | None = None, by_itself: bool = True
) -> None:
    """Post nothing to it any more; where it came to that by itself, people are told."""
    if not Endpoint.objects.filter(pk=endpoint.pk, disabled_at=None).update(disabled_at=now, disabled_reason=reason):
        return
    audit_event("endpoint.disabled", str(endpoint), actor=made_by, new={"reason": reason} if reason else {})
    if by_itself:
        raise_alert(
            News(
                key=f"endpoint.disabled:{endpoint.pk}:{now.isoformat()}",
                kind="endpoint.disabled",
                severity=Severity.WARNING,
                title=f"Alerts are no longer posted to {endpoint.host}",
                sentences=(reason, "Switch it on again in Settings once its receiver works."),
                path=reverse("notifications:endpoints"),
            ),
            now=now,
        )


@transaction.atomic
def delete_endpoint(*, endpoint: Endpoint, made_by: User | None = None) -> None:
    """With its log; nothing that waits for it is sent."""
    audit_event("endpoint.deleted", str(endpoint), actor=made_by, old=_facts(endpoint))
    endpoint.delete()


def _facts(endpoint: Endpoint) -> dict[str, str]:
    return {"minimum": str(Severity(endpoint.minimum).label)}


def _shown(host: str, port: int) -> str:
    return host if port in (80, 443) else f"{host}:{port}"


@transaction.atomic
def redeliver_now(*, delivery: Delivery, now: datetime) -> None:
    """Send it once more, with the same id, and with as many tries as a new one."""
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.WAITING, not_before=now, tries=0, done_at=None)
    hand_over_after_commit([delivery.lane])


def stored_secrets() -> Iterator[StoredToken]:
    """For rotating ENCRYPTION_KEYS: every address and secret of every endpoint."""
    for endpoint in Endpoint.objects.all():
        for name in ("encrypted_url", "encrypted_secret", "encrypted_previous_secret"):
            token = getattr(endpoint, name)

            def replace(new: str, pk: int = endpoint.pk, name: str = name, old: str = token) -> bool:
                return Endpoint.objects.filter(pk=pk, **{name: old}).update(**{name: new}) == 1

            if token:
                yield StoredToken(f"the webhook at {endpoint.host}", token, replace)
