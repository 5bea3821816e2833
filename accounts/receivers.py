"""Receivers of signals of other apps: a new user's role, and audit entries about signing in."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.account.authentication import get_authentication_records
from allauth.mfa import signals as second_factor
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_save
from django.http import HttpRequest

from accounts.audit.recording import record
from accounts.confirming import date_single_sign_on
from accounts.models import Membership, PasswordLink, Role
from accounts.names import name_key
from accounts.services.members import end_sessions
from accounts.sessions import remember_browser
from core.audit import audit_event, audit_signal


def connect() -> None:
    audit_signal.connect(record, dispatch_uid="accounts.audit")
    post_save.connect(give_role, sender=User, dispatch_uid="accounts")
    user_logged_in.connect(remember_browser, dispatch_uid="accounts")
    account.user_logged_in.connect(date_single_sign_on, dispatch_uid="accounts.confirming")
    account.user_logged_in.connect(record_sign_in, dispatch_uid="accounts")
    user_logged_out.connect(record_sign_out, dispatch_uid="accounts")
    account.password_changed.connect(record_password_change, dispatch_uid="accounts")
    second_factor.authenticator_added.connect(record_factor_added, dispatch_uid="accounts")
    second_factor.authenticator_removed.connect(record_factor_removed, dispatch_uid="accounts")
    second_factor.authenticator_reset.connect(record_new_codes, dispatch_uid="accounts")


def give_role(instance: User, *, created: bool, update_fields: Any = None, **_signal: Any) -> None:
    """A new user is an Admin if it is a superuser, else a Viewer; who becomes a superuser becomes an Admin.

    Raises IntegrityError where another user has the name in another spelling.
    """
    key = name_key(instance.username)
    if created:
        role = Role.ADMIN if instance.is_superuser else Role.VIEWER
        Membership.objects.get_or_create(user=instance, defaults={"role": role, "name_key": key})
        return
    if update_fields is None or "username" in update_fields:
        Membership.objects.filter(user=instance).exclude(name_key__in=[key, instance.username]).update(name_key=key)
    if instance.is_superuser and (update_fields is None or "is_superuser" in update_fields):
        Membership.objects.update_or_create(
            user=instance, defaults={"role": Role.ADMIN}, create_defaults={"role": Role.ADMIN, "name_key": key}
        )


def record_sign_in(request: HttpRequest, user: User, **_signal: Any) -> None:
    by = [str(record.get("type") or record["method"]) for record in get_authentication_records(request, user)]
    audit_event("session.signed_in", user, actor=user, new={"by": by})


def record_sign_out(user: User | None, **_signal: Any) -> None:
    if user is not None:
        audit_event("session.signed_out", user, actor=user)


def record_password_change(request: HttpRequest, user: User, **_signal: Any) -> None:
    """End the person's other sessions, which began with the old password; a new second factor ends them likewise.

    A link to a new password has no use any more, whoever holds it.
    """
    audit_event("password.changed", user, actor=user)
    PasswordLink.objects.filter(user=user).delete()
    end_sessions(user=user, but=request.session.session_key)


def record_factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    """The recovery codes that come with a first factor are no news of their own."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        audit_event("two_factor.enabled", user, actor=user, new={"type": authenticator.type})
        end_sessions(user=user, but=request.session.session_key)


def record_factor_removed(user: User, authenticator: Authenticator, **_signal: Any) -> None:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        audit_event("two_factor.disabled", user, actor=user, old={"type": authenticator.type})


def record_new_codes(user: User, **_signal: Any) -> None:
    audit_event("two_factor.recovery_codes_made", user, actor=user)
