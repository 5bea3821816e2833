"""Making the first user, an Admin, who invites the others."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from administrate.hopeless import flaw_of_first_password
from core.audit import audit_event


@dataclass(frozen=True)
class FirstAdmin:
    username: str
    generated_password: str | None  # None: it was taken from ADMIN_PASSWORD


class WeakPasswordError(Exception):
    """ADMIN_PASSWORD is plainly hopeless; the text says why, and nothing of what it is."""


def create_first_admin() -> FirstAdmin | None:
    """Make the first admin and say how to sign in; None when there is a user already. Raises WeakPasswordError."""
    if User.objects.exists():
        return None
    if settings.ADMIN_PASSWORD and not settings.DEBUG:
        flaw = flaw_of_first_password(settings.ADMIN_PASSWORD, username=settings.ADMIN_USERNAME)
        if flaw:
            raise WeakPasswordError(flaw)
    generated = None if settings.ADMIN_PASSWORD else secrets.token_urlsafe(12)
    try:
        with transaction.atomic():
            admin = User.objects.create_superuser(
                username=settings.ADMIN_USERNAME, email="", password=generated or settings.ADMIN_PASSWORD
            )
            audit_event("member.created", admin, new={"role": "Admin"})
    except IntegrityError:  # another machine, started at the same time, was first
        return None
    return FirstAdmin(settings.ADMIN_USERNAME, generated)
