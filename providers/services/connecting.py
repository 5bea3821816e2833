"""Connecting a workspace: its key is tried before anything is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from core.audit import audit_event
from core.secrets import ApiKey
from providers import registry
from providers.models import Project, Provider, SyncRun
from providers.registry import KeyCheck
from providers.services.queueing import next_hourly_sync, request_sync


class AlreadyConnectedError(Exception):
    """The workspace is connected under another name; the text is for the person."""


def connect_provider(
    *,
    type: str,  # noqa: A002 - the field's name
    name: str,
    region: str,
    api_key: ApiKey,
    now: datetime,
    source: Provider.Source = Provider.Source.ANALYTICS,
) -> tuple[Provider, SyncRun]:
    """Try the key, store the provider, and leave its initial sync queued; the caller enqueues the returned run.

    Raises ValidationError (name taken), AlreadyConnectedError, or registry.KeyRefusedError; then nothing is stored.
    """
    provider = Provider(type=type, name=name, region=region, source=source)
    provider.api_key = api_key
    provider.history_from = now.date() - timedelta(days=settings.SYNC_BACKFILL_DAYS - 1)
    provider.nightly_on = now.date()
    provider.full_clean(exclude=["encrypted_key"])
    refuse_same_key(provider)
    check = registry.get(type).check_key(api_key, region, source)
    refuse_same_workspace(provider, check)
    try:
        with transaction.atomic():
            refuse_same_key(provider)  # again: the check took seconds
            provider.save()
            # The hour's sync is due after the next full hour; until then the initial one runs.
            provider.next_due_at = next_hourly_sync(provider, now)
            provider.save(update_fields=["next_due_at"])
            run = request_sync(provider=provider, trigger=SyncRun.Trigger.CONNECT, now=now)
            audit_event(
                "provider.connected",
                provider,
                new={
                    "name": provider.name,
                    **({"region": provider.region} if provider.region else {}),
                    "source": provider.source,
                    "key_ending": provider.key_last_four,
                },
            )
    except IntegrityError:
        raise ValidationError({"name": "A provider with this name already exists."}) from None
    return provider, run


def refuse_same_key(candidate: Provider) -> None:
    """Raises AlreadyConnectedError when another provider has the candidate's key."""
    same = Provider.objects.filter(type=candidate.type, key_fingerprint=candidate.key_fingerprint)
    twin = same.exclude(pk=candidate.pk).first()
    if twin:
        raise AlreadyConnectedError(_already_connected(twin))


def refuse_same_workspace(candidate: Provider, check: KeyCheck) -> None:
    """Raises AlreadyConnectedError when another provider knows one of the API keys that the check has seen.

    One workspace connected twice would count everything twice.
    """
    known = (
        Project.objects.filter(
            provider__type=candidate.type,
            provider__region=candidate.region,
            kind=Project.Kind.KEY,
            external_id__in=check.project_ids,
        )
        .exclude(provider=candidate.pk)
        .select_related("provider")
        .first()
    )
    if known:
        raise AlreadyConnectedError(_already_connected(known.provider))


def _already_connected(provider: Provider) -> str:
    return f'This workspace is already connected as "{provider.name}". Replace its key there instead.'
