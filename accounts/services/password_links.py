"""Letting a member choose a new password, by a link that an Admin hands over: no mail server is needed."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import PASSWORD_LINK_LASTS, PasswordLink, Role
from accounts.services.members import end_sessions
from core.audit import audit_event


class PasswordLinkOverError(Exception):
    """It was used, replaced, has expired or never existed; which of these is not disclosed."""


@transaction.atomic
def make_password_link(*, user: User, made_by: User, now: datetime) -> tuple[PasswordLink, str]:
    """Make a link and return it with its token, which exists only here. One that was made before works no longer.

    Raises ValidationError for who has no password, or may not sign in.
    """
    if not user.is_active or not user.has_usable_password():
        raise ValidationError("Only who signs in with a password can get a link to a new one.")
    token = secrets.token_urlsafe(32)
    link, _made = PasswordLink.objects.update_or_create(
        user=user,
        defaults={"token_digest": _digest(token), "made_by": made_by, "ends_at": now + PASSWORD_LINK_LASTS},
    )
    audit_event("member.password_link_made", user, actor=made_by)
    return link, token


def find_password_link(*, token: str, now: datetime) -> PasswordLink:
    """The link, unless its maker is no active Admin any more; raises PasswordLinkOverError."""
    link = _open(token, now).select_related("user").first()
    if link is None:
        raise PasswordLinkOverError
    return link


@transaction.atomic
def use_password_link(*, token: str, password: str, now: datetime) -> User:
    """Set the password, and sign the person out everywhere. Second factors stay.

    Raises PasswordLinkOverError, also when the same link was used at the same time.
    """
    link = find_password_link(token=token, now=now)
    deleted, _by_model = _open(token, now).delete()
    if not deleted:
        raise PasswordLinkOverError
    user = link.user
    user.set_password(password)
    user.save(update_fields=["password"])
    end_sessions(user=user)
    audit_event("password.reset", user, actor=user)
    return user


def _open(token: str, now: datetime) -> QuerySet[PasswordLink]:
    return PasswordLink.objects.filter(
        token_digest=_digest(token),
        ends_at__gt=now,
        user__is_active=True,
        made_by__is_active=True,
        made_by__membership__role=Role.ADMIN,
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
