"""Managing a connected provider: rename, pause, resume, replace its key, disconnect, delete."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from core.audit import audit_event
from core.secrets import ApiKey
from providers import registry
from providers.models import Project, Provider, SyncRun
from providers.registry import KeyCheck
from providers.services.connecting import refuse_same_key, refuse_same_workspace
from providers.services.queueing import request_sync


class OtherWorkspaceError(Exception):
    """The key belongs to another workspace than the stored history; the message is shown to people."""


class UnconfirmedWorkspaceError(Exception):
    """It is unknown whether the key belongs to the same workspace: a person must confirm it, and reads the message."""


@transaction.atomic
def rename_provider(*, provider: Provider, name: str) -> None:
    """Rename the provider; raises ValidationError where the name is taken or not a valid one."""
    old = Provider.objects.values_list("name", flat=True).get(pk=provider.pk)
    provider.name = " ".join(name.split())
    provider.full_clean(exclude=["encrypted_key"])
    provider.save(update_fields=["name"])
    if provider.name != old:
        audit_event("provider.renamed", provider, old={"name": old}, new={"name": provider.name})


@transaction.atomic
def pause_provider(*, provider: Provider, now: datetime) -> None:
    """Stop its hourly syncs; what is stored stays. A sync that runs at this moment ends by itself."""
    if Provider.objects.filter(pk=provider.pk, paused_at=None).update(paused_at=now, pause_reason=""):
        audit_event("provider.paused", provider)
    SyncRun.objects.unfinished().scheduled().filter(provider=provider, started_at=None).delete()


@transaction.atomic
def resume_provider(*, provider: Provider, now: datetime) -> None:
    """Let the next sweep sync it: whatever was missed meanwhile is still due."""
    connected = Provider.objects.filter(pk=provider.pk, disconnected_at=None)
    was_paused = connected.exclude(paused_at=None).exists()
    connected.update(paused_at=None, pause_reason="", refused_since=None, next_due_at=now)
    if was_paused:
        audit_event("provider.resumed", provider)


def replace_key(
    *, provider: Provider, api_key: ApiKey, now: datetime, confirmed_same_workspace: bool = False
) -> SyncRun:
    """Try the key and then put it in the place of the stored one; the caller enqueues the returned run.

    Until then the stored key stays and keeps syncing. A pause that a refused or a given-up key caused ends.
    Raises registry.KeyRefusedError, connecting.AlreadyConnectedError, OtherWorkspaceError, or – unless
    ``confirmed_same_workspace`` – UnconfirmedWorkspaceError; then nothing has changed.
    """
    candidate = Provider(pk=provider.pk, type=provider.type, region=provider.region, name=provider.name)
    candidate.api_key = api_key
    refuse_same_key(candidate)
    check = registry.get(provider.type).check_key(api_key, provider.region, Provider.Source(provider.source))
    refuse_same_workspace(candidate, check)
    is_same_key = candidate.key_fingerprint == provider.key_fingerprint
    old_ending = provider.key_last_four
    if not is_same_key:
        _compare_workspaces(provider, check, confirmed=confirmed_same_workspace)
    with transaction.atomic():
        provider.api_key = api_key
        provider.failure_code = provider.failure_text = ""
        if provider.pause_reason or provider.disconnected_at:  # not a person's own pause
            provider.paused_at, provider.pause_reason, provider.next_due_at = None, "", now
        provider.failing_since = provider.refused_since = provider.disconnected_at = None
        provider.save(
            update_fields=[
                "encrypted_key",
                "key_last_four",
                "key_fingerprint",
                "failure_code",
                "failure_text",
                "failing_since",
                "refused_since",
                "disconnected_at",
                "paused_at",
                "pause_reason",
                "next_due_at",
            ]
        )
        audit_event(
            "provider.key_replaced",
            provider,
            old={"key_ending": old_ending},
            new={"key_ending": provider.key_last_four},
        )
        return request_sync(provider=provider, trigger=SyncRun.Trigger.MANUAL, now=now)


@transaction.atomic
def disconnect_provider(*, provider: Provider, now: datetime) -> None:
    """Forget the key and stop syncing for good; projects, assignments and usage stay."""
    if provider.disconnected_at is None:
        audit_event("provider.disconnected", provider, old={"key_ending": provider.key_last_four})
    SyncRun.objects.unfinished().filter(provider=provider, started_at=None).delete()
    Provider.objects.filter(pk=provider.pk).update(
        encrypted_key="",
        key_last_four="",
        key_fingerprint="",
        disconnected_at=now,
        paused_at=now,
        pause_reason="",
        failure_code="",
        failure_text="",
        failing_since=None,
        refused_since=None,
    )


@transaction.atomic
def delete_provider(*, provider: Provider, confirmed_name: str) -> None:
    """Delete it with all its usage, projects, assignments and sync runs; companies and frozen statements stay.

    Locked in the order of every change of assignments – the provider, then its projects – so that there is no
    deadlock: a concurrent sync or assignment comes first, or finds it gone. Rows of usage are deleted by the database
    and never loaded, however many there are. Raises ValidationError unless ``confirmed_name`` is its name.
    """
    stored = Provider.objects.select_for_update().filter(pk=provider.pk).first()
    if stored is None:
        raise ValidationError("This provider has been deleted meanwhile.")
    if confirmed_name.strip() != stored.name:
        raise ValidationError(f"Type the name “{stored.name}” to delete it.")
    projects = Project.objects.for_provider(stored)
    list(projects.select_for_update().order_by("pk").values_list("pk"))
    keys = projects.present_keys().count()
    audit_event(
        "provider.deleted",
        stored,
        old={"name": stored.name, "region": stored.region, "key_ending": stored.key_last_four, "api_keys": keys},
    )
    stored.delete()


def _compare_workspaces(provider: Provider, check: KeyCheck, *, confirmed: bool) -> None:
    """Raises OtherWorkspaceError where the new key has seen only unknown projects in use.

    Where nothing can be compared: UnconfirmedWorkspaceError, unless ``confirmed``.
    """
    known = set(Project.objects.for_provider(provider).api_keys().values_list("external_id", flat=True))
    if known & check.project_ids:
        return
    if known and check.project_ids:
        raise OtherWorkspaceError(
            "This key belongs to another workspace: none of the API keys that it shows in use is known here. "
            "Connect it as a provider of its own instead."
        )
    if not confirmed:
        raise UnconfirmedWorkspaceError(
            "Nothing shows whether this key belongs to the same workspace. If you are sure that it does, confirm it."
        )
