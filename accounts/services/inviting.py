"""Inviting people and letting them in. There is no other way to an account but the first admin's."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import INVITATION_LASTS, Invitation, Membership, Role
from accounts.services.members import describe_role
from core.audit import audit_event
from providers.models import Company


class InvitationOverError(Exception):
    """It was used, withdrawn, has expired or never existed; which of these is not disclosed."""


@transaction.atomic
def invite(
    *, role: Role, companies: Iterable[Company], email: str, invited_by: User, now: datetime
) -> tuple[Invitation, str]:
    """Make an invitation and return it with its token, which exists only here.

    Raises ValidationError when the e-mail address is a member's or invited already.
    """
    if email and User.objects.filter(email__iexact=email).exists():
        raise ValidationError("Somebody with this e-mail address is a member already.")
    if email and Invitation.objects.open(now).filter(email__iexact=email).exists():
        raise ValidationError("This e-mail address is invited already. Withdraw that invitation first.")
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        token_digest=_digest(token),
        email=email,
        role=role,
        invited_by=invited_by,
        created_at=now,
        expires_at=now + INVITATION_LASTS,
    )
    invitation.companies.set(companies if role == Role.COMPANY_VIEWER else [])
    audit_event(
        "member.invited",
        invitation,
        actor=invited_by,
        new=describe_role(role, invitation.companies.all()) | ({"email": email} if email else {}),
    )
    return invitation, token


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation) -> None:
    """Its link works no longer. An accepted one stays: it records how a member joined."""
    if invitation.accepted_at is None:
        audit_event("member.invitation_withdrawn", invitation, old={"email": invitation.email})
        invitation.delete()


def find_invitation(*, token: str, now: datetime) -> Invitation:
    """The open invitation of a link; raises InvitationOverError."""
    invitation = Invitation.objects.open(now).filter(token_digest=_digest(token)).first()
    if invitation is None:
        raise InvitationOverError
    return invitation


@transaction.atomic
def accept_invitation(*, invitation: Invitation, username: str, password: str | None, now: datetime) -> User:
    """Make the account. Without a password only single sign-on opens it.

    Raises InvitationOverError when the same link was used at the same time: then there is no second account.
    """
    maker = Membership.objects.select_for_update().active_admins().filter(user=invitation.invited_by_id)
    if maker.first() is None:  # lost the role; a concurrent change of it is serialised by the lock
        raise InvitationOverError
    user = User(username=username, email=invitation.email)
    user.is_staff = user.is_superuser = invitation.role == Role.ADMIN
    user.set_password(password)
    user.save()
    if not Invitation.objects.unused(now).filter(pk=invitation.pk).update(accepted_at=now, accepted_by=user):
        raise InvitationOverError
    membership, _made = Membership.objects.update_or_create(user=user, defaults={"role": invitation.role})
    membership.companies.set(invitation.companies.all())
    audit_event("member.joined", user, actor=user, new=describe_role(invitation.role, membership.companies.all()))
    user.refresh_from_db()
    return user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
