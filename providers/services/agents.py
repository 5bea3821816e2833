"""How usage of agents is attributed: the provider's setting, and reading its history again when that changes."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Min

from core.audit import audit_event
from providers import registry
from providers.models import Project, Provider, SyncRun
from providers.services.periods import lock_providers
from providers.services.queueing import request_sync

_SETTINGS = ("attributes_by", "allocates_by_conversations", "divides_by_person")


@transaction.atomic
def set_agent_attribution(
    *,
    provider: Provider,
    attributes_by: Provider.AttributesBy,
    by_conversations: bool,
    by_person: bool = False,
    now: datetime,
    made_by: User | None = None,
) -> SyncRun | None:
    """Store the settings and request the run that reads the whole history by them; None where they are as before.

    The caller enqueues the run. A closed month stays; the next statement carries what has moved, as ever.
    """
    lock_providers([provider.pk])
    stored = Provider.objects.only(*_SETTINGS).get(pk=provider.pk)
    old = {name: getattr(stored, name) for name in _SETTINGS}
    provider.attributes_by = attributes_by.value
    provider.allocates_by_conversations = by_conversations
    provider.divides_by_person = by_person
    new = {name: getattr(provider, name) for name in _SETTINGS}
    if old == new:
        return None
    provider.save(update_fields=_SETTINGS)
    changed = [name for name in _SETTINGS if old[name] != new[name]]
    audit_event(
        "provider.agents_changed",
        provider,
        actor=made_by,
        old={name: old[name] for name in changed},
        new={name: new[name] for name in changed},
    )
    return read_history_again(provider=provider, now=now)


def read_history_again(*, provider: Provider, now: datetime) -> SyncRun:
    """Request the run that reads everything since the history begins; the caller enqueues it."""
    return request_sync(
        provider=provider,
        trigger=SyncRun.Trigger.MANUAL,
        now=now,
        requested_from=history_begins(provider),
        requested_to=now.date(),
        from_now_on=True,
    )


def history_begins(provider: Provider) -> date:
    """The earliest day that the initial sync read, or that has usage."""
    used = Project.objects.for_provider(provider).aggregate(first=Min("first_used_on"))["first"]
    return min(provider.history_from, used or provider.history_from)


def requests_for_history(provider: Provider, *, today: date) -> int:
    """About how many requests reading the history again takes."""
    agents = Project.objects.for_provider(provider).agents().count()
    return registry.engine().requests_for(history_begins(provider), today, agents=agents)
