"""Who must have a second factor (REQUIRE_TWO_FACTOR), and how long they have to set one up.

The time begins with a person's first visit under the rule, and is kept on their membership. People who
signed in by single sign-on are exempt: there the identity provider is responsible for a second factor.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.access import membership_of
from accounts.models import Membership, Role

# Under which the door leaves it on a request, for the pages.
ENROLMENT_ATTRIBUTE = "enrolment"


@dataclass(frozen=True)
class Enrolment:
    """What a person still has to do: until ``due_at`` they are reminded, then no other page opens."""

    due_at: datetime
    is_due: bool


def second_factors() -> QuerySet[Authenticator]:
    """Authenticator apps and passkeys; recovery codes only come with them."""
    factors: QuerySet[Authenticator] = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES)
    return factors


def is_required_of(membership: Membership) -> bool:
    return settings.REQUIRE_TWO_FACTOR == "all" or (
        settings.REQUIRE_TWO_FACTOR == "admins" and membership.role == Role.ADMIN
    )


def enrolment_of(request: HttpRequest) -> Enrolment | None:
    """None for who has a second factor, needs none, or signed in by single sign-on."""
    user = request.user
    membership = membership_of(user)
    if not isinstance(user, User) or membership is None or not is_required_of(membership):
        return None
    if any(record["method"] == "socialaccount" for record in get_authentication_records(request, user)):
        return None
    if second_factors().filter(user=user).exists():
        return None
    now = timezone.now()
    due_at = membership.two_factor_due_at or _begin(membership, now)
    return Enrolment(due_at, is_due=due_at <= now)


def is_overdue(user: User, now: datetime) -> bool:
    """Whether nothing but setting up a second factor would open to ``user``, who signs in with a password."""
    membership = membership_of(user)
    if membership is None or not is_required_of(membership) or not user.has_usable_password():
        return False
    due_at = membership.two_factor_due_at
    return due_at is not None and due_at <= now and not second_factors().filter(user=user).exists()


def note_of(person: User, *, has_two_factor: bool) -> str:
    """What Settings → Members says beside a second factor that is missing."""
    if has_two_factor:
        return ""
    if not person.has_usable_password():
        return "Signs in by single sign-on"
    membership = membership_of(person)
    if membership is None or not is_required_of(membership):
        return ""
    due_at = membership.two_factor_due_at
    return f"Needed by {due_at:%-d %b %Y}" if due_at else "Needed from the next visit on"


def _begin(membership: Membership, now: datetime) -> datetime:
    due_at = now + timedelta(days=settings.REQUIRE_TWO_FACTOR_GRACE_DAYS)
    # A database that takes no changes still shows its pages.
    with contextlib.suppress(DatabaseError), transaction.atomic():
        Membership.objects.filter(pk=membership.pk, two_factor_due_at=None).update(two_factor_due_at=due_at)
    return due_at
