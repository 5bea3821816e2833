"""Writing the audit log: what core.audit.audit_event() says becomes an entry, in the transaction it is part of.

Who acted is the person of the present request, unless the event names one; where there is no request it was a
command or a task. Commands that only read, exports among them, are not recorded: they must work where nothing can be
written, and a person with a shell can read the database anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from celery import current_task
from django.contrib.auth.models import User
from django.db.models import Count, Model, Q
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts.addresses import UNKNOWN, client_address
from accounts.audit.models import AuditEntry
from accounts.audit.summing import count_unrecorded
from core import log_context
from core.secrets import MASK, mask_secrets

# Who acted where it was no person; no username has a blank.
ITSELF = "Administrate itself"
COMMAND_LINE = "Command line"
NOT_SIGNED_IN = "Not signed in"

# How much of a value is kept: an entry is read by people, and must not become a way to fill the disk.
LONGEST_TEXT = 300
LONGEST_LIST = 50

# The one kind of entry that a request without a sign-in can cause: at most so many an hour for each step of signing in.
# Further ones are summed up (accounts.audit.summing).
FAILED = "session.sign_in_failed"
FAILURES_AN_HOUR = 100
FAILURES_AN_HOUR_BY_ADDRESS = 10
NOT_RECORDED = "summed up at the end of the hour"

# What never belongs into an event, and is masked if it gets there all the same.
_SECRET_FIELDS = frozenset(
    {"api_key", "encrypted_key", "key_fingerprint", "password", "secret", "token", "token_digest", "codes", "seed"}
)

# On a request that an API token made: the token's name and public id, which its acts are recorded with.
TOKEN_ATTRIBUTE = "acting_token"  # noqa: S105 - a name

_request: ContextVar[HttpRequest | None] = ContextVar("present_request", default=None)


def remember_request(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The middleware that knows the present request. Belongs behind AuthenticationMiddleware, before whatever acts."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        token = _request.set(request)
        try:
            return get_response(request)
        finally:
            _request.reset(token)

    return middleware


def record(
    *,
    action: str,
    target: Model | str,
    actor: User | None,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    **_signal: Any,
) -> None:
    """Store an event, except the failed sign-ins of a flood, which are counted."""
    now = timezone.now()
    request = _request.get()
    address = _address(request)
    if action == FAILED:
        step = str(new.get("step", ""))
        room = _room_for_failures(address, step, now)
        if room <= 0:
            count_unrecorded(step=step, address=address)
            return
        if room == 1:
            new = {**new, "further_failures": NOT_RECORDED}
    actor = actor or _person(request)
    if token := getattr(request, TOKEN_ATTRIBUTE, ""):
        new = {**new, "api_token": token}
    AuditEntry.objects.create(
        at=now,
        actor=actor,
        actor_name=mask_secrets(actor.get_username()) if actor else _without_a_person(request),
        address=address,
        request_id=log_context.request_id.get(),
        action=action,
        target_type="" if isinstance(target, str) else target._meta.model_name or "",
        target_id=None if isinstance(target, str) else target.pk,
        target_name=_text(str(target)),
        old=safe(old),
        new=safe(new),
    )


def safe(value: Any) -> Any:
    """``value`` as JSON holds it, without anything that is or looks like a secret, and of a bounded size."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(name): MASK if name in _SECRET_FIELDS else safe(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [safe(inner) for inner in list(value)[:LONGEST_LIST]]
    return _text(str(value))


def _text(text: str) -> str:
    """Masked before it is cut: half a key would not look like one."""
    text = mask_secrets(text.replace("\0", ""))
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _person(request: HttpRequest | None) -> User | None:
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None


def _without_a_person(request: HttpRequest | None) -> str:
    if request is not None:
        return NOT_SIGNED_IN
    return ITSELF if current_task else COMMAND_LINE


def _address(request: HttpRequest | None) -> str:
    address = client_address(request) if request is not None else ""
    return "" if address == str(UNKNOWN) else address[:64]


def _room_for_failures(address: str, step: str, now: datetime) -> int:
    """How many more failed sign-ins may be recorded now."""
    recorded = AuditEntry.objects.filter(action=FAILED, at__gt=now - timedelta(hours=1), new__step=step).aggregate(
        everywhere=Count("pk"), here=Count("pk", filter=Q(address=address))
    )
    everywhere, here = int(recorded["everywhere"]), int(recorded["here"])
    return min(FAILURES_AN_HOUR - everywhere, FAILURES_AN_HOUR_BY_ADDRESS - here)
