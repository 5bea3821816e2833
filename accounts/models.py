"""People: what each may do here, and the invitations by which they come in. Sign-in itself is django-allauth's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.contrib.auth.models import User
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone

from accounts.audit.models import AuditEntry as AuditEntry
from accounts.sessions import SessionStore
from providers.models import Company

INVITATION_LASTS = timedelta(days=7)
PASSWORD_LINK_LASTS = timedelta(hours=24)


class Role(models.TextChoices):
    """What a person may do; accounts.access says what each includes."""

    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"
    VIEWER = "viewer", "Viewer"
    COMPANY_VIEWER = "company_viewer", "Company viewer"


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active_admins(self) -> Self:
        return self.filter(role=Role.ADMIN, user__is_active=True)


class Membership(models.Model):
    """A person's role. Every user has one from the moment it is saved; a user without one may do nothing."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="membership")
    name_key = models.CharField(
        max_length=450, unique=True, help_text="The username in whatever spelling; accounts.names makes it."
    )
    role = models.CharField(max_length=20, choices=Role.choices)
    companies = models.ManyToManyField(
        Company, blank=True, related_name="+", help_text="What a Company viewer sees; nothing for every other role."
    )
    saved_views = models.JSONField(
        default=list, blank=True, editable=False, help_text="Named addresses; accounts.saved_views reads and writes it."
    )
    two_factor_due_at = models.DateTimeField(
        null=True, help_text="Until when a second factor has to be set up; begins under REQUIRE_TWO_FACTOR."
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),)

    def __str__(self) -> str:
        return f"{self.user.get_username()} ({self.get_role_display()})"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self, now: datetime) -> Self:
        """Unused invitations that still work: an invitation is void once its maker is no active Admin any more."""
        return self.unused(now).filter(invited_by__is_active=True, invited_by__membership__role=Role.ADMIN)

    def unused(self, now: datetime) -> Self:
        return self.filter(accepted_at=None, expires_at__gt=now)


class Invitation(models.Model):
    """A way in, for one person, once. The link's token is not stored: only its digest is."""

    token_digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, hexadecimal.")
    email = models.EmailField(blank=True, help_text="By which single sign-on knows the person.")
    role = models.CharField(max_length=20, choices=Role.choices)
    companies = models.ManyToManyField(Company, blank=True, related_name="+")
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    # Removing a person removes the invitation too: it must not let them back in.
    accepted_by = models.OneToOneField(User, null=True, on_delete=models.CASCADE, related_name="invitation")

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints = (
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_known"),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None, accepted_by=None)
                | models.Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="invitation_accepted_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_role_display()} invited on {self.created_at:%Y-%m-%d}"


class PasswordLink(models.Model):
    """A way to a new password, once; there is one link per person. Its token is not stored: only its digest is."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="password_link")
    token_digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, hexadecimal.")
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"For {self.user.get_username()} until {self.ends_at:%Y-%m-%d %H:%M}"


class Session(AbstractBaseSession):
    """A browser, and who is signed in there. accounts.sessions reads and writes it."""

    session_key = models.CharField(max_length=64, primary_key=True, help_text="A digest of what the cookie holds.")
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    address = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    began_at = models.DateTimeField(null=True, help_text="When the person signed in.")

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore
