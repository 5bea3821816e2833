"""Changing what people may do. Callers have been authorised by accounts.access already."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Membership, Role, Session
from accounts.sessions import digest
from core.audit import audit_event
from providers.models import Company


class LastAdminError(ValidationError):
    """The last active Admin stays one: without any, it could not be undone."""

    def __init__(self) -> None:
        super().__init__("This is the last active Admin. Make somebody else an Admin first.")


@transaction.atomic
def change_role(*, user: User, role: Role, companies: Iterable[Company] = ()) -> None:
    """Give ``user`` the role, in force from the next request on; raises LastAdminError.

    ``companies`` are what a Company viewer sees; every other role has none of its own.
    """
    membership = _lock(user, keeps_admin=role == Role.ADMIN)
    old = describe_role(membership.role, membership.companies.all())
    membership.role = role
    membership.save(update_fields=["role"])
    membership.companies.set(companies if role == Role.COMPANY_VIEWER else [])
    user.is_staff = user.is_superuser = role == Role.ADMIN
    user.save(update_fields=["is_staff", "is_superuser"])
    new = describe_role(role, membership.companies.all())
    if new != old:
        audit_event("member.role_changed", user, old=old, new=new)


@transaction.atomic
def deactivate_member(*, user: User) -> None:
    """Keep ``user`` out, from now on and in every browser; raises LastAdminError. Their role waits for them."""
    _lock(user)
    if user.is_active:
        user.is_active = False
        user.save(update_fields=["is_active"])
        audit_event("member.deactivated", user)
    end_sessions(user=user)


@transaction.atomic
def reactivate_member(*, user: User) -> None:
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
        audit_event("member.reactivated", user)


@transaction.atomic
def remove_member(*, user: User) -> None:
    """Delete the person with role, sessions and second factors; raises LastAdminError. What they did stays."""
    _lock(user)
    end_sessions(user=user)
    audit_event("member.removed", user, old={"username": user.get_username()})
    user.delete()


@transaction.atomic
def reset_two_factor(*, user: User) -> None:
    """For who has lost phone and recovery codes: the password alone signs in again."""
    deleted, _by_model = Authenticator.objects.filter(user=user).delete()
    if deleted:
        audit_event("two_factor.reset", user)
    end_sessions(user=user)


@transaction.atomic
def unlink_single_sign_on(*, user: User) -> None:
    """Forget with which account they sign in there: the next one with the address of their invitation is linked."""
    deleted, _by_model = SocialAccount.objects.filter(user=user).delete()
    if deleted:
        audit_event("member.single_sign_on_unlinked", user)
    end_sessions(user=user)


def end_sessions(*, user: User, but: str | None = None) -> int:
    """Sign ``user`` out of every browser, except the session whose key is ``but``; returns out of how many."""
    sessions = Session.objects.filter(user=user)
    ended, _by_model = (sessions.exclude(pk=digest(but)) if but else sessions).delete()
    return ended


def describe_role(role: str, companies: Iterable[Company]) -> dict[str, object]:
    """For the audit log."""
    names = sorted(company.name for company in companies)
    return {"role": Role(role).label} | ({"companies": names} if names else {})


def _lock(user: User, *, keeps_admin: bool = False) -> Membership:
    """The membership, and the promise that an active Admin is left after this transaction.

    All active Admins are locked in the same order: of two who demote each other at once, the second waits and then
    finds itself the last. (On SQLite the whole transaction waits: settings.py begins each with the write lock.)
    """
    admins = list(Membership.objects.select_for_update().select_related("user").active_admins().order_by("pk"))
    if not keeps_admin and [admin.user_id for admin in admins] == [user.pk]:
        raise LastAdminError
    return Membership.objects.get(user=user)
