"""What people choose to be told, for themselves and – Admins – for Company viewers."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from alerts.models import Preferences, Subscription
from core.audit import audit_event
from providers.models import Company

_MINIMUMS = dict(Subscription.MINIMUMS)


@transaction.atomic
def save_preferences(*, preferences: Preferences) -> None:
    """The addresses of people stay out of the audit log."""
    stored = Preferences.objects.filter(pk=preferences.pk).first()
    old, new = _facts(stored) if stored else {}, _facts(preferences)
    preferences.save()
    changed = [name for name in new if new[name] != old.get(name)]
    audit_event(
        "notifications.changed",
        preferences.user,
        old={name: old[name] for name in changed if name in old},
        new={name: new[name] for name in changed},
    )


@transaction.atomic
def subscribe(*, user: User, company: Company, minimum: int, made_by: User | None) -> None:
    """Tell ``user`` of this company from ``minimum`` on, whatever they chose of everything else."""
    stored = Subscription.objects.filter(user=user, company=company).first()
    Subscription.objects.update_or_create(user=user, company=company, defaults={"minimum": minimum})
    audit_event(
        "subscription.changed" if stored else "subscription.made",
        user,
        actor=made_by,
        old={"severity": str(_MINIMUMS[stored.minimum])} if stored else {},
        new={"company": company.name, "severity": str(_MINIMUMS[minimum])},
    )


@transaction.atomic
def unsubscribe(*, subscription: Subscription, made_by: User | None) -> None:
    audit_event("subscription.deleted", subscription.user, actor=made_by, old={"company": subscription.company.name})
    subscription.delete()


def _facts(preferences: Preferences) -> dict[str, Any]:
    quiet = (preferences.quiet_from, preferences.quiet_until)
    return {
        "mail": str(preferences.get_mail_display()),
        "mail_from": str(preferences.get_mail_minimum_display()),
        "list_from": str(preferences.get_list_minimum_display()),
        "quiet": " – ".join(f"{time:%H:%M}" for time in quiet if time) or None,
        "own_address": bool(preferences.email),
    }
