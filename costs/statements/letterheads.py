"""The agency's letterhead: which one a statement has, and changing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from core.audit import audit_event
from costs.models import ClosedMonth, Letterhead, Logo

_FACTS = ("name", "address", "email", "footer", "colour", "decimals", "numbers")


def letterhead_of(closed: ClosedMonth | None) -> Letterhead:
    """Of a month: the one with which it was closed; without that, of drafts as well, the present one."""
    if closed is not None and closed.letterhead_id is not None:
        return Letterhead.objects.select_related("logo").get(pk=closed.letterhead_id)
    return Letterhead.objects.present()


@transaction.atomic
def save_letterhead(*, letterhead: Letterhead, logo: Logo | None, now: datetime, made_by: User | None = None) -> None:
    """Make it the present one; without any change nothing happens. Months that are closed keep theirs."""
    before = Letterhead.objects.present()
    if logo is not None and logo.pk is None:
        logo.save()
    letterhead.logo = logo
    old, new = _facts(before), _facts(letterhead)
    changed = [name for name in new if new[name] != old[name]]
    if not changed and not before.is_empty:
        return
    letterhead.pk = None
    letterhead._state.adding = True
    letterhead.made_at = now
    letterhead.save()
    audit_event(
        "agency.changed",
        letterhead,
        actor=made_by,
        old={name: old[name] for name in changed},
        new={name: new[name] for name in changed},
    )


def _facts(letterhead: Letterhead) -> dict[str, Any]:
    """What the audit log records of it; of a logo that it is another one."""
    return {name: getattr(letterhead, name) for name in _FACTS} | {"logo": letterhead.logo_id}
